"""The web role's ASGI application: routes and layers, everything handed in by app.py."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from http import HTTPStatus
from pathlib import Path

from slowapi.errors import RateLimitExceeded
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route, WebSocketRoute
from strawberry.extensions import SchemaExtension
from strawberry.http.websocket_origin import normalize_allowed_origins
from strawberry.schema.schema import Schema

from adapters.gateway.access import Access
from adapters.gateway.admission import DocumentLimits, admission_extension
from adapters.gateway.answers import RequestRefused, error_answer
from adapters.gateway.compression import CompressionMiddleware
from adapters.gateway.deadline import deadline_extension
from adapters.gateway.desk import ContextFactory, Identify, OperationDesk, nobody
from adapters.gateway.drain import Drain
from adapters.gateway.errors import GatewayErrorCode
from adapters.gateway.events import EventStreams, wants_events
from adapters.gateway.fanout.sharing import Sharing
from adapters.gateway.files import file_routes
from adapters.gateway.flood import FloodGuard
from adapters.gateway.headers import SecurityHeadersMiddleware
from adapters.gateway.health import Lifespan, health_routes
from adapters.gateway.identity import DEVICE_HEADER
from adapters.gateway.middleware import (
    BodyLimitMiddleware,
    CorrelationMiddleware,
    LastCatchMiddleware,
)
from adapters.gateway.negotiation import media_type_for
from adapters.gateway.origins import origin_allowed, sent_by_foreign_page
from adapters.gateway.sign_in import DemoSignIn
from adapters.gateway.static import page_routes
from adapters.gateway.subscriptions import Subscriptions
from adapters.gateway.view import GraphQLView
from adapters.settings import Settings
from adapters.telemetry import ErrorReporter, Metrics, NullErrorReporter, correlation
from domain.status import StatusBoard
from domain.wallets.papers import Downloads

# A simple cross-site request cannot carry a header of its own: its presence proves a preflight.
PREFLIGHT_HEADER = "graphql-require-preflight"

_CODES = {
    400: GatewayErrorCode.BAD_REQUEST,
    404: GatewayErrorCode.NOT_FOUND,
    405: GatewayErrorCode.METHOD_NOT_ALLOWED,
}


def build_app(
    *,
    graphql_schema: Schema,
    context: ContextFactory,
    board: StatusBoard,
    settings: Settings,
    metrics: Metrics,
    drain: Drain,
    sdl: str,
    docs: Path,
    graphiql: Path,
    sign_in: DemoSignIn | None = None,
    downloads: Downloads | None = None,
    identify: Identify = nobody,
    access: Access | None = None,
    reporter: ErrorReporter | None = None,
    lifespan: Lifespan | None = None,
) -> Starlette:
    """Compose the application. Opens nothing: what needs a running loop belongs in ``lifespan``."""
    reporter = reporter or NullErrorReporter()
    metrics.watch_status(board.status)
    flood = FloodGuard(settings.flood_limit)
    desk = OperationDesk(
        context=context,
        identify=identify,
        access=access,
        metrics=metrics,
        reporter=reporter,
        suggestions=not settings.production,
        request_errors_max=settings.request_errors_max,
    )
    view = GraphQLView(graphql_schema, desk=desk, partial_status=settings.partial_result_status)
    allowed_origins = normalize_allowed_origins(settings.allowed_origins)
    subscriptions = Subscriptions.over(
        graphql_schema,
        desk,
        settings=settings,
        drain=drain,
        flood=flood,
        allowed_origins=allowed_origins,
    )
    metrics.watch_deliveries(subscriptions.deliveries)
    app = Starlette(
        routes=[
            _graphql_route(view, subscriptions.streams, flood, allowed_origins),
            WebSocketRoute("/graphql", subscriptions.sockets.serve),
            # Strangers reach this port in production; there, metrics are on the operations port.
            *health_routes(board, metrics, drain, show_metrics=not settings.production),
            *file_routes(downloads, flood),
            *page_routes(sdl=sdl, docs=docs, graphiql=graphiql, sign_in=sign_in),
        ],
        middleware=_layers(settings, drain, reporter),
        exception_handlers={
            RateLimitExceeded: _too_many(flood, metrics),
            HTTPException: _refused,
        },
        lifespan=_owning(subscriptions.sharing, lifespan),
    )
    app.state.limiter = flood.slowapi  # slowapi looks for it here
    return app


def operation_extensions(settings: Settings) -> list[type[SchemaExtension]]:
    """What every operation passes, whichever transport brings it; for building the schema."""
    return [
        admission_extension(DocumentLimits.of(settings)),
        deadline_extension(settings.operation_deadline_seconds),
    ]


def _layers(settings: Settings, drain: Drain, reporter: ErrorReporter) -> list[Middleware]:
    layers = [
        Middleware(CorrelationMiddleware),
        Middleware(SecurityHeadersMiddleware, drain=drain),
        Middleware(LastCatchMiddleware, reporter=reporter),
        Middleware(CompressionMiddleware, bytes_min=settings.compression_bytes_min),
        Middleware(
            BodyLimitMiddleware,
            bytes_max=settings.body_bytes_max,
            seconds_max=settings.body_timeout_seconds,
        ),
    ]
    if settings.allowed_origins:
        layers.append(
            Middleware(
                CORSMiddleware,
                allow_origins=settings.allowed_origins,
                allow_methods=["GET", "POST"],
                allow_headers=[
                    "authorization",
                    "content-type",
                    "last-event-id",
                    DEVICE_HEADER,
                    PREFLIGHT_HEADER,
                    correlation.CORRELATION_HEADER,
                    correlation.TRACEPARENT_HEADER,
                ],
                expose_headers=[correlation.CORRELATION_HEADER, "retry-after"],
                max_age=600,
            )
        )
    return layers


def _owning(sharing: Sharing, lifespan: Lifespan | None) -> Lifespan:
    """The application's life, with the shared executions as part of it."""

    @asynccontextmanager
    async def life(app: Starlette) -> AsyncIterator[None]:
        async with AsyncExitStack() as stack:
            if lifespan is not None:
                await stack.enter_async_context(lifespan(app))
            await stack.enter_async_context(sharing)
            yield

    return life


def _graphql_route(
    view: GraphQLView, streams: EventStreams, flood: FloodGuard, allowed_origins: frozenset[str]
) -> BaseRoute:
    async def graphql(request: Request) -> Response:
        events = request.method != "HEAD" and wants_events(request.headers.get("accept", ""))
        refusal = _refusal(request, allowed_origins, events=events)
        if refusal is not None:
            return refusal
        try:
            return await (streams.answer(request) if events else view.run(request))
        except RequestRefused as refused:
            view.desk.metrics.refused(refused.code.lower())
            return refused.answer(media_type_for(request.headers))

    # A plain function, decorated: the only kind of route slowapi limits (see flood.py).
    limited = flood.slowapi.limit(str(flood.limit))(graphql)
    return Route("/graphql", limited, methods=["GET", "POST"])


def _refusal(request: Request, allowed_origins: frozenset[str], *, events: bool) -> Response | None:
    # EventSource cannot send a header of its own: an event stream is refused to other sites' pages
    # by what browsers say of the page, and reads only when asked for by GET.
    foreign = events and request.method == "GET" and sent_by_foreign_page(request)
    if foreign or not origin_allowed(request, allowed_origins):
        return error_answer(
            HTTPStatus.FORBIDDEN,
            GatewayErrorCode.ORIGIN_FORBIDDEN,
            "Pages of this origin may not call. Ask for it to be listed in OKD_ALLOWED_ORIGINS.",
        )
    # Starlette adds HEAD to every route of GET; there is nothing to tell the head of.
    asked_well = request.method == "GET" and (events or PREFLIGHT_HEADER in request.headers)
    if request.method != "POST" and not asked_well:
        answer = _status_answer(
            405,
            f"Send operations by POST, or queries by GET with the header {PREFLIGHT_HEADER}: 1.",
        )
        answer.headers["allow"] = "POST"
        return answer
    return None


def _too_many(
    flood: FloodGuard, metrics: Metrics
) -> Callable[[Request, Exception], Awaitable[Response]]:
    async def answer(_request: Request, _error: Exception) -> Response:
        metrics.refused("flood")
        return _flooded(flood.request_wait_seconds())

    return answer


def _flooded(wait_seconds: float) -> Response:
    return error_answer(
        HTTPStatus.TOO_MANY_REQUESTS,
        GatewayErrorCode.RATE_LIMITED,
        "Too many requests from this address. Wait before the next.",
        retry_after_seconds=wait_seconds,
    )


async def _refused(_request: Request, error: Exception) -> Response:
    """Starlette's own refusals (no such page, no such method) in our shape."""
    status = error.status_code if isinstance(error, HTTPException) else 400
    answer = _status_answer(status, HTTPStatus(status).phrase + ".")
    if isinstance(error, HTTPException) and error.headers:
        answer.headers.update(error.headers)
    return answer


def _status_answer(status: int, message: str) -> Response:
    return error_answer(status, _CODES.get(status, GatewayErrorCode.BAD_REQUEST), message)
