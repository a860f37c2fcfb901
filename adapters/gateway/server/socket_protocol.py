"""uvicorn's WebSocket protocol, counted among the connections until it ends.

The place for writing frames past ASGI, too: ``uvicorn_server`` gives this class to uvicorn.
"""

from adapters.gateway.server.limits import edge_of
from adapters.gateway.sockets.protocol import ChannelSocketProtocol


class SocketProtocol(ChannelSocketProtocol):
    """One connection from its handshake on; ``HttpProtocol`` had it before."""

    def connection_lost(self, exc: Exception | None) -> None:
        edge_of(self.config).connections.left(self.transport)
        super().connection_lost(exc)
