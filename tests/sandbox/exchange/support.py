"""A served exchange on loopback, a clock that is moved by hand, and what tests say to them."""

import asyncio
import contextlib
import socket
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
import uvicorn
from starlette.applications import Starlette
from websockets.asyncio.client import ClientConnection

from adapters.sandbox.exchange import create_exchange
from adapters.sandbox.exchange.instruments import INSTRUMENTS
from adapters.sandbox.exchange.simulation import SimulatedMarket
from adapters.sandbox.exchange.venue import Feed, Market, Topic
from domain.kernel.clock import Clock

TOKEN = "a token of this run"
# Enough for whatever does not depend on how many there are.
BTC_AND_SOL = tuple(i for i in INSTRUMENTS if i.base in {"BTC", "SOL"})
PATIENCE_SECONDS = 10
Json = dict[str, Any]


class HandClock:
    """Moves only when told to."""

    def __init__(self, start: datetime | None = None) -> None:
        self.instant = start or datetime(2026, 8, 9, 20, 17, 30, tzinfo=UTC)

    def now(self) -> datetime:
        return self.instant

    def monotonic(self) -> float:
        return self.instant.timestamp()

    def pass_by(self, **units: float) -> None:
        self.instant += timedelta(**units)


class Tape:
    """A feed that listens to everything and remembers it."""

    def __init__(self, *, wanted: Callable[[Topic], bool] = lambda _: True) -> None:
        self._wanted = wanted
        self.frames: list[tuple[Topic, Json]] = []

    def wants(self, topic: Topic) -> bool:
        return self._wanted(topic)

    def publish(self, topic: Topic, frame: str) -> None:
        self.frames.append((topic, orjson.loads(frame)))

    def of(self, topic: Topic) -> list[Json]:
        return [frame for seen, frame in self.frames if seen == topic]


def small_market(clock: HandClock, *, seed: int = 1) -> SimulatedMarket:
    return SimulatedMarket(seed=seed, clock=clock, listed=BTC_AND_SOL)


def snapshot_of(market: Market, topic: Topic) -> Json:
    """The frame a subscriber starts from."""
    frame = market.snapshot(topic)
    assert frame is not None
    started: Json = orjson.loads(frame)
    return started


def small_exchange(clock: Clock, *, seed: int = 1, token: str = TOKEN) -> Starlette:
    """An exchange that is built in a tenth of a second."""
    return create_exchange(
        seed=seed, clock=clock, recording=None, control_token=token, listed=BTC_AND_SOL
    )


def live(market: SimulatedMarket, clock: HandClock, feed: Feed, *, steps: int) -> None:
    """Let the market live in steps of 100 ms."""
    for _ in range(steps):
        clock.pass_by(milliseconds=100)
        market.advance(feed)


class _Server(uvicorn.Server):
    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.ready = threading.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.ready.set()


@dataclass(frozen=True)
class Served:
    port: int
    stop: Callable[[], None]

    @property
    def http(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def public(self, category: str) -> str:
        return f"ws://127.0.0.1:{self.port}/v5/public/{category}"


@contextlib.contextmanager
def served(app: Starlette, *, send_buffer: int | None = None) -> Iterator[Served]:
    """Serve in a thread of its own, as the exchange is a process of its own."""
    listener = socket.create_server(("127.0.0.1", 0))
    if send_buffer is not None:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, send_buffer)
    config = uvicorn.Config(app, log_config=None, lifespan="on", timeout_graceful_shutdown=2)
    server = _Server(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()

    def stop() -> None:
        server.should_exit = True
        thread.join(PATIENCE_SECONDS)
        assert not thread.is_alive()

    try:
        assert server.ready.wait(PATIENCE_SECONDS)
        yield Served(listener.getsockname()[1], stop)
    finally:
        stop()
        listener.close()


def order_numbers(frames: list[Json]) -> list[int]:
    """What orders a topic's frames: cs of tickers, seq of books, the time of klines."""
    numbers = []
    for frame in frames:
        if frame["topic"].startswith("publicTrade"):
            numbers += [trade["seq"] for trade in frame["data"]]
        elif frame["topic"].startswith("kline"):
            numbers.append(frame["ts"])
        else:
            numbers.append(frame.get("cs") or frame["data"]["seq"])
    return numbers


def update_ids(frames: list[Json]) -> list[int]:
    return [frame["data"]["u"] for frame in frames if frame["topic"].startswith("orderbook")]


async def say(socket_: ClientConnection, **message: object) -> None:
    await socket_.send(orjson.dumps(message).decode())


async def hear(socket_: ClientConnection) -> Json:
    async with asyncio.timeout(PATIENCE_SECONDS):
        heard: Json = orjson.loads(await socket_.recv())
    return heard


async def hear_until(socket_: ClientConnection, wanted: Callable[[Json], bool]) -> Json:
    while not wanted(frame := await hear(socket_)):
        pass
    return frame


async def reply(socket_: ClientConnection) -> Json:
    """The next frame that answers a request: everything with `success`."""
    return await hear_until(socket_, lambda frame: "success" in frame)
