"""The application: Firebase Auth's REST interfaces, the certificates, the mailbox.

Clients and firebase-admin know a host and a port only, and put the names of Google's services in
front of each path. No line here knows what an operation does.
"""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import structlog
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from adapters.sandbox.identity.administration import Administration
from adapters.sandbox.identity.answers import Answer, Refused, as_error, as_json
from adapters.sandbox.identity.consent import consent_routes
from adapters.sandbox.identity.control import Control
from adapters.sandbox.identity.demo import seed
from adapters.sandbox.identity.links import Links
from adapters.sandbox.identity.mailbox import Mailbox
from adapters.sandbox.identity.pages import Pages, base_of
from adapters.sandbox.identity.passwords import Passwords
from adapters.sandbox.identity.profiles import Profiles
from adapters.sandbox.identity.providers import Providers
from adapters.sandbox.identity.realm import Realm
from adapters.sandbox.identity.requests import Body, body_of, is_local
from adapters.sandbox.identity.second_factors import SecondFactors
from adapters.sandbox.identity.sessions import Sessions
from adapters.sandbox.identity.signing_in import SigningIn
from adapters.sandbox.identity.slips import Slips
from adapters.sandbox.identity.store import Store
from adapters.sandbox.identity.tokens import SigningKey, Tokens
from domain.kernel.clock import Clock

log = structlog.get_logger()

CERTIFICATES_PATH = "/robot/v1/metadata/x509/securetoken@system.gserviceaccount.com"
TOKEN_LIFE_SECONDS = 3600
BANNER = "OKD sandbox identity: not Google, nobody here is real"
_V1 = "/identitytoolkit.googleapis.com/v1"
_V2 = "/identitytoolkit.googleapis.com/v2"
_LOOPBACK_PAGES = r"https?://(localhost|127\.\d+\.\d+\.\d+|\[::1\])(:\d+)?"

Operation = Callable[[Body], Awaitable[Answer]]
Authority = Callable[[Request], None]


def create_identity(
    *,
    file: Path,
    project: str,
    clock: Clock,
    control_token: str,
    token_life_seconds: int = TOKEN_LIFE_SECONDS,
) -> Starlette:
    """Build the identity service on the state in ``file``, which is made when it is not there.

    Raises:
        OSError, sqlite3.Error: The file cannot be used.
        ValueError: The control token is empty.
    """
    realm = _realm(file, project, clock, token_life_seconds)

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        await seed(realm)
        log.info("identity_started", project=project)
        try:
            yield
        finally:
            realm.passwords.close()
            realm.store.close()

    links = Links(realm)
    return Starlette(
        routes=[
            Route("/", _ready),
            Route(CERTIFICATES_PATH, _certificates(realm)),
            *_client_routes(realm, links),
            *_admin_routes(realm, links),
            *_control_routes(realm, control_token),
            *Pages(realm, links).routes(),
            *consent_routes(),
        ],
        middleware=[
            Middleware(_Guard),
            Middleware(
                CORSMiddleware,
                allow_origin_regex=_LOOPBACK_PAGES,
                allow_methods=["GET", "POST"],
                allow_headers=["*"],
            ),
        ],
        exception_handlers={Refused: _refused, 404: _not_found, 405: _not_found},
        lifespan=lifespan,
    )


def _realm(file: Path, project: str, clock: Clock, token_life_seconds: int) -> Realm:
    store = Store(file)
    slips = Slips(store)
    tokens = Tokens(
        SigningKey.of(store, clock.now()),
        project=project,
        life_seconds=token_life_seconds,
        now=lambda: clock.now().timestamp(),
    )
    return Realm(
        project=project,
        clock=clock,
        store=store,
        tokens=tokens,
        sessions=Sessions(store, tokens),
        slips=slips,
        mailbox=Mailbox(store, slips),
        passwords=Passwords(),
    )


def _client_routes(realm: Realm, links: Links) -> list[Route]:
    signing_in, profiles = SigningIn(realm), Profiles(realm, links)
    factors = SecondFactors(realm)
    operations: dict[str, Operation] = {
        f"{_V1}/accounts:signUp": signing_in.sign_up,
        f"{_V1}/accounts:signInWithPassword": signing_in.sign_in_with_password,
        f"{_V1}/accounts:sendVerificationCode": signing_in.send_code,
        f"{_V1}/accounts:signInWithPhoneNumber": signing_in.sign_in_with_phone,
        f"{_V1}/accounts:signInWithIdp": Providers(realm).sign_in,
        f"{_V1}/accounts:lookup": profiles.look_up,
        f"{_V1}/accounts:update": profiles.update,
        f"{_V1}/accounts:delete": profiles.delete,
        f"{_V1}/accounts:createAuthUri": profiles.providers_of_address,
        f"{_V1}/accounts:resetPassword": links.reset_password,
        f"{_V2}/accounts/mfaEnrollment:start": factors.start_enrolment,
        f"{_V2}/accounts/mfaEnrollment:finalize": factors.finish_enrolment,
        f"{_V2}/accounts/mfaEnrollment:withdraw": factors.withdraw,
        f"{_V2}/accounts/mfaSignIn:start": factors.start_sign_in,
        f"{_V2}/accounts/mfaSignIn:finalize": factors.finish_sign_in,
        "/securetoken.googleapis.com/v1/token": signing_in.refresh,
    }

    async def mail(request: Request) -> Response:
        _needs_key(request)
        return as_json(await links.send(await body_of(request), base=base_of(request)))

    mailing = Route(f"{_V1}/accounts:sendOobCode", mail, methods=["POST"])
    return [mailing, *(_route(path, act, _needs_key) for path, act in operations.items())]


def _admin_routes(realm: Realm, links: Links) -> list[Route]:
    administration = Administration(realm)
    accounts = f"{_V1}/projects/{realm.project}/accounts"
    operations: dict[str, Operation] = {
        accounts: administration.create,
        f"{accounts}:lookup": administration.look_up,
        f"{accounts}:update": administration.update,
        f"{accounts}:delete": administration.delete,
        f"{accounts}:batchDelete": administration.delete_many,
    }

    async def page(request: Request) -> Response:
        _needs_owner(request)
        return as_json(await administration.page(Body(dict(request.query_params))))

    async def mail(request: Request) -> Response:
        _needs_owner(request)
        body = await body_of(request)
        return as_json(await links.send(body, base=base_of(request), admin=True))

    return [
        Route(f"{accounts}:batchGet", page),
        Route(f"{accounts}:sendOobCode", mail, methods=["POST"]),
        *(_route(path, act, _needs_owner) for path, act in operations.items()),
    ]


def _control_routes(realm: Realm, token: str) -> list[Route]:
    control = Control(realm, token=token)
    operations = {"/control/token": control.token, "/control/totp": control.code}
    return [_control_route(path, act, control.authorise) for path, act in operations.items()]


def _control_route(path: str, operation: Operation, authority: Authority) -> Route:
    """Errors as the exchange's control plane says them: they are for a person."""

    async def answer(request: Request) -> Response:
        try:
            authority(request)
            return as_json(await operation(await body_of(request)))
        except Refused as refused:
            error = {"code": refused.code, "message": refused.detail or refused.code}
            return as_json({"error": error}, refused.status)

    return Route(path, answer, methods=["POST"])


def _route(path: str, operation: Operation, authority: Authority) -> Route:
    async def answer(request: Request) -> Response:
        authority(request)
        return as_json(await operation(await body_of(request)))

    return Route(path, answer, methods=["POST"])


def _needs_key(request: Request) -> None:
    # Any key will do, as with Google's emulator: it names a project and guards nothing.
    if not request.query_params.get("key") and "x-goog-api-key" not in request.headers:
        sentence = "The request is missing a valid API key."
        raise Refused(sentence, status=403, word="PERMISSION_DENIED")


def _needs_owner(request: Request) -> None:
    if request.headers.get("authorization", "").lower() != "bearer owner":
        sentence = "Request had invalid authentication credentials."
        raise Refused(sentence, status=401, word="UNAUTHENTICATED")


def _certificates(realm: Realm) -> Callable[[Request], Awaitable[Response]]:
    async def answer(_: Request) -> Response:
        answer = as_json(realm.tokens.certificates())
        answer.headers["cache-control"] = "public, max-age=3600, must-revalidate"
        return answer

    return answer


async def _ready(_: Request) -> Response:
    return as_json({"authEmulator": {"ready": True, "docs": "/mailbox"}, "banner": BANNER})


async def _refused(_: Request, error: Exception) -> Response:
    assert isinstance(error, Refused)  # noqa: S101  # registered for nothing else
    return as_error(error)


async def _not_found(_: Request, __: Exception) -> Response:
    return as_error(Refused("Not Found", status=404, word="NOT_FOUND"))


class _Guard:
    """Answers this machine only, and says in every answer what this is not."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def bannered(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [
                    *message["headers"],
                    (b"x-okd-sandbox", BANNER.encode()),
                    (b"x-content-type-options", b"nosniff"),
                    # Any stricter, and browsers post our own forms as from nowhere: Origin: null.
                    (b"referrer-policy", b"same-origin"),
                ]
            await send(message)

        if is_local(Request(scope)):
            await self._app(scope, receive, bannered)
            return
        refused = Refused("This sandbox answers its own machine only", status=403)
        await as_error(refused)(scope, receive, bannered)
