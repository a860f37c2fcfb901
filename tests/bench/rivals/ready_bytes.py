"""A plain uvicorn ASGI broadcast: a price is encoded once and sent to every socket in turn.

As little as a Python server can do through ASGI. Of GraphQL it knows the handshake and which
symbol a subscription is for; everybody gets the same bytes, id included.
"""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from typing import Any

import orjson

from tests.bench.rig.prices import Price, symbol_of
from tests.bench.rig.rhythm import Rhythm
from tests.bench.rivals.serving import Source, serve

Send = Callable[[dict[str, Any]], Awaitable[None]]
Receive = Callable[[], Awaitable[dict[str, Any]]]


class Broadcast:
    def __init__(self) -> None:
        self._source = Source()
        self._sockets: dict[str, set[Send]] = {}
        self._waiting: asyncio.Queue[Price] = asyncio.Queue()
        self._duties = AsyncExitStack()

    async def __call__(self, scope: dict[str, Any], receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._live(receive, send)
        elif scope["type"] == "websocket":
            await self._talk(receive, send)

    async def _live(self, receive: Receive, send: Send) -> None:
        await receive()
        for index in range(Rhythm.told().symbols):
            self._sockets[symbol_of(index)] = set()
            self._source.listen(symbol_of(index), self._waiting.put_nowait)
        async with self._source.lifespan(self), asyncio.TaskGroup() as tasks:
            broadcasting = tasks.create_task(self._broadcast())
            await send({"type": "lifespan.startup.complete"})
            await receive()
            broadcasting.cancel()
        await send({"type": "lifespan.shutdown.complete"})

    async def _broadcast(self) -> None:
        while True:
            price = await self._waiting.get()
            message = {"type": "websocket.send", "text": _text_of(price)}
            for send in tuple(self._sockets[price.symbol]):
                try:
                    await send(message)
                except Exception:  # noqa: BLE001  # whatever the server says of a closed socket
                    self._sockets[price.symbol].discard(send)

    async def _talk(self, receive: Receive, send: Send) -> None:
        await receive()
        await send({"type": "websocket.accept", "subprotocol": "graphql-transport-ws"})
        own: list[set[Send]] = []
        try:
            while (message := await receive())["type"] != "websocket.disconnect":
                said = orjson.loads(message["text"])
                if said["type"] == "connection_init":
                    await send({"type": "websocket.send", "text": '{"type":"connection_ack"}'})
                elif said["type"] == "subscribe":
                    sockets = self._sockets[said["payload"]["variables"]["symbol"]]
                    sockets.add(send)
                    own.append(sockets)
        finally:
            for sockets in own:
                sockets.discard(send)


def _text_of(price: Price) -> str:
    ticker = {
        "symbol": price.symbol,
        "lastPrice": price.last_price,
        "bidPrice": price.bid_price,
        "askPrice": price.ask_price,
        "volume24h": price.volume_24h,
        "asOf": price.as_of,
        "stale": price.stale,
    }
    message = {
        "id": "00000000-0000-4000-8000-000000000000",
        "type": "next",
        "payload": {"data": {"ticker": ticker}},
    }
    return orjson.dumps(message).decode()


if __name__ == "__main__":
    serve(Broadcast(), ws="websockets-sansio")
