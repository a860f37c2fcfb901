"""uvicorn's WebSocket protocol as ours: counted until it ends, a channel, and direct writes."""

from adapters.gateway.fanout.protocol import DirectWrites
from adapters.gateway.server.limits import edge_of
from adapters.gateway.sockets.protocol import ChannelSocketProtocol


class SocketProtocol(DirectWrites, ChannelSocketProtocol):
    """One connection from its handshake on; ``HttpProtocol`` had it before."""

    def connection_lost(self, exc: Exception | None) -> None:
        edge_of(self.config).connections.left(self.transport)
        super().connection_lost(exc)
