"""For operators and load balancers: /livez, /readyz, /metrics, alone or beside the API.

Alive means the loop runs; nothing else is asked, or an outage of a database would restart every
process. Ready means that this process should get traffic.
"""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from http import HTTPStatus

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from adapters.gateway.answers import json_answer
from adapters.gateway.drain import Drain
from adapters.gateway.headers import SecurityHeadersMiddleware
from adapters.gateway.middleware import CorrelationMiddleware
from adapters.telemetry import Metrics
from adapters.telemetry.metrics import CONTENT_TYPE
from domain.status import StatusBoard, SystemStatus

Lifespan = Callable[[Starlette], AbstractAsyncContextManager[None]]


def health_routes(
    board: StatusBoard, metrics: Metrics, drain: Drain, *, show_metrics: bool
) -> list[Route]:
    """``show_metrics`` is False where strangers can reach the port."""

    async def livez(_request: Request) -> Response:
        return json_answer({"status": "alive", "draining": drain.draining})

    async def readyz(_request: Request) -> Response:
        status = board.status()
        ready = status.ready and not drain.draining
        return json_answer(
            readiness(status, draining=drain.draining),
            status=HTTPStatus.OK if ready else HTTPStatus.SERVICE_UNAVAILABLE,
        )

    async def exposition(_request: Request) -> Response:
        return Response(
            metrics.exposition(),
            headers={"content-type": CONTENT_TYPE, "cache-control": "no-store"},
        )

    routes = [Route("/livez", livez), Route("/readyz", readyz)]
    return [*routes, Route("/metrics", exposition)] if show_metrics else routes


def readiness(status: SystemStatus, *, draining: bool) -> dict[str, object]:
    """The body of /readyz: words for people, no addresses, no vendor text."""
    return {
        "ready": status.ready and not draining,
        "draining": draining,
        "state": status.state,
        "asOf": status.as_of,
        "components": [
            {
                "name": component.name,
                "state": component.state,
                "required": component.required,
                "since": component.since,
                "detail": component.detail,
            }
            for component in status.components
        ],
    }


def operations_app(
    board: StatusBoard, metrics: Metrics, drain: Drain, *, lifespan: Lifespan | None = None
) -> Starlette:
    """What every role serves on its own operations port, and feed and worker serve at all."""
    metrics.watch_status(board.status)
    return Starlette(
        routes=health_routes(board, metrics, drain, show_metrics=True),
        middleware=[
            Middleware(CorrelationMiddleware),
            Middleware(SecurityHeadersMiddleware, drain=drain),
        ],
        lifespan=lifespan,
    )
