"""Redis dies and comes back under a book and trades: stale for a while, and nothing untold."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Sequence
from functools import partial
from itertools import pairwise

import pytest
from redis.asyncio import Redis

from adapters.redis import RedisClient, RedisFeedPublisher, RedisLiveMarket
from adapters.sandbox.servers import Servers
from domain.kernel.failures import Failure
from domain.kernel.ids import Category
from domain.market import Conflater, Follow, OrderBook, Trades, Update
from tests.redis.samples import (
    BTC_BOOK,
    BTC_TRADES,
    CLOCK,
    CountingMetrics,
    book,
    report,
    running,
    trades,
)
from tests.redis.test_hub_faults import valkey
from tests.world import eventually

FOLLOWS = [BTC_BOOK, BTC_TRADES]


@pytest.fixture
async def client(breakable_servers: Servers, redis_prefix: str) -> AsyncIterator[RedisClient]:
    client = RedisClient(breakable_servers.redis_url, prefix=redis_prefix, timeout_seconds=0.3)
    yield client
    await client.aclose()


class Trading:
    """A market that trades all the time, and a feed that keeps what it can not publish."""

    def __init__(self, client: RedisClient) -> None:
        self._publisher = RedisFeedPublisher(client, always_on=FOLLOWS)
        self._conflater = Conflater()
        self._conflater.follow(FOLLOWS)
        self.number = 0
        self.failures = 0

    async def run(self) -> None:
        while True:
            self.number += 1
            self._conflater.put([trades(self.number), book(self.number)])
            due = self._conflater.due(CLOCK.monotonic())
            try:
                await self._publisher.publish(report(), due)
            except Failure:
                self.failures += 1
                self._conflater.put_back(due)
            await asyncio.sleep(0.005)


class Reader:
    """Whoever writes down all it is told."""

    def __init__(self, hub: RedisLiveMarket, follow: Follow) -> None:
        self._hub, self._follow = hub, follow
        self.told: list[Update] = []

    async def run(self) -> None:
        async for update in self._hub.watch(self._follow):
            self.told.append(update)

    async def hears_more(self) -> None:
        known = len(self.told)
        await eventually(lambda: len(self.told) > known + 3)

    @property
    def fresh(self) -> bool:
        return bool(self.told) and not self.told[-1].stale


def story(told: Sequence[Update]) -> list[int]:
    """The numbers of the trades told; none lost unless it is said."""
    numbers: list[int] = []
    for value in told:
        assert isinstance(value, Trades)
        for trade in value.trades:
            number = int(trade.id[1:])
            first = trade is value.trades[0]
            assert not numbers or number == numbers[-1] + 1 or (first and value.dropped)
            numbers.append(number)
    assert numbers == sorted(set(numbers))
    return numbers


def check_books(told: Sequence[Update]) -> None:
    for before, after in pairwise(told):
        assert isinstance(before, OrderBook)
        assert isinstance(after, OrderBook)
        assert after.sequence > before.sequence or after.stale is not before.stale
        assert after.sequence >= before.sequence


async def test_a_killed_redis_under_a_book_and_trades(
    breakable_servers: Servers, client: RedisClient
) -> None:
    market = Trading(client)
    hub = RedisLiveMarket(client, clock=CLOCK, categories=[Category.LINEAR])
    books, tape = Reader(hub, BTC_BOOK), Reader(hub, BTC_TRADES)
    readers = (books, tape)
    async with running(hub.run(), market.run(), books.run(), tape.run()):
        await eventually(lambda: all(r.fresh and len(r.told) > 5 for r in readers))
        pid = valkey(breakable_servers).pid
        assert pid is not None

        # Not killed yet: stopped, so that its keeper does not bring it back before it is missed.
        os.kill(pid, signal.SIGSTOP)
        await eventually(lambda: not any(r.fresh for r in readers), within_seconds=15)
        os.kill(pid, signal.SIGKILL)

        await eventually(lambda: all(r.fresh for r in readers), within_seconds=60)
        again = market.number
        await eventually(lambda: _number(books.told[-1]) > again, within_seconds=15)
        await eventually(lambda: story(tape.told)[-1] > again, within_seconds=15)

    check_books(books.told)
    # The feed kept what it could not publish; only what Redis took with it may be missing.
    assert market.failures > 0
    assert sum(value.dropped for value in tape.told if isinstance(value, Trades)) <= 1


async def test_broken_connections_lose_and_repeat_no_trade(
    breakable_servers: Servers, client: RedisClient
) -> None:
    market = Trading(client)
    metrics = CountingMetrics()
    hub = RedisLiveMarket(client, clock=CLOCK, categories=[Category.LINEAR], metrics=metrics)
    tape = Reader(hub, BTC_TRADES)
    async with (
        Redis.from_url(breakable_servers.redis_url) as raw,
        running(hub.run(), market.run(), tape.run()),
    ):
        for n in range(8):
            await tape.hears_more()
            # The reader's connection alone, or the feed's too.
            lost = metrics.lost
            await raw.client_kill_filter(_type="pubsub" if n % 2 else None, skipme=True)
            await eventually(partial(_has_lost, metrics, lost), within_seconds=15)
        again = market.number
        await eventually(lambda: story(tape.told)[-1] > again, within_seconds=15)

    numbers = story(tape.told)
    # Away for less than sixty trades each time: the window bridges it.
    assert numbers == list(range(numbers[0], numbers[-1] + 1))
    assert not any(isinstance(t, Trades) and t.dropped for t in tape.told)


async def test_what_a_deaf_reader_can_not_catch_up_with_is_said(
    breakable_servers: Servers, client: RedisClient
) -> None:
    market = Trading(client)
    hub = RedisLiveMarket(client, clock=CLOCK, categories=[Category.LINEAR])
    tape = Reader(hub, BTC_TRADES)
    async with running(market.run(), tape.run()):
        async with running(hub.run()):
            await tape.hears_more()
        last = story(tape.told)[-1]
        await eventually(lambda: market.number > last + 100)

        async with running(hub.run()):
            await eventually(lambda: story(tape.told)[-1] > last + 100)

    assert any(isinstance(t, Trades) and t.dropped == 1 for t in tape.told)


def _has_lost(metrics: CountingMetrics, known: int) -> bool:
    return metrics.lost > known


def _number(update: Update) -> int:
    assert isinstance(update, OrderBook)
    return update.sequence
