"""The web role's ASGI application: routes and layers, everything handed in by app.py."""

from collections.abc import Awaitable, Callable, Sequence
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
from starlette.websockets import WebSocket
from strawberry.extensions import SchemaExtension
from strawberry.http.websocket_origin import is_same_origin, normalize_origin
from strawberry.schema.base import BaseSchema

from adapters.gateway.admission import DocumentLimits, admission_extension
from adapters.gateway.answers import RequestRefused, error_answer
from adapters.gateway.compression import CompressionMiddleware
from adapters.gateway.deadline import deadline_extension
from adapters.gateway.desk import ContextFactory, Identify, OperationDesk, nobody
from adapters.gateway.drain import Drain
from adapters.gateway.errors import GatewayErrorCode
from adapters.gateway.flood import FloodGuard, SocketCaps, address_of
from adapters.gateway.headers import SecurityHeadersMiddleware
from adapters.gateway.health import Lifespan, health_routes
from adapters.gateway.middleware import (
    BodyLimitMiddleware,
    CorrelationMiddleware,
    LastCatchMiddleware,
)
from adapters.gateway.negotiation import media_type_for
from adapters.gateway.static import page_routes
from adapters.gateway.view import GraphQLView
from adapters.settings import Settings
from adapters.telemetry import ErrorReporter, Metrics, NullErrorReporter, correlation
from domain.status import StatusBoard

# A simple cross-site request cannot carry a header of its own: its presence proves a preflight.
PREFLIGHT_HEADER = "graphql-require-preflight"
SOCKET_RETRY_SECONDS = 5.0

_CODES = {
    400: GatewayErrorCode.BAD_REQUEST,
    404: GatewayErrorCode.NOT_FOUND,
    405: GatewayErrorCode.METHOD_NOT_ALLOWED,
}


def build_app(
    *,
    graphql_schema: BaseSchema,
    context: ContextFactory,
    board: StatusBoard,
    settings: Settings,
    metrics: Metrics,
    drain: Drain,
    sdl: str,
    docs: Path,
    graphiql: Path,
    identify: Identify = nobody,
    reporter: ErrorReporter | None = None,
    lifespan: Lifespan | None = None,
) -> Starlette:
    """Compose the application. Opens nothing: what needs a running loop belongs in ``lifespan``."""
    reporter = reporter or NullErrorReporter()
    metrics.watch_status(board.status)
    flood = FloodGuard(settings.flood_limit)
    view = GraphQLView(
        graphql_schema,
        desk=OperationDesk(
            context=context,
            identify=identify,
            metrics=metrics,
            reporter=reporter,
            suggestions=not settings.production,
            request_errors_max=settings.request_errors_max,
        ),
        flood=flood,
        allowed_origins=settings.allowed_origins,
        partial_status=settings.partial_result_status,
    )
    app = Starlette(
        routes=[
            *_graphql_routes(view, flood, SocketCaps(settings.sockets_per_address), metrics),
            # Strangers reach this port in production; there, metrics are on the operations port.
            *health_routes(board, metrics, drain, show_metrics=not settings.production),
            *page_routes(sdl=sdl, docs=docs, graphiql=graphiql),
        ],
        middleware=_layers(settings, drain, reporter),
        exception_handlers={
            RateLimitExceeded: _too_many(flood, metrics),
            HTTPException: _refused,
        },
        lifespan=lifespan,
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
                    PREFLIGHT_HEADER,
                    correlation.CORRELATION_HEADER,
                    correlation.TRACEPARENT_HEADER,
                ],
                expose_headers=[correlation.CORRELATION_HEADER, "retry-after"],
                max_age=600,
            )
        )
    return layers


def _graphql_routes(
    view: GraphQLView, flood: FloodGuard, caps: SocketCaps, metrics: Metrics
) -> Sequence[BaseRoute]:
    async def graphql(request: Request) -> Response:
        refusal = _refusal(request, view)
        if refusal is not None:
            return refusal
        try:
            return await view.run(request)
        except RequestRefused as refused:
            metrics.refused(refused.code.lower())
            return refused.answer(media_type_for(request.headers))

    async def graphql_socket(websocket: WebSocket) -> None:
        address = address_of(websocket)
        wait = flood.wait_seconds_of(address, "socket")
        if wait is not None:
            metrics.refused("flood")
            await websocket.send_denial_response(_flooded(wait))
            return
        with caps.holding(address) as room:
            if not room:
                metrics.refused("sockets_per_address")
                await websocket.send_denial_response(_crowded())
                return
            metrics.sockets.inc()
            try:
                await view.run(websocket)
            finally:
                metrics.sockets.dec()

    # A plain function, decorated: the only kind of route slowapi limits (see flood.py).
    limited = flood.slowapi.limit(str(flood.limit))(graphql)
    return [
        Route("/graphql", limited, methods=["GET", "POST"]),
        WebSocketRoute("/graphql", graphql_socket),
    ]


def _refusal(request: Request, view: GraphQLView) -> Response | None:
    origin = request.headers.get("origin")
    if origin is not None and not _origin_allowed(request, origin, view):
        return error_answer(
            HTTPStatus.FORBIDDEN,
            GatewayErrorCode.ORIGIN_FORBIDDEN,
            "Pages of this origin may not call. Ask for it to be listed in OKD_ALLOWED_ORIGINS.",
        )
    # Starlette adds HEAD to every route of GET; there is nothing to tell the head of.
    asked_well = request.method == "GET" and PREFLIGHT_HEADER in request.headers
    if request.method != "POST" and not asked_well:
        answer = _status_answer(
            405,
            f"Send operations by POST, or queries by GET with the header {PREFLIGHT_HEADER}: 1.",
        )
        answer.headers["allow"] = "POST"
        return answer
    return None


def _origin_allowed(request: Request, origin: str, view: GraphQLView) -> bool:
    if request.headers.get("sec-fetch-site") == "same-origin":
        return True
    if is_same_origin(origin, request.headers.get("host")) or "*" in view.allowed_origins:
        return True
    return normalize_origin(origin) in view.allowed_origins


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


def _crowded() -> Response:
    return error_answer(
        HTTPStatus.TOO_MANY_REQUESTS,
        GatewayErrorCode.RATE_LIMITED,
        "Too many open sockets from this address. Close one before opening another.",
        retry_after_seconds=SOCKET_RETRY_SECONDS,
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
