"""How the Python rivals are served: uvicorn as its manual says, on an inherited socket."""

import asyncio
import os
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import uvicorn

from adapters.supervisor import lifeline
from adapters.supervisor.children import LISTEN_VARIABLE
from tests.bench.rig import prices
from tests.bench.rig.prices import Price
from tests.bench.rig.rhythm import Rhythm

QUEUE_MAX = 16


def serve(app: Any, **options: Any) -> None:
    """Until SIGTERM. ``options``: uvicorn's, where a variant differs from its defaults."""
    config = uvicorn.Config(app, log_level="error", access_log=False, backlog=2048, **options)
    uvicorn.Server(config).run(sockets=[socket.socket(fileno=int(os.environ[LISTEN_VARIABLE]))])


class Source:
    """An in-process source of prices: who listens hears of every one, in turn."""

    def __init__(self) -> None:
        self._rhythm = Rhythm.told()
        self._listeners: dict[str, set[Callable[[Price], None]]] = {
            prices.symbol_of(index): set() for index in range(self._rhythm.symbols)
        }

    @asynccontextmanager
    async def lifespan(self, _app: object) -> AsyncIterator[None]:
        async with asyncio.TaskGroup() as tasks:
            publishing = tasks.create_task(self._publish())
            lifeline.announce_ready()
            yield
            publishing.cancel()

    async def _publish(self) -> None:
        count = 0
        async for indexes in self._rhythm.beats():
            count += 1
            for index in indexes:
                price = prices.price(index, count)
                for hear in tuple(self._listeners[price.symbol]):
                    hear(price)

    def listen(self, symbol: str, hear: Callable[[Price], None]) -> Callable[[], None]:
        """Returns how to stop listening."""
        self._listeners[symbol].add(hear)
        return lambda: self._listeners[symbol].discard(hear)

    async def watch(self, symbol: str) -> AsyncIterator[Price]:
        """A bounded queue per subscriber, which loses its oldest price when it is full."""
        queue: asyncio.Queue[Price] = asyncio.Queue(QUEUE_MAX)

        def hear(price: Price) -> None:
            if queue.full():
                queue.get_nowait()
            queue.put_nowait(price)

        stop = self.listen(symbol, hear)
        try:
            while True:
                yield await queue.get()
        finally:
            stop()
