"""A subscriber as patient as a phone: it reconnects, subscribes again, and remembers."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake

RECONNECT_SECONDS = 0.1

PRICE = """subscription($symbol: String!, $category: Category!) {
  ticker(category: $category, symbol: $symbol) {
    symbol lastPrice bidPrice bidSize askPrice askSize volume24h asOf stale source
  }
}"""

Value = dict[str, Any]


class Watcher:
    """What one subscription showed, in order; ``closes`` holds the close codes it met."""

    def __init__(self) -> None:
        self.values: list[Value] = []
        self.errors: list[Any] = []
        self.closes: list[int] = []
        self._news = asyncio.Condition()

    async def until(
        self, happened: Callable[[Value], bool], *, within_seconds: float = 20.0, after: int = 0
    ) -> int:
        """Wait for a value; returns its place. ``after``: look only behind that place."""
        async with asyncio.timeout(within_seconds), self._news:
            while True:
                for place in range(after, len(self.values)):
                    if happened(self.values[place]):
                        return place
                await self._news.wait()

    async def until_closed(self) -> int:
        """Wait until the connection was lost; returns how many values there were by then."""
        async with asyncio.timeout(20), self._news:
            await self._news.wait_for(lambda: self.closes)
            return len(self.values)

    async def until_refused(self) -> dict[str, Any]:
        """Wait for an error; returns the first."""
        async with asyncio.timeout(20), self._news:
            await self._news.wait_for(lambda: self.errors)
            error = self.errors[0]
            assert isinstance(error, dict)
            return error

    async def run(self, url: str, query: str, variables: dict[str, object]) -> None:
        """Subscribe for ever."""
        while True:
            try:
                async with connect(url, subprotocols=["graphql-transport-ws"]) as socket:  # type: ignore[list-item]  # a NewType of str
                    await socket.send(json.dumps({"type": "connection_init"}))
                    payload = {"query": query, "variables": variables}
                    await socket.recv()
                    subscribe = {"id": "1", "type": "subscribe", "payload": payload}
                    await socket.send(json.dumps(subscribe))
                    async for frame in socket:
                        await self._hear(json.loads(frame))
            except ConnectionClosed as closed:
                async with self._news:
                    self.closes.append(closed.rcvd.code if closed.rcvd else 1006)
                    self._news.notify_all()
            except (OSError, InvalidHandshake):
                pass
            await asyncio.sleep(RECONNECT_SECONDS)

    async def _hear(self, message: dict[str, Any]) -> None:
        payload = message.get("payload") or {}
        async with self._news:
            if message["type"] == "error":
                self.errors += payload
            elif message["type"] == "next":
                self.errors += payload.get("errors", [])
                if payload.get("data"):
                    self.values += payload["data"].values()
            self._news.notify_all()


@asynccontextmanager
async def subscribed(url: str, query: str, **variables: object) -> AsyncIterator[Watcher]:
    """Keep one subscription as long as the block lasts."""
    watcher = Watcher()
    async with asyncio.TaskGroup() as tasks:
        task = tasks.create_task(watcher.run(url, query, variables))
        try:
            yield watcher
        finally:
            task.cancel()


@asynccontextmanager
async def watching(
    url: str, symbol: str = "BTCUSDT", category: str = "LINEAR"
) -> AsyncIterator[Watcher]:
    """Watch one price as long as the block lasts."""
    async with subscribed(url, PRICE, symbol=symbol, category=category) as watcher:
        yield watcher


def live(value: Value) -> bool:
    return value["stale"] is False


def stale(value: Value) -> bool:
    return value["stale"] is True
