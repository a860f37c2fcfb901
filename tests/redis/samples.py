"""Tickers and reports valid by default, and what tests of the hub do again and again."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Coroutine, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, TypeVar

from adapters.clock import SystemClock
from adapters.redis import DropReason, NullHubMetrics, RedisFeedPublisher
from domain.kernel.failures import Failure
from domain.kernel.ids import Category, InstrumentId, Side, Symbol
from domain.market import (
    Candle,
    FeedReport,
    FeedState,
    Follow,
    Interval,
    Level,
    OrderBook,
    Publication,
    Source,
    Ticker,
    Trade,
    Trades,
    Update,
    book_topic,
    candles_topic,
    ticker_topic,
    topic_of,
    trades_topic,
)

U = TypeVar("U")

BTC = InstrumentId(Category.LINEAR, Symbol("BTCUSDT"))
ETH = InstrumentId(Category.LINEAR, Symbol("ETHUSDT"))
SPOT_BTC = InstrumentId(Category.SPOT, Symbol("BTCUSDT"))
BTC_TICKER = Follow(ticker_topic(BTC))
SPOT_TICKER = Follow(ticker_topic(SPOT_BTC))
BTC_BOOK = Follow(book_topic(BTC, 50))
BTC_TRADES = Follow(trades_topic(BTC))
BTC_CANDLES = Follow(candles_topic(BTC, Interval.MINUTE_1))
EVERYTHING = (BTC_TICKER, BTC_BOOK, BTC_TRADES, BTC_CANDLES)
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


def book(sequence: int = 1, *, levels: int = 2, depth: int = 50, **changes: Any) -> OrderBook:
    usual = OrderBook(
        id=BTC,
        depth=depth,
        bids=tuple(Level(Decimal(64999) - n, Decimal(n + sequence)) for n in range(levels)),
        asks=tuple(Level(Decimal("65000.5") + n, Decimal("1.5")) for n in range(levels)),
        sequence=sequence,
        as_of=SINCE,
        stale=False,
        source=Source.SANDBOX,
    )
    return replace(usual, **changes)


def trade(number: int) -> Trade:
    side = Side.BUY if number % 2 else Side.SELL
    return Trade(f"t{number}", Decimal(65000) + number, Decimal("0.001"), side, SINCE)


def trades(*numbers: int, **changes: Any) -> Trades:
    usual = Trades(
        instrument=BTC,
        trades=tuple(trade(number) for number in numbers),
        dropped=0,
        as_of=SINCE,
        stale=False,
        source=Source.SANDBOX,
    )
    return replace(usual, **changes)


def candle(price: int = 65000, *, minute: int = 0, **changes: Any) -> Candle:
    usual = Candle(
        instrument=BTC,
        interval=Interval.MINUTE_1,
        start=SINCE + timedelta(minutes=minute),
        open_price=Decimal(65000),
        high_price=Decimal(66000),
        low_price=Decimal(64000),
        close_price=Decimal(price),
        volume=Decimal("12.5"),
        turnover=Decimal("812500.25"),
        confirmed=False,
        as_of=SINCE,
        stale=False,
        source=Source.SANDBOX,
    )
    return replace(usual, **changes)


def told(*updates: Update, rate: int = 10) -> list[Publication]:
    """What a feed says of them to those who follow at this rate."""
    return [Publication(Follow(topic_of(update), rate), update) for update in updates]


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


async def soon(values: AsyncGenerator[U, None], *, seconds: float = 15) -> U:
    async with asyncio.timeout(seconds):
        return await anext(values)


async def until_stale(values: AsyncGenerator[Update, None], *, stale: bool) -> Update:
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

    async def publish(self, *updates: Update) -> None:
        await self.send(told(*updates))

    async def send(self, publications: Sequence[Publication]) -> None:
        await self._publisher.publish(report(self.epoch, self.state), publications)

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
