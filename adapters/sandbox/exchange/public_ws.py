"""The public sockets, /v5/public/{linear,spot}: one reader, one writer and one watch per socket.

PING frames are answered by the server that runs this application (uvicorn), `op: ping` is answered
here; a fault mutes both.
"""

import asyncio
import secrets
from collections.abc import Callable
from typing import NoReturn

from starlette.responses import PlainTextResponse
from starlette.types import Receive, Scope, Send
from starlette.websockets import WebSocket, WebSocketDisconnect

from adapters.sandbox.exchange.connection import Connection
from adapters.sandbox.exchange.faults import Faults
from adapters.sandbox.exchange.hub import Hub, Listener
from adapters.sandbox.exchange.instruments import Category
from adapters.sandbox.exchange.requests import SPOT_ARGS_MAX, Replies, Request, Unreadable, parse
from adapters.sandbox.exchange.venue import Topic

# The venue is never faster than a network. Stock pybit sends a subscription before it registers it,
# and an answer from loopback that overtakes the registration kills that client for good (4 of 60
# sockets without this wait).
REPLY_LATENCY_SECONDS = 0.01
CLOSE_TIMEOUT_SECONDS = 1.0


class SocketOver(Exception):
    """The socket is over: its peer left, its queue overflowed or the control plane closed it."""


class PublicSocket:
    """One client."""

    def __init__(
        self,
        websocket: WebSocket,
        connection: Connection,
        category: Category,
        *,
        hub: Hub,
        faults: Faults,
        offers: Callable[[Topic], bool],
    ) -> None:
        self._websocket = websocket
        self._connection = connection
        self._faults = faults
        self._category = category
        self._hub = hub
        self._offers = offers
        self._listener = Listener(f"{secrets.token_hex(10)}-{secrets.token_hex(2)}")
        self._replies = Replies(category, self._listener.conn_id)

    async def serve(self) -> None:
        await self._websocket.accept()
        self._connection.mute_pongs_while(lambda: self._faults.mutes_pings)
        self._hub.join(self._listener)
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._read())
                tasks.create_task(self._write())
                tasks.create_task(self._watch())
        except* SocketOver:
            pass
        finally:
            self._hub.leave(self._listener)
        if self._listener.is_aborted:
            self._connection.abort()
        elif self._listener.closing.is_set():
            await self._say_goodbye()

    async def _read(self) -> NoReturn:
        while True:
            message = await self._websocket.receive()
            if message["type"] == "websocket.disconnect":
                raise SocketOver
            await asyncio.sleep(REPLY_LATENCY_SECONDS)
            self._handle(parse(message.get("text") or message.get("bytes") or b""))

    async def _write(self) -> NoReturn:
        queue, send = self._listener.queue, self._websocket.send
        while True:
            frame = await queue.get()
            try:
                await send({"type": "websocket.send", "text": frame})
            except (WebSocketDisconnect, OSError, RuntimeError) as error:
                # RuntimeError: the server below has seen the close before we did.
                raise SocketOver from error

    async def _watch(self) -> NoReturn:
        await self._listener.closing.wait()
        raise SocketOver

    async def _say_goodbye(self) -> None:
        try:
            async with asyncio.timeout(CLOSE_TIMEOUT_SECONDS):
                await self._websocket.close(self._listener.close_code)
        except (TimeoutError, OSError, RuntimeError):
            return  # The peer does not read or is gone: nobody is left to tell.

    def _handle(self, request: Request | Unreadable) -> None:
        answer = self._listener.offer
        if isinstance(request, Unreadable):
            answer(self._replies.unreadable(request))
        elif request.op == "ping":
            if not self._faults.mutes_pings:
                answer(self._replies.pong(request))
        elif request.op in {"subscribe", "unsubscribe"}:
            refusal = self._refusal(request)
            if refusal is not None:
                answer(refusal)
                return
            answer(self._replies.acknowledge(request))
            act = self._hub.subscribe if request.op == "subscribe" else self._hub.unsubscribe
            for name in dict.fromkeys(request.args):
                act(self._listener, Topic(self._category, name))
        else:
            answer(self._replies.unknown_op(request))

    def _refusal(self, request: Request) -> str | None:
        if self._category is Category.SPOT and len(request.args) > SPOT_ARGS_MAX:
            return self._replies.too_many_args(request)
        for name in request.args:
            topic = Topic(self._category, name)
            if not self._offers(topic):
                return self._replies.unknown_topic(request, name)
            # Only linear was seen to refuse a second subscription; spot starts again from a
            # snapshot.
            again = request.op == "subscribe" and topic in self._listener.topics
            if again and self._category is Category.LINEAR:
                return self._replies.already_subscribed(request, name)
        return None


class PublicEndpoint:
    """Decides whether a socket may begin."""

    def __init__(self, hub: Hub, faults: Faults, offers: Callable[[Topic], bool]) -> None:
        self._hub = hub
        self._faults = faults
        self._offers = offers

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        websocket = WebSocket(scope, receive, send)
        if self._faults.refuses_sockets:
            await _deny(websocket, 503)
            return
        path = websocket.path_params["category"]
        if path not in set(Category):
            await _deny(websocket, 404)
            return
        await PublicSocket(
            websocket,
            Connection(receive),
            Category(path),
            hub=self._hub,
            faults=self._faults,
            offers=self._offers,
        ).serve()


async def _deny(websocket: WebSocket, status: int) -> None:
    await websocket.receive()  # websocket.connect
    await websocket.send_denial_response(PlainTextResponse("", status_code=status))
