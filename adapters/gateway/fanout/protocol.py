"""uvicorn's WebSocket protocol with one thing more: writing to the socket without waiting.

``os.write`` on the connection's descriptor, while the transport holds nothing back, saves ASGI's
way through two coroutines and half of the CPU of a delivery (docs/performance.md). It leans on
what uvicorn and the event loop do not promise:

- uvicorn writes whole frames by ``transport.write`` and keeps nothing back itself;
- a transport whose write buffer is empty has given all of it to the kernel;
- the descriptor is non-blocking and belongs to the transport until it says that it is closing.

What does not hold is noticed: by ``contract_problem`` (then the ordinary ASGI way is taken, with
one warning), by the tests of this module on the day of an upgrade.
"""

import asyncio
import os
from collections.abc import Callable, Sequence
from functools import cache
from typing import Any, cast

import structlog
import uvicorn
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.exceptions import InvalidState

from adapters.gateway.fanout.sink import Encoded
from adapters.gateway.fanout.wires import Message, frame_start, framed

DIRECT = "okd.direct"
"""The scope extension under which an application finds the protocol."""
UVICORN_KNOWN = "0.54."
"""Versions whose protocol was read. A newer one switches direct writes off until it was, too."""
# What a client gets to read what is buffered and to answer the close; then the line is cut.
GOODBYE_SECONDS = 5.0

_METHODS = ("run_asgi", "pause_writing", "resume_writing", "connection_lost", "stop_keepalive")
_STATE = ("transport", "conn", "scope", "loop", "close_sent", "handshake_complete", "disconnected")

log = structlog.get_logger("gateway")


class DirectWrites(WebSocketsSansIOProtocol):
    """The protocol class; ``uvicorn.Config(ws=...)``, alone or mixed into another subclass."""

    on_writable: Callable[[], None] | None = None
    _cutting: asyncio.TimerHandle | None = None
    # Once closed it may be another connection's: never written to but while ``ready``.
    _descriptor = -1

    async def run_asgi(self) -> None:
        if _contract_holds() and self._may_write_directly():
            # Any byte held back is noticed, and its going, too: resumed means nothing held.
            self.transport.set_write_buffer_limits(high=0)
            # uvicorn types a scope's extensions as dictionaries; ASGI lets them be anything.
            extensions = cast("dict[str, Any]", self.scope.setdefault("extensions", {}))
            extensions[DIRECT] = self
        await super().run_asgi()

    def resume_writing(self) -> None:
        super().resume_writing()
        if self.on_writable is not None:
            self.on_writable()

    def connection_lost(self, exc: Exception | None) -> None:
        self.on_writable = None
        if self._cutting is not None:
            self._cutting.cancel()
        super().connection_lost(exc)

    def ready(self) -> bool:
        """Whether the connection is open and everything written is with the kernel."""
        transport = self.transport
        return (
            self.handshake_complete
            and not self.close_sent
            and not transport.is_closing()
            and transport.get_write_buffer_size() == 0
        )

    def write_directly(self, data: bytes) -> bool:
        """Write whole frames; what the socket does not take at once, the transport keeps.

        Returns whether it is ready still. Call it only while it is: a frame of uvicorn's own
        could be cut in two otherwise.
        """
        try:
            written = os.write(self._descriptor, data)
        except BlockingIOError:
            written = 0
        except OSError:  # the peer is gone; the transport hears of it when it reads
            return True
        if written == len(data):
            return True
        self.transport.write(memoryview(data)[written:])
        return False

    def close_directly(self, code: int, reason: str) -> None:
        """Close behind what is buffered; who does not read it is cut off after a while."""
        self.stop_keepalive()
        if self.close_sent or self.transport.is_closing():
            return
        self.close_sent = True
        try:
            self.conn.send_close(code, reason)
        except InvalidState:  # closed from the other side meanwhile
            pass
        self.transport.write(b"".join(self.conn.data_to_send()))
        self.queue.put_nowait({"type": "websocket.disconnect", "code": code, "reason": reason})
        self._cutting = self.loop.call_later(GOODBYE_SECONDS, self.transport.abort)

    def write_value(self, head: bytes, value: Encoded) -> bool:
        """``ready``, ``framed`` and ``write_directly`` in one, for what is done most of all."""
        transport = self.transport
        if self.close_sent or transport.get_write_buffer_size() or transport.is_closing():
            return False
        start = value.starts.get(len(head))
        if start is None:
            start = value.starts[len(head)] = frame_start(len(head) + value.size)
        data = start + head + value.tail
        try:
            written = os.write(self._descriptor, data)
        except BlockingIOError:
            written = 0
        except OSError:  # the peer is gone; the transport hears of it when it reads
            return True
        if written != len(data):
            transport.write(memoryview(data)[written:])
        return True

    def _may_write_directly(self) -> bool:
        transport = self.transport
        held = [name for name in _STATE if not hasattr(self, name)]
        if held:
            _warn(f"uvicorn's protocol has no {held[0]}")
            return False
        if transport.get_extra_info("sslcontext") is not None or self.conn.extensions:
            return False  # encrypted here, or compressed by agreement: frames are not ours to make
        socket = transport.get_extra_info("socket")
        if socket is None or os.get_blocking(socket.fileno()):
            return False
        self._descriptor = socket.fileno()
        return True


class DirectWire:
    """A Wire over DirectWrites."""

    __slots__ = ("_protocol", "writable", "write_value")

    def __init__(self, protocol: DirectWrites) -> None:
        self._protocol = protocol
        # Called for every write: a call less.
        self.writable = protocol.ready
        self.write_value = protocol.write_value

    @property
    def on_writable(self) -> Callable[[], None] | None:
        return self._protocol.on_writable

    @on_writable.setter
    def on_writable(self, call: Callable[[], None] | None) -> None:
        self._protocol.on_writable = call

    def write(self, messages: Sequence[Message]) -> bool:
        return self._protocol.write_directly(framed(messages))

    def close(self, code: int, reason: str) -> None:
        self._protocol.close_directly(code, reason)


def contract_problem() -> str | None:
    """What speaks against writing past uvicorn; None when nothing does."""
    if not uvicorn.__version__.startswith(UVICORN_KNOWN):
        return f"uvicorn {uvicorn.__version__} was not read, only {UVICORN_KNOWN}x"
    for name in _METHODS:
        if not callable(getattr(WebSocketsSansIOProtocol, name, None)):
            return f"uvicorn's protocol has no {name}"
    return None


@cache
def _contract_holds() -> bool:
    problem = contract_problem()
    if problem is not None:
        _warn(problem)
    return problem is None


@cache
def _warn(problem: str) -> None:
    log.warning("direct_writes_off", reason=problem)
