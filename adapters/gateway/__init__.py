"""The inbound side: GraphQL over HTTP and WebSocket, health, metrics, pages, serving.

It is handed the built schema and a context factory by app.py and knows neither schema nor
resolvers.
"""

from adapters.gateway.application import build_app, operation_extensions
from adapters.gateway.desk import ConnectionInfo, ContextFactory, Identify, Transport
from adapters.gateway.drain import Drain
from adapters.gateway.errors import USER_ERROR_MARK, GatewayErrorCode
from adapters.gateway.health import operations_app
from adapters.gateway.probes import BreakerProbe, FeedProbe, PingProbe
from adapters.gateway.server import StartFailed, run, serve

__all__ = [
    "USER_ERROR_MARK",
    "BreakerProbe",
    "ConnectionInfo",
    "ContextFactory",
    "Drain",
    "FeedProbe",
    "GatewayErrorCode",
    "Identify",
    "PingProbe",
    "StartFailed",
    "Transport",
    "build_app",
    "operation_extensions",
    "operations_app",
    "run",
    "serve",
]
