"""What the sandbox tells its own pages, so that they can sign in as a demo user.

Nothing of the demo users is in a page: they ask, and in production are told that there is nobody.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

SIGN_IN_PATH = "/sandbox/sign-in"


@dataclass(frozen=True, slots=True)
class DemoUser:
    """Somebody a page may offer to be; ``secondFactor`` as JavaScript writes it."""

    name: str
    email: str
    role: str
    secondFactor: bool  # noqa: N815


@dataclass(frozen=True, slots=True)
class DemoSignIn:
    """Where the sandbox's people sign in, and who they are."""

    identity: str
    """The origin of the identity service, such as ``http://127.0.0.1:9099``."""
    project: str
    password: str
    """Of all of them; docs/identity.md tells it to everybody."""
    users: Sequence[DemoUser]


def policy_with(policy: str, sign_in: DemoSignIn | None) -> str:
    """The policy of a page with the menu: it may talk to the identity service besides."""
    if sign_in is None:
        return policy
    return policy.replace("connect-src 'self'", f"connect-src 'self' {sign_in.identity}")


def sign_in_route(sign_in: DemoSignIn | None) -> Route:
    """Answers 204 where nobody can be offered: a page's console would tell of a 404."""

    async def tell(_: Request) -> Response:
        return Response(status_code=204) if sign_in is None else JSONResponse(asdict(sign_in))

    return Route(SIGN_IN_PATH, tell)
