"""graphql-transport-ws, spoken by ourselves: frames, connections, what leaves them."""

from adapters.gateway.sockets.connection import Services, SocketLimits
from adapters.gateway.sockets.endpoint import SocketEndpoint
from adapters.gateway.sockets.protocol import ChannelHttpProtocol, ChannelSocketProtocol

__all__ = [
    "ChannelHttpProtocol",
    "ChannelSocketProtocol",
    "Services",
    "SocketEndpoint",
    "SocketLimits",
]
