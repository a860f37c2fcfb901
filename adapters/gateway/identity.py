"""Who is calling: from what a connection brings along to a viewer, or a refusal with its reason.

Over HTTP the ID token is in ``Authorization: Bearer ...``; a socket brings it in the payload of
``connection_init``, because browsers cannot set headers there. No token is nobody; a token that is
not good is an error, never nobody: a client that believes it is signed in must learn otherwise.
"""

import re
from collections.abc import Mapping
from http import HTTPStatus

from adapters.gateway.answers import RequestRefused
from adapters.gateway.desk import ConnectionInfo
from domain.kernel.errors import UserError
from domain.kernel.failures import Unavailable
from domain.kernel.viewer import ANONYMOUS, Viewer
from domain.users import Authentication
from domain.users.errors import AccountErased, AccountFrozen, TokenInvalid
from domain.users.model import Client, SignIn
from domain.users.ports import TokenVerifier

AUTHORIZATION = "authorization"
DEVICE_HEADER = "x-device-id"
DEVICE_PARAMETER = "deviceId"
AGENT_LENGTH_MAX = 200

_DEVICE = re.compile(r"[A-Za-z0-9_-]{8,64}")
_BEARER = re.compile(r"bearer +([A-Za-z0-9._~+/=-]+)", re.IGNORECASE | re.ASCII)
# RFC 6750, 3.1. Signing in again cannot help whose account is closed: they are known.
_CHALLENGE = 'Bearer realm="okd", error="invalid_token"'


class AccessRefused(RequestRefused):
    """Somebody showed a token and may not come in, for a reason they can act on."""

    def __init__(self, error: UserError) -> None:
        closed = isinstance(error, AccountFrozen | AccountErased)
        status = HTTPStatus.FORBIDDEN if closed else HTTPStatus.UNAUTHORIZED
        super().__init__(
            status,
            error.code,
            error.message,
            # Of the caller, not of the operation: the same whatever media type is read.
            legacy_status=status,
            headers={} if closed else {"www-authenticate": _CHALLENGE},
        )
        self.error = error


class Identity:
    """Answers ``desk.Identify``. One per process."""

    def __init__(self, verifier: TokenVerifier, authentication: Authentication) -> None:
        self._verifier = verifier
        self._authentication = authentication

    async def identify(self, connection: ConnectionInfo) -> Viewer:
        """The viewer of a connection's token. Raises AccessRefused, Unavailable, TimedOut."""
        token = token_of(connection)
        if token is None:
            return ANONYMOUS
        sign_in = await self._verifier.verify(token)
        if not isinstance(sign_in, SignIn):
            raise AccessRefused(sign_in)
        viewer = await self._authentication.viewer(sign_in, client_of(connection))
        if not isinstance(viewer, Viewer):
            raise AccessRefused(viewer)
        return viewer


async def without_accounts(connection: ConnectionInfo) -> Viewer:
    """Where nobody can sign in. Raises Unavailable for who tries, AccessRefused."""
    if token_of(connection) is not None:
        raise Unavailable("account service")
    return ANONYMOUS


def token_of(connection: ConnectionInfo) -> str | None:
    """The token that was sent; None when none was. Raises AccessRefused for what is no token.

    What a socket's payload says goes before the header of its handshake.
    """
    found = _of_parameters(connection.parameters)
    if found is None:
        found = _of_headers(connection.headers)
    if found is None:
        return None
    token = _BEARER.fullmatch(found.strip(" \t"))
    if token is None:
        raise AccessRefused(TokenInvalid())
    return token[1]


def without_token(parameters: Mapping[str, object]) -> Mapping[str, object]:
    """What may be kept of a payload: a token is used and forgotten."""
    return {name: value for name, value in parameters.items() if name.lower() != AUTHORIZATION}


def client_of(connection: ConnectionInfo) -> Client:
    """Where the request comes from. A device id of another form counts as none."""
    device = connection.parameters.get(DEVICE_PARAMETER, connection.headers.get(DEVICE_HEADER))
    known = isinstance(device, str) and _DEVICE.fullmatch(device) is not None
    agent = connection.headers.get("user-agent", "")
    return Client(
        address=connection.address,
        agent="".join(filter(str.isprintable, agent))[:AGENT_LENGTH_MAX],
        device_id=str(device) if known else None,
    )


def _of_parameters(parameters: Mapping[str, object]) -> str | None:
    # However it is written: overlooked for its capital letter, it would make somebody nobody.
    given = [value for name, value in parameters.items() if name.lower() == AUTHORIZATION]
    given = [value for value in given if value is not None]
    if not given:
        return None
    if len(given) > 1 or not isinstance(given[0], str):
        raise AccessRefused(TokenInvalid())
    return given[0]


def _of_headers(headers: Mapping[str, str]) -> str | None:
    # As pairs: asked by name, Starlette's headers tell of the first one only.
    given = [value for name, value in headers.items() if name.lower() == AUTHORIZATION]
    if len(given) > 1:
        raise AccessRefused(TokenInvalid())
    return given[0] if given else None
