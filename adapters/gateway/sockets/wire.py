"""What a connection needs of its transport, and ASGI's way to give it.

The seam for whoever writes below ASGI: a wire that can write without waiting says so in
``write_now``, and the outbox uses it before it queues anything.
"""

import asyncio
import contextlib
from typing import Protocol

from starlette.websockets import WebSocket, WebSocketDisconnect

from adapters.gateway.sockets.protocol import CHANNEL, Channel

# A peer that does not read its last frame within this time does not get it.
GOODBYE_SECONDS = 1.0


class WireGone(Exception):
    """The peer is not there any more."""


class Wire(Protocol):
    """One peer's end of a connection: whole frames go out, one at a time and in order."""

    def write_now(self, frame: bytes) -> bool:
        """Write if it needs no waiting; otherwise take nothing and return False."""
        ...

    async def write(self, frame: bytes) -> None:
        """Write, however long the peer takes. Raises WireGone."""
        ...

    async def close(self, code: int, reason: str) -> None:
        """Say goodbye if the peer listens, and be gone either way. Never raises."""
        ...


class AsgiSocket:
    """A WebSocket over ASGI; with the server's channel it can also leave a peer that is stuck."""

    def __init__(self, websocket: WebSocket) -> None:
        self._websocket = websocket
        self._channel: Channel | None = websocket.scope.get("extensions", {}).get(CHANNEL)
        self._heard_at = asyncio.get_running_loop().time()

    @property
    def heard_at(self) -> float:
        """When the peer last gave a sign of life, in the loop's time."""
        channel = self._channel
        return self._heard_at if channel is None else max(self._heard_at, channel.heard_at)

    async def accept(self, subprotocol: str | None) -> None:
        """Raises WireGone."""
        try:
            await self._websocket.accept(subprotocol)
        except (WebSocketDisconnect, RuntimeError) as error:
            raise WireGone from error
        if self._channel is not None:
            self._channel.take_over_keepalive()

    async def receive(self) -> str | bytes:
        """The next message. Raises WireGone."""
        try:
            message = await self._websocket.receive()
        except RuntimeError as error:  # Starlette: it was told already
            raise WireGone from error
        if message["type"] != "websocket.receive":
            raise WireGone
        self._heard_at = asyncio.get_running_loop().time()
        text: str | None = message.get("text")
        return message["bytes"] if text is None else text

    def write_now(self, frame: bytes) -> bool:
        """Never: ASGI does not tell whether it would wait."""
        del frame
        return False

    async def write(self, frame: bytes) -> None:
        # Noticed here, the line's end costs nothing; written to, it costs a warning each.
        if self._channel is not None and self._channel.closing:
            raise WireGone
        # Text always: clients do not read JSON from binary frames.
        message = {"type": "websocket.send", "text": frame.decode()}
        try:
            await self._websocket.send(message)
        # RuntimeError: Starlette's word for a socket that this side has closed already.
        except (WebSocketDisconnect, RuntimeError) as error:
            raise WireGone from error

    async def close(self, code: int, reason: str) -> None:
        with contextlib.suppress(WebSocketDisconnect, RuntimeError, TimeoutError):
            async with asyncio.timeout(GOODBYE_SECONDS):
                await self._websocket.close(code, reason)
                return
        if self._channel is not None:
            self._channel.cut(code, reason)
