"""Tickers and reports valid by default, and what tests of the hub do again and again."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from adapters.clock import SystemClock
from adapters.redis import DropReason, NullHubMetrics, RedisFeedPublisher
from domain.kernel.failures import Failure
from domain.kernel.ids import Category, InstrumentId, Symbol
from domain.market import FeedReport, FeedState, Source, Ticker

BTC = InstrumentId(Category.LINEAR, Symbol("BTCUSDT"))
ETH = InstrumentId(Category.LINEAR, Symbol("ETHUSDT"))
SPOT_BTC = InstrumentId(Category.SPOT, Symbol("BTCUSDT"))
SINCE = datetime(2026, 8, 9, 12, tzinfo=UTC)


def ticker(price: str | int = "65000.10", id: InstrumentId = BTC, **changes: Any) -> Ticker:  # noqa: A002  # the field's name
    usual = Ticker(
        id=id,
        last_price=Decimal(price),
        bid_price=Decimal("65000.00"),
        bid_size=Decimal("1.5"),
        ask_price=Decimal("65000.20"),
        ask_size=Decimal("0.7"),
        high_price_24h=Decimal(66000),
        low_price_24h=Decimal(64000),
        previous_price_24h=Decimal(64500),
        change_24h=Decimal("0.0077"),
        volume_24h=Decimal("1234.567"),
        turnover_24h=Decimal("80246855.123"),
        mark_price=Decimal("65000.05"),
        index_price=Decimal("65001.00"),
        open_interest=Decimal("52000.1"),
        funding_rate=Decimal("0.0001"),
        next_funding_at=datetime(2026, 8, 9, 16, tzinfo=UTC),
        as_of=datetime(2026, 8, 9, 12, 0, 1, 234000, tzinfo=UTC),
        stale=False,
        source=Source.SANDBOX,
    )
    return replace(usual, **changes)


def report(
    epoch: int = 1, state: FeedState = FeedState.LIVE, category: Category = Category.LINEAR
) -> FeedReport:
    return FeedReport(category, state, SINCE, epoch)


@asynccontextmanager
async def running(*duties: Coroutine[Any, Any, None]) -> AsyncIterator[None]:
    """Run duties that never end for as long as the block does."""
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(duty) for duty in duties]
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()


async def soon(values: AsyncGenerator[Ticker, None], *, seconds: float = 15) -> Ticker:
    async with asyncio.timeout(seconds):
        return await anext(values)


async def until_stale(values: AsyncGenerator[Ticker, None], *, stale: bool) -> Ticker:
    async with asyncio.timeout(30):
        async for value in values:
            if value.stale is stale:
                return value
    raise AssertionError("the watch ended")


class Feed:
    """A feed that says ten times a second that it is alive, whether Redis is there or not."""

    def __init__(self, publisher: RedisFeedPublisher, epoch: int = 1) -> None:
        self._publisher = publisher
        self.epoch = epoch
        self.state = FeedState.LIVE
        self.speaking = True

    async def publish(self, *tickers: Ticker) -> None:
        await self._publisher.publish(report(self.epoch, self.state), tickers)

    async def run(self) -> None:
        while True:
            if self.speaking:
                try:
                    await self.publish()
                except Failure:
                    pass
            await asyncio.sleep(0.1)


class CountingMetrics(NullHubMetrics):
    def __init__(self) -> None:
        self.dropped: list[DropReason] = []
        self.conflated = 0
        self.lost = 0
        self.watchers = 0
        self.topics = 0

    def frame_dropped(self, reason: DropReason) -> None:
        self.dropped.append(reason)

    def values_conflated(self, count: int) -> None:
        self.conflated += count

    def connection_lost(self) -> None:
        self.lost += 1

    def watchers_changed(self, *, watchers: int, topics: int) -> None:
        self.watchers, self.topics = watchers, topics


CLOCK = SystemClock()
