"""Asking the control planes of the running sandbox: the exchange's and the identity service's.

Standard library only: it has to answer while everything else is broken on purpose.
"""

import http.client
import json
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any, NamedTuple

from adapters.supervisor import instance
from adapters.supervisor.terminal import StartError

OTHER_VERSION = (
    "The sandbox's {whose} does not know this order (HTTP {status}): it may be of another version."
    " Stop it and start it again with ./dev run."
)
_HEADER = "x-okd-control"
_ANSWER_SECONDS = 10.0
_WHOSE = {"control": "exchange", "identity_control": "identity service"}


class Plane(NamedTuple):
    whose: str
    url: str
    token: str


def found(data_dir: Path, name: str) -> Plane:
    """The plane that addresses.json calls ``name``.

    Raises:
        StartError: No sandbox runs there, or it is not up yet.
    """
    if not instance.is_running(data_dir):
        raise StartError(
            f"No sandbox runs on {data_dir}. Start one with ./dev run, or name the data dir of"
            " the one you mean: --data-dir DIR"
        )
    addresses = instance.published(data_dir) or {}
    url, token = addresses.get(name), addresses.get("control_token")
    if not isinstance(url, str) or not isinstance(token, str):
        raise StartError(f"The sandbox on {data_dir} is still starting: try again in a moment.")
    return Plane(_WHOSE[name], url, token)


def ask(plane: Plane, path: str, body: dict[str, Any] | None) -> dict[str, Any]:
    """Its answer to a POST of ``body``, or to a GET without one.

    Raises:
        StartError: It refuses, with its reason, or does not answer.
    """
    request = urllib.request.Request(  # noqa: S310 - http, from our own addresses.json
        f"{plane.url}/{path}",
        data=None if body is None else json.dumps(body).encode(),
        headers={_HEADER: plane.token, "content-type": "application/json"},
        method="GET" if body is None else "POST",
    )
    # A proxy of the environment is for the world outside, the plane is on this machine.
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(request, timeout=_ANSWER_SECONDS) as response:
            answer = json.loads(response.read())
    except urllib.error.HTTPError as error:
        with error:
            raise _refusal(plane, error.read(), error.code) from None
    except (OSError, http.client.HTTPException, ValueError) as error:
        why = getattr(error, "reason", error)
        sentence = f"The sandbox's {plane.whose} does not answer at {plane.url}: {why}."
        raise StartError(sentence) from None
    if not isinstance(answer, dict):
        raise _refusal(plane, b"", response.status)
    return answer


def _refusal(plane: Plane, answer: bytes, status: int) -> StartError:
    """What the plane's typed error says, as a sentence."""
    try:
        error = json.loads(answer)["error"]
        code, message = str(error["code"]), str(error["message"])
    except (ValueError, KeyError, TypeError):
        return StartError(OTHER_VERSION.format(whose=plane.whose, status=status))
    return StartError(f"{message[:1].upper()}{message[1:]} ({code}).")
