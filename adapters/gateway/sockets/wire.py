"""A WebSocket as a connection uses it: what comes in, and the best way out that its server has."""

import asyncio
import contextlib
from collections.abc import MutableMapping
from typing import Any

from starlette.websockets import WebSocket, WebSocketDisconnect

from adapters.gateway.fanout.protocol import DIRECT, DirectWire, DirectWrites
from adapters.gateway.fanout.wires import AsgiWire, Wire
from adapters.gateway.sockets.protocol import CHANNEL, Channel

# A peer that does not read its last frame within this time does not get it.
GOODBYE_SECONDS = 1.0


class WireGone(Exception):
    """The peer is not there any more."""


class AsgiSocket:
    """A WebSocket over ASGI; with the server's help it writes directly and leaves who is stuck."""

    def __init__(self, websocket: WebSocket) -> None:
        extensions = websocket.scope.get("extensions", {})
        self._websocket = websocket
        self._channel: Channel | None = extensions.get(CHANNEL)
        self._heard_at = asyncio.get_running_loop().time()
        direct: DirectWrites | None = extensions.get(DIRECT)
        self._asgi = AsgiWire(self._send) if direct is None else None
        self.wire: Wire = DirectWire(direct) if direct is not None else self._asgi  # type: ignore[assignment]  # one of the two

    @property
    def direct(self) -> bool:
        """Whether writing needs no task."""
        return self._asgi is None

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
        if self._channel is None:
            self._heard_at = asyncio.get_running_loop().time()
        text: str | None = message.get("text")
        return message["bytes"] if text is None else text

    async def run(self) -> None:
        """Send what the wire was given, to the close. Raises WireGone. Not for direct ones."""
        if self._asgi is None:
            raise RuntimeError("a direct wire needs nobody to write")
        await self._asgi.run()

    def cut(self, code: int, reason: str) -> None:
        """Leave a peer that does not read."""
        if self._channel is not None:
            self._channel.cut(code, reason)

    async def refuse(self, code: int, reason: str) -> None:
        """Close a socket that never became a connection. Never raises."""
        with contextlib.suppress(WebSocketDisconnect, RuntimeError, TimeoutError):
            async with asyncio.timeout(GOODBYE_SECONDS):
                await self._websocket.close(code, reason)
                return
        self.cut(code, reason)

    async def _send(self, message: MutableMapping[str, Any]) -> None:
        # Noticed here, the line's end costs nothing; written to, it costs a warning each.
        if self._channel is not None and self._channel.closing:
            raise WireGone
        try:
            await self._websocket.send(message)
        # RuntimeError: Starlette's word for a socket that this side has closed already.
        except (WebSocketDisconnect, RuntimeError) as error:
            raise WireGone from error
