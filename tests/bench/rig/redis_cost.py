"""What a price costs in the feed and in Valkey, and what each listening process adds to it."""

import selectors
import threading
import time
from collections.abc import Collection, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any

import redis

from adapters.redis.names import Names
from domain.kernel.ids import Category, InstrumentId, Symbol
from domain.market import Follow, ticker_topic
from tests.bench.rig import prices
from tests.bench.rig.machine import cpu_seconds
from tests.bench.rig.ours import Ground, publisher
from tests.bench.rig.rhythm import Rhythm

LISTENERS = 50
_RHYTHM = Rhythm(symbols=prices.SYMBOLS_MAX, per_second=10, spread=False, flowing=True)


@dataclass(frozen=True, slots=True)
class RedisCost:
    """CPU in microseconds per price."""

    publish_us: float
    valkey_price_us: float
    """Stored and announced, though nobody listens."""
    valkey_listener_us: float
    """For each connection that listens."""


def measured(base: Ground, seconds: float) -> RedisCost:
    """A publisher and fifty bare connections in place of web processes, for ``2 * seconds``."""
    environment = base.environment()
    with publisher(base, environment, _RHYTHM) as feed:
        pids = {"publish": feed.pid, **base.beside()}
        alone = _per_price(pids, seconds)
        channels = _channels(environment["OKD_REDIS_PREFIX"])
        with _listening(base.servers.redis_url, channels):
            heard = _per_price(pids, seconds)
    added = max(0.0, heard["valkey"] - alone["valkey"])
    return RedisCost(alone["publish"], alone["valkey"], added / LISTENERS)


def _per_price(pids: dict[str, int], seconds: float) -> dict[str, float]:
    before = {name: cpu_seconds([pid]) for name, pid in pids.items()}
    time.sleep(seconds)  # a window of time is what is measured
    count = seconds * _RHYTHM.symbols * _RHYTHM.per_second
    return {name: (cpu_seconds([pid]) - before[name]) / count * 1e6 for name, pid in pids.items()}


def _channels(prefix: str) -> list[str]:
    symbols = [Symbol(prices.symbol_of(index)) for index in range(_RHYTHM.symbols)]
    follows = [Follow(ticker_topic(InstrumentId(Category.LINEAR, symbol))) for symbol in symbols]
    return [Names(prefix).followed(follow).channel for follow in follows]


@contextmanager
def _listening(url: str, channels: Collection[str]) -> Iterator[None]:
    """Connections that read what is announced and throw it away, in a thread."""
    over = threading.Event()
    with ExitStack() as stack:
        chosen = stack.enter_context(selectors.DefaultSelector())
        pool = redis.ConnectionPool.from_url(url, max_connections=LISTENERS)
        stack.callback(pool.disconnect)
        for _ in range(LISTENERS):
            connection: Any = pool.make_connection()  # redis-py's, without types
            connection.connect()
            stack.callback(connection.disconnect)
            connection.send_command("SUBSCRIBE", *channels)
            chosen.register(connection._sock, selectors.EVENT_READ)
        reader = threading.Thread(target=_drain, args=(chosen, over))
        reader.start()
        stack.callback(reader.join)
        stack.callback(over.set)
        time.sleep(0.5)  # the answers to SUBSCRIBE are no announcements
        yield


def _drain(chosen: selectors.BaseSelector, over: threading.Event) -> None:
    while not over.is_set():
        for key, _ in chosen.select(timeout=0.2):
            key.fileobj.recv(1 << 16)  # type: ignore[union-attr]  # a socket, as registered
