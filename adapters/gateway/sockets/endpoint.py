"""The door of the sockets: who may open one, and in which protocol."""

from collections.abc import Collection

from starlette.responses import Response
from starlette.websockets import WebSocket

from adapters.gateway.answers import error_answer
from adapters.gateway.errors import GatewayErrorCode
from adapters.gateway.fanout.pace import Pace
from adapters.gateway.flood import FloodGuard, SocketCaps, address_of
from adapters.gateway.origins import origin_allowed
from adapters.gateway.sockets.closing import CloseCode
from adapters.gateway.sockets.connection import Connection, Peer, Services
from adapters.gateway.sockets.wire import AsgiSocket, WireGone
from adapters.telemetry import correlation

SUBPROTOCOL = "graphql-transport-ws"
# Somebody closes a tab: soon enough, and not a storm.
_RETRY_SECONDS = 5.0


class SocketEndpoint:
    """Serves the sockets of ``/graphql``. One per process."""

    def __init__(
        self,
        services: Services,
        *,
        flood: FloodGuard,
        caps: SocketCaps,
        pace: Pace,
        allowed_origins: Collection[str],
    ) -> None:
        self._services = services
        self._metrics = services.runner.desk.metrics
        self._flood = flood
        self._caps = caps
        self._pace = pace
        self._allowed_origins = allowed_origins

    async def serve(self, websocket: WebSocket) -> None:
        """Refuse before the handshake what may not connect; serve the rest to its end."""
        refused = self._refusal(websocket)
        if refused is not None:
            await websocket.send_denial_response(refused)
            return
        with self._caps.holding(address_of(websocket)) as room:
            if not room:
                self._metrics.refused("sockets_per_address")
                await websocket.send_denial_response(_crowded())
                return
            if not await self._pace.turn():
                self._metrics.refused("pace")
                await websocket.send_denial_response(_stormed())
                return
            await self._serve(websocket)

    async def _serve(self, websocket: WebSocket) -> None:
        socket = AsgiSocket(websocket)
        offered = [name for name in websocket.scope.get("subprotocols", []) if name]
        try:
            if SUBPROTOCOL not in offered:
                # Browsers and `ws` show code and reason only of a handshake that chose one of
                # the protocols they offered; a denial they show as a connection that failed.
                await socket.accept(offered[0] if offered else None)
                await socket.refuse(CloseCode.SUBPROTOCOL, f"Only {SUBPROTOCOL} is spoken here")
                self._metrics.socket_closed(str(int(CloseCode.SUBPROTOCOL)))
                return
            await socket.accept(SUBPROTOCOL)
        except WireGone:
            return
        await self._connected(socket, websocket)

    async def _connected(self, socket: AsgiSocket, websocket: WebSocket) -> None:
        peer = Peer(correlation.current(), address_of(websocket), websocket.headers)
        connection = Connection(socket, peer, self._services)
        self._metrics.sockets.inc()
        try:
            await connection.run()
        finally:
            self._metrics.sockets.dec()

    def _refusal(self, websocket: WebSocket) -> Response | None:
        wait = self._flood.wait_seconds_of(address_of(websocket), "socket")
        if wait is not None:
            self._metrics.refused("flood")
            return error_answer(
                429,
                GatewayErrorCode.RATE_LIMITED,
                "Too many requests from this address. Wait before the next.",
                retry_after_seconds=wait,
            )
        if not origin_allowed(websocket, self._allowed_origins):
            self._metrics.refused("origin")
            return error_answer(
                403,
                GatewayErrorCode.ORIGIN_FORBIDDEN,
                "Pages of this origin may not open a socket here.",
            )
        return None


def _crowded() -> Response:
    return error_answer(
        429,
        GatewayErrorCode.RATE_LIMITED,
        "Too many open sockets from this address. Close one before opening another.",
        retry_after_seconds=_RETRY_SECONDS,
    )


def _stormed() -> Response:
    return error_answer(
        503,
        GatewayErrorCode.RATE_LIMITED,
        "Too many sockets are being opened at once. Wait a moment before the next.",
        retry_after_seconds=_RETRY_SECONDS,
    )
