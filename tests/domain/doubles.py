"""Doubles of the domain's ports: small, honest, scripted by the test."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Collection, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from domain.kernel.failures import Failure
from domain.kernel.ids import AssetCode, Category, InstrumentId, Side, Symbol
from domain.market import (
    Candle,
    FeedBatch,
    FeedReport,
    FeedState,
    Follow,
    FundingRate,
    Instrument,
    InstrumentStatus,
    Interval,
    LeaseLost,
    Level,
    OpenInterest,
    OrderBook,
    Publication,
    Source,
    Ticker,
    Topic,
    Trade,
    Trades,
    Update,
    topic_of,
)

NOON = datetime(2026, 1, 31, 12, tzinfo=UTC)


class ManualClock:
    """Stands still until told."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def now(self) -> datetime:
        return NOON + timedelta(seconds=self.seconds)

    def monotonic(self) -> float:
        return self.seconds


def linear(symbol: str) -> InstrumentId:
    return InstrumentId(Category.LINEAR, Symbol(symbol))


def instrument(symbol: str, category: Category = Category.LINEAR) -> Instrument:
    return Instrument(
        id=InstrumentId(category, Symbol(symbol)),
        base_asset=AssetCode(symbol.removesuffix("USDT")),
        quote_asset=AssetCode("USDT"),
        settle_asset=AssetCode("USDT") if category is Category.LINEAR else None,
        status=InstrumentStatus.TRADING,
        tick_size=Decimal("0.1"),
        quantity_step=Decimal("0.001"),
        min_quantity=Decimal("0.001"),
        max_quantity=Decimal(100),
        min_notional=Decimal(5),
        max_leverage=Decimal(100),
        funding_interval_minutes=480,
        launched_at=NOON,
    )


def ticker(symbol: str, price: str = "100", *, stale: bool = False) -> Ticker:
    one = Decimal(1)
    return Ticker(
        id=linear(symbol), last_price=Decimal(price), bid_price=one, bid_size=one, ask_price=one,
        ask_size=one, high_price_24h=one, low_price_24h=one, previous_price_24h=one,
        change_24h=one, volume_24h=one, turnover_24h=one, mark_price=None, index_price=None,
        open_interest=None, funding_rate=None, next_funding_at=None, as_of=NOON, stale=stale,
        source=Source.SANDBOX,
    )  # fmt: skip


def repriced(before: Ticker, price: str) -> Ticker:
    return replace(before, last_price=Decimal(price))


def level(price: str, quantity: str) -> Level:
    return Level(Decimal(price), Decimal(quantity))


def book(symbol: str, *, depth: int = 50, sequence: int = 1, stale: bool = False) -> OrderBook:
    """Three levels a side around 100, one tick apart, with 1, 2 and 3 resting."""
    return OrderBook(
        id=linear(symbol),
        depth=depth,
        bids=(level("99.9", "1"), level("99.8", "2"), level("99.7", "3")),
        asks=(level("100.1", "1"), level("100.2", "2"), level("100.3", "3")),
        sequence=sequence,
        as_of=NOON,
        stale=stale,
        source=Source.SANDBOX,
    )


def trades(symbol: str, *ids: int, dropped: int = 0) -> Trades:
    return Trades(
        instrument=linear(symbol),
        trades=tuple(Trade(str(i), Decimal(i + 1), Decimal(1), Side.BUY, NOON) for i in ids),
        dropped=dropped,
        as_of=NOON,
        stale=False,
        source=Source.SANDBOX,
    )


def candle(
    symbol: str,
    close: str,
    *,
    minute: int = 0,
    confirmed: bool = False,
    interval: Interval = Interval.MINUTE_1,
) -> Candle:
    price = Decimal(close)
    return Candle(
        instrument=linear(symbol), interval=interval, start=NOON + timedelta(minutes=minute),
        open_price=price, high_price=price, low_price=price, close_price=price,
        volume=Decimal(1), turnover=price, confirmed=confirmed, as_of=NOON, stale=False,
        source=Source.SANDBOX,
    )  # fmt: skip


class ListedInstruments:
    """A catalogue in memory that counts and can fail."""

    def __init__(self, *rows: Instrument) -> None:
        self.rows = list(rows)
        self.calls = 0
        self.failure: Failure | None = None

    async def of_category(self, category: Category) -> Sequence[Instrument]:
        self.calls += 1
        if self.failure:
            raise self.failure
        return [row for row in self.rows if row.category is category]

    async def replace(self, category: Category, found: Sequence[Instrument]) -> int:
        self.rows = [r for r in self.rows if r.category is not category] + list(found)
        return len(found)


class KnownMarket:
    """A live market that is what the test says; remembers what was watched."""

    def __init__(self, *known: Update) -> None:
        self.known: dict[Topic, Update] = {topic_of(update): update for update in known}
        self.watched: list[Follow] = []

    async def latest(self, topics: Collection[Topic]) -> Mapping[Topic, Update]:
        return {topic: self.known[topic] for topic in topics if topic in self.known}

    async def watch(self, follow: Follow) -> AsyncGenerator[Update, None]:
        self.watched.append(follow)
        if follow.topic in self.known:
            yield self.known[follow.topic]


class Venue:
    """The venue's REST side; counts what it is asked."""

    def __init__(self, *known: Ticker, lists: Sequence[Instrument] = ()) -> None:
        self.known = {t.id: t for t in known}
        self.lists = lists
        self.asked: list[frozenset[InstrumentId]] = []
        self.calls: list[tuple[object, ...]] = []
        self.failure: Failure | None = None

    async def instruments(self, category: Category) -> Sequence[Instrument]:
        return [row for row in self.lists if row.category is category]

    async def clock_offset_seconds(self) -> float:
        return 0.0

    async def tickers(self, ids: Collection[InstrumentId]) -> Mapping[InstrumentId, Ticker]:
        self.asked.append(frozenset(ids))
        return {i: self.known[i] for i in ids if i in self.known}

    async def order_book(self, instrument: InstrumentId, depth: int) -> OrderBook:
        self.calls.append(("order_book", instrument, depth))
        if self.failure is not None:
            raise self.failure
        return book(instrument.symbol, depth=depth, sequence=1)

    async def recent_trades(self, instrument: InstrumentId, limit: int) -> Trades:
        self.calls.append(("recent_trades", instrument, limit))
        return trades(instrument.symbol, *range(limit))

    async def candles(
        self, instrument: InstrumentId, interval: Interval, *, start: datetime, end: datetime
    ) -> Sequence[Candle]:
        self.calls.append(("candles", instrument, interval, start, end))
        return [candle(instrument.symbol, "1", interval=interval)]

    async def funding_rates(
        self, instrument: InstrumentId, *, start: datetime, end: datetime, limit: int
    ) -> Sequence[FundingRate]:
        self.calls.append(("funding_rates", instrument, start, end, limit))
        return [FundingRate(instrument, Decimal("0.0001"), start)]

    async def open_interest(
        self, instrument: InstrumentId, interval: Interval, *, start: datetime, end: datetime
    ) -> Sequence[OpenInterest]:
        self.calls.append(("open_interest", instrument, interval, start, end))
        return [OpenInterest(instrument, Decimal(5), start)]


class ScriptedStream:
    """A venue stream whose batches the test sends."""

    def __init__(self) -> None:
        self.sent: asyncio.Queue[FeedBatch] = asyncio.Queue()
        self.wanted: asyncio.Queue[frozenset[Topic]] = asyncio.Queue()
        self.open = False

    def want(self, topics: Collection[Topic]) -> None:
        self.wanted.put_nowait(frozenset(topics))

    async def batches(self) -> AsyncIterator[FeedBatch]:
        while True:
            yield await self.sent.get()


class ScriptedStreams:
    def __init__(self) -> None:
        self.stream = ScriptedStream()
        self.opened = 0

    @asynccontextmanager
    async def open(self, category: Category) -> AsyncIterator[ScriptedStream]:
        self.opened += 1
        self.stream.open = True
        try:
            yield self.stream
        finally:
            self.stream.open = False


class OneLease:
    def __init__(self, epoch: int) -> None:
        self.epoch = epoch
        self.lost = False
        self.released = asyncio.Event()

    async def renew(self) -> None:
        if self.lost:
            raise LeaseLost

    async def release(self) -> None:
        self.released.set()


class LeaseOffice:
    """Gives the lease while ``free``; each one with a larger epoch."""

    def __init__(self) -> None:
        self.free = True
        self.given: list[OneLease] = []

    async def try_acquire(self, name: str) -> OneLease | None:
        if not self.free:
            return None
        self.given.append(OneLease(len(self.given) + 1))
        return self.given[-1]


class Published:
    """A publisher that remembers, and can be away or fenced."""

    def __init__(self) -> None:
        self.batches: asyncio.Queue[tuple[FeedReport, Sequence[Publication]]] = asyncio.Queue()
        self.away: Exception | None = None
        self.wants: frozenset[Follow] = frozenset()
        self.refused = asyncio.Event()

    async def publish(self, report: FeedReport, publications: Sequence[Publication]) -> None:
        if self.away:
            self.refused.set()
            raise self.away
        await self.batches.put((report, publications))

    async def wanted(self, category: Category) -> frozenset[Follow]:
        return self.wants


LIVE = FeedState.LIVE
