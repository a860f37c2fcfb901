"""What ASGI cannot say about a connection, added to uvicorn's protocols as a scope extension.

ASGI's ``send`` waits while the peer does not read, ``close`` included, and uvicorn closes such a
connection only when its buffer was read: a peer that stops reading could stay for ever. The
channel closes it in spite of that. It is also the place for direct writes.

``server`` derives from these what it gives to uvicorn. Private names of uvicorn are used;
tests/gateway/test_slow_readers.py tells when they change.
"""

import asyncio
from typing import Any, Protocol, cast

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.exceptions import InvalidState

CHANNEL = "okd.channel"
# What a peer gets to read what is buffered and to answer the close; then the line is cut.
LINGER_SECONDS = 10.0


class Channel(Protocol):
    """Found in ``scope["extensions"][CHANNEL]`` where the server offers it."""

    heard_at: float
    """When any byte last came from the peer, in the loop's time."""

    @property
    def closing(self) -> bool:
        """Whether nothing that is written now arrives."""
        ...

    def take_over_keepalive(self) -> None:
        """Stop the server's own pings: the application sends some itself."""
        ...

    def cut(self, code: int, reason: str) -> None:
        """Close although the peer does not read: say why, and be gone after a short while."""
        ...


class ChannelSocketProtocol(WebSocketsSansIOProtocol):
    """uvicorn's WebSocket with a channel, and without a traceback for a frame that is no UTF-8."""

    heard_at = 0.0
    _burial: asyncio.TimerHandle | None = None

    def data_received(self, data: bytes) -> None:
        self.heard_at = self.loop.time()
        super().data_received(data)

    def connection_lost(self, exc: Exception | None) -> None:
        if self._burial is not None:
            self._burial.cancel()
        super().connection_lost(exc)

    def send_receive_event_to_app(self) -> None:
        if self.curr_msg_data_type == "text":
            try:
                b"".join(self.frames).decode()
            except UnicodeDecodeError:
                # RFC 6455, 8.1. uvicorn closes the same way, and logs it as a crash of its own.
                self.frames = []
                self.conn.fail(1007, "The frame is not valid UTF-8")
                self.handle_parser_exception()
                return
        super().send_receive_event_to_app()

    async def run_asgi(self) -> None:
        _offer(self.scope, self)
        try:
            await super().run_asgi()
        finally:
            if not self.disconnected:
                self._burial = self.loop.call_later(LINGER_SECONDS, self.transport.abort)

    @property
    def closing(self) -> bool:
        return self.transport.is_closing()

    def take_over_keepalive(self) -> None:
        self.stop_keepalive()

    def cut(self, code: int, reason: str) -> None:
        self.stop_keepalive()
        if not self.close_sent:
            self.close_sent = True
            try:
                self.conn.send_close(code, reason)
            except InvalidState:  # closed from the other side meanwhile
                pass
            self.transport.write(b"".join(self.conn.data_to_send()))
        self.transport.close()


class ChannelHttpProtocol(HttpToolsProtocol):
    """uvicorn's HTTP with a channel."""

    heard_at = 0.0

    def data_received(self, data: bytes) -> None:
        self.heard_at = self.loop.time()
        super().data_received(data)

    def on_message_begin(self) -> None:
        super().on_message_begin()
        _offer(self.scope, self)

    @property
    def closing(self) -> bool:
        return self.transport.is_closing()

    def take_over_keepalive(self) -> None:
        """Nothing to take over: HTTP knows no pings."""

    def cut(self, code: int, reason: str) -> None:
        del code, reason  # an answer under way has no place for them
        self.transport.abort()


def _offer(scope: object, channel: Channel) -> None:
    # uvicorn types a scope's extensions as dictionaries; ASGI lets them be anything.
    extensions = cast("dict[str, Any]", scope).setdefault("extensions", {})
    extensions[CHANNEL] = channel
