"""What ASGI does not show of a socket: its TCP connection and its PONG frames.

Reached through the object that owns ASGI's `receive`: uvicorn's protocol. Under another server both
powers are missing: an abort becomes a silent end, and PING frames are answered by the library.
"""

import socket
import struct
from collections.abc import Callable
from typing import Any

from starlette.types import Receive

_RESET = struct.pack("ii", 1, 0)


class Connection:
    """One socket below its frames."""

    def __init__(self, receive: Receive) -> None:
        # No type: a server's own object, of which only what is asked for here is used.
        self._protocol: Any = getattr(receive, "__self__", None)

    def abort(self) -> None:
        """Reset the connection: no close frame, no FIN, and what was queued is lost."""
        transport = getattr(self._protocol, "transport", None)
        if transport is None:
            return
        raw = transport.get_extra_info("socket")
        if raw is not None:
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
        transport.abort()

    def mute_pongs_while(self, muted: Callable[[], bool]) -> None:
        """Throw away the PONG that the library has ready for a PING."""
        protocol = self._protocol
        if not hasattr(protocol, "handle_ping") or not hasattr(protocol, "conn"):
            return
        answer = protocol.handle_ping

        def handle_ping() -> None:
            if muted():
                protocol.conn.data_to_send()
            else:
                answer()

        protocol.handle_ping = handle_ping
