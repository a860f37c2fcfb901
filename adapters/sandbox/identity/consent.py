"""The page on which a fake provider asks who somebody is, and whether to tell it.

As OpenID Connect's implicit flow has it (OpenID Connect Core 1.0, 3.2): what was said goes back in
the fragment of ``redirect_uri``, with ``state``. Google's own page needs Google's own domain; a
client in the sandbox opens this one and gives Firebase the ``id_token`` it brings back.
"""

from hashlib import sha256
from html import escape
from urllib.parse import urlencode, urlsplit

import orjson
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from adapters.sandbox.identity.answers import Refused
from adapters.sandbox.identity.pages import page, shown
from adapters.sandbox.identity.providers import PROVIDERS
from adapters.sandbox.identity.requests import Body, body_of, is_loopback

PATH = "/consent"
_NAMES = {"google.com": "Google", "apple.com": "Apple"}


def consent_routes() -> list[Route]:
    return [Route(PATH, shown(_ask)), Route(PATH, shown(_answer), methods=["POST"])]


async def _ask(request: Request) -> Response:
    asked = Body(dict(request.query_params))
    provider, back = _provider(asked), _way_back(asked)
    hidden = {"providerId": provider, "redirect_uri": back or "", "state": _state(asked)}
    fields = "".join(
        f'<input type="hidden" name="{name}" value="{escape(value)}">'
        for name, value in hidden.items()
    )
    form = (
        f"<h1>Sign in with {_NAMES[provider]}</h1>"
        f"<p>Whoever you say you are. This is not {_NAMES[provider]}.</p>"
        f'<form method="post" action="{PATH}">{fields}'
        '<label for="email">E-mail</label>'
        '<input id="email" name="email" type="email" autocomplete="off" required>'
        '<label for="name">Name</label><input id="name" name="name" autocomplete="off">'
        '<p><button name="answer" value="yes">Yes, tell them</button> '
        '<button name="answer" value="no" formnovalidate>No</button></p></form>'
    )
    return page("Sign in", form, forms_lead_to=_origin(back))


async def _answer(request: Request) -> Response:
    body = await body_of(request)
    provider, back = _provider(body), _way_back(body)
    if body.text("answer") != "yes":
        told = {"error": "access_denied"}
    else:
        told = {"id_token": _id_token(provider, body)}
    if back is not None:
        state = _state(body)
        fragment = urlencode(told | ({"state": state} if state else {}))
        # 303: what was a form becomes a page.
        return RedirectResponse(f"{back}#{fragment}", 303, {"cache-control": "no-store"})
    words = "".join(f"<p><code>{escape(value)}</code></p>" for value in told.values())
    return page("Done", f"<h1>Done</h1><p>This is what a client would be told:</p>{words}")


def _id_token(provider: str, body: Body) -> str:
    email = body.email()
    if email is None:
        raise Refused("MISSING_EMAIL")
    # Of the address: who says the same again is the same again.
    subject = sha256(f"{provider} {email}".encode()).hexdigest()[:24]
    name = {"name": body.text("name")} if body.text("name") else {}
    claims = {"sub": subject, "email": email, "email_verified": True, **name}
    return orjson.dumps(claims).decode()


def _provider(body: Body) -> str:
    provider = body.text("providerId")
    if provider not in PROVIDERS:
        raise Refused("OPERATION_NOT_ALLOWED", "The identity provider is not found.")
    return provider


def _way_back(body: Body) -> str | None:
    """Where to go back to; nothing when the page itself is to show it. This machine only."""
    address = body.text("redirect_uri")
    if not address:
        return None
    if not _is_page_of_ours(address):
        raise Refused("INVALID_CONTINUE_URI", "A page of this machine, without a fragment.")
    return address


def _is_page_of_ours(address: str) -> bool:
    try:
        parts = urlsplit(address)
        local = is_loopback(parts.hostname or "") and parts.port != 0
    except ValueError:  # no port, no address of IPv6
        return False
    plain = parts.scheme in ("http", "https") and not parts.fragment and not parts.username
    # A scope id may hold anything, and the host becomes a part of a policy.
    local = local and "%" not in (parts.hostname or "")
    return local and plain


def _origin(back: str | None) -> str:
    """For the policy: browsers hold the way a form leads on to it, too."""
    if back is None:
        return ""
    parts = urlsplit(back)
    port = "" if parts.port is None else f":{parts.port}"
    host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname
    return f"{parts.scheme}://{host}{port}"


def _state(body: Body) -> str:
    return body.text("state") or ""
