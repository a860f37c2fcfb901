"""Ways out to one client. A wire takes whole messages and never makes its caller wait."""

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping, Sequence
from struct import Struct
from typing import Any, Protocol, TypeAlias

from adapters.gateway.fanout.sink import Encoded

Message: TypeAlias = tuple[bytes, bytes]
"""A text message in two pieces: what belongs to its reader, and what is the same for all."""
Send: TypeAlias = Callable[[MutableMapping[str, Any]], Awaitable[None]]

_TEXT = 0x81  # final frame of a text; a server does not mask
_SHORT_MAX = 125
_MEDIUM_MAX = 0xFFFF
_MEDIUM = Struct(">BBH").pack
_LONG = Struct(">BBQ").pack


class Wire(Protocol):
    """Implemented by DirectWebSocketProtocol (through DirectWire) and AsgiWire."""

    on_writable: Callable[[], None] | None
    """Called, outside of ``write``, when ``writable`` turned from false to true."""

    def writable(self) -> bool:
        """Whether all that was written has left this process."""
        ...

    def write(self, messages: Sequence[Message]) -> bool:
        """Write them in one go, in their order; what the socket cannot take now goes later.

        Returns whether it is writable still.
        """
        ...

    def write_value(self, head: bytes, value: Encoded) -> bool:
        """Write one value at once; False, and nothing is taken, when it is not writable."""
        ...

    def close(self, code: int, reason: str) -> None:
        """Say goodbye behind what was written; who does not read it is cut off."""
        ...


def frame_start(length: int) -> bytes:
    """What a WebSocket frame of one text of ``length`` bytes begins with (RFC 6455, 5.2)."""
    if length <= _SHORT_MAX:
        return bytes((_TEXT, length))
    if length <= _MEDIUM_MAX:
        return _MEDIUM(_TEXT, 126, length)
    return _LONG(_TEXT, 127, length)


def framed(messages: Sequence[Message]) -> bytes:
    """The messages as WebSocket frames, one behind the other."""
    pieces: list[bytes] = []
    for head, tail in messages:
        pieces += (frame_start(len(head) + len(tail)), head, tail)
    return b"".join(pieces)


class AsgiWire:
    """Through the ``send`` of any ASGI server. ``run`` must be running; it is the only waiter."""

    def __init__(self, send: Send) -> None:
        self.on_writable: Callable[[], None] | None = None
        self._send = send
        self._written: list[Message] = []
        self._close: tuple[int, str] | None = None
        self._filled = asyncio.Event()
        self._busy = False

    def writable(self) -> bool:
        return not self._busy and self._close is None

    def write(self, messages: Sequence[Message]) -> bool:
        self._written += messages
        self._busy = True
        self._filled.set()
        return False

    def write_value(self, head: bytes, value: Encoded) -> bool:
        if not self.writable():
            return False
        self.write([(head, value.tail)])
        return True

    def close(self, code: int, reason: str) -> None:
        if self._close is None:
            self._close = (code, reason)
            self._filled.set()

    async def run(self) -> None:
        """Send what is written; returns after the close was sent. Raises what ``send`` raises."""
        while True:
            await self._filled.wait()
            self._filled.clear()
            written, self._written = self._written, []
            for head, tail in written:
                await self._send({"type": "websocket.send", "text": (head + tail).decode()})
            if self._close is not None and not self._written:
                code, reason = self._close
                await self._send({"type": "websocket.close", "code": code, "reason": reason})
                return
            if not self._written:
                self._busy = False
                if self.on_writable is not None:
                    self.on_writable()
