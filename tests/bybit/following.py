"""Reading a stream in a test: everything it sent, and waiting until something was."""

import asyncio
from collections.abc import AsyncIterator, Callable, Collection
from contextlib import asynccontextmanager

from adapters.bybit import BybitStreams, FeedMetrics, NullFeedMetrics, StreamTimings
from domain.kernel.ids import Category, InstrumentId, Symbol
from domain.market import (
    Candle,
    FeedBatch,
    FeedState,
    OrderBook,
    Ticker,
    Topic,
    Trades,
    Update,
    VenueStream,
    ticker_topic,
    topic_of,
)
from tests.bybit.venue import ScriptedVenue

QUICK = StreamTimings(
    connect_timeout_seconds=1,
    send_timeout_seconds=1,
    tick_seconds=0.01,
    ping_every_seconds=0.3,
    silent_after_seconds=0.8,
    ack_timeout_seconds=0.5,
    topic_silent_after_seconds=0.4,
    topic_patience_max_seconds=2,
    probe_timeout_seconds=0.2,
    refresh_gap_seconds=0.05,
    refresh_gap_max_seconds=0.4,
    rejected_retry_seconds=60,
    reconnect_first_seconds=0.025,
    reconnect_cap_seconds=0.4,
    stable_after_seconds=0.5,
    flush_every_seconds=0.01,
    batch_every_seconds=0.1,
)
"""About a tenth of the real intervals."""

A, B, C = Symbol("AUSDT"), Symbol("BUSDT"), Symbol("CUSDT")


class Counting(NullFeedMetrics):
    def __init__(self) -> None:
        self.dropped: list[str] = []
        self.disconnected: list[str] = []
        self.rejected = 0

    def frame_dropped(self, category: Category, reason: str) -> None:
        self.dropped.append(reason)

    def feed_disconnected(self, category: Category, reason: str) -> None:
        self.disconnected.append(reason)

    def topic_rejected(self, category: Category) -> None:
        self.rejected += 1


class Following:
    """What came so far."""

    def __init__(self, stream: VenueStream) -> None:
        self.stream = stream
        self.batches: list[FeedBatch] = []
        self._changed = asyncio.Event()

    async def read(self) -> None:
        async for batch in self.stream.batches():
            self.batches.append(batch)
            self._changed.set()

    @property
    def tickers(self) -> list[Ticker]:
        return [update for update in self.updates if isinstance(update, Ticker)]

    @property
    def updates(self) -> list[Update]:
        return [update for batch in self.batches for update in batch.updates]

    def of(self, topic: Topic) -> list[Update]:
        """Everything told of one topic."""
        return [update for update in self.updates if topic_of(update) == topic]

    def books(self, topic: Topic) -> list[OrderBook]:
        return [update for update in self.of(topic) if isinstance(update, OrderBook)]

    def trades(self, topic: Topic) -> list[Trades]:
        return [update for update in self.of(topic) if isinstance(update, Trades)]

    def candles(self, topic: Topic) -> list[Candle]:
        return [update for update in self.of(topic) if isinstance(update, Candle)]

    @property
    def states(self) -> list[FeedState]:
        """Each state once per stay."""
        states = [batch.state for batch in self.batches]
        return [s for i, s in enumerate(states) if i == 0 or states[i - 1] is not s]

    def newest(self, symbol: Symbol) -> Ticker | None:
        return next((t for t in reversed(self.tickers) if t.symbol == symbol), None)

    def live(self, symbol: Symbol) -> bool:
        newest = self.newest(symbol)
        return newest is not None and not newest.stale and self.batches[-1].state is FeedState.LIVE

    def stale(self, symbol: Symbol) -> bool:
        newest = self.newest(symbol)
        return newest is not None and newest.stale

    async def until(self, condition: Callable[[], bool], seconds: float = 10) -> None:
        async with asyncio.timeout(seconds):
            while not condition():
                self._changed.clear()
                await self._changed.wait()

    async def until_live(self, *symbols: Symbol) -> None:
        await self.until(lambda: all(self.live(symbol) for symbol in symbols))

    async def until_shown(self, *topics: Topic, stale: bool = False) -> None:
        """Until the newest value of each topic is, or is not, stale."""

        await self.until(lambda: all(self.of(t) and self.of(t)[-1].stale is stale for t in topics))

    def fresh(self, topic: Topic) -> bool:
        found = self.of(topic)
        return bool(found) and not found[-1].stale

    def forget(self) -> None:
        """Count anew, from the newest batch on."""
        del self.batches[:-1]


@asynccontextmanager
async def following(
    venue: ScriptedVenue,
    symbols: Collection[Symbol] = (A,),
    *,
    topics: Collection[Topic] = (),
    category: Category = Category.LINEAR,
    timings: StreamTimings = QUICK,
    metrics: FeedMetrics | None = None,
) -> AsyncIterator[Following]:
    streams = BybitStreams(venue.addresses, timings=timings, metrics=metrics or NullFeedMetrics())
    async with (
        streams.open(category) as stream,
        following_topics(stream, [*tickers_of(category, symbols), *topics]) as feed,
    ):
        yield feed


@asynccontextmanager
async def following_topics(
    stream: VenueStream, topics: Collection[Topic]
) -> AsyncIterator[Following]:
    async with asyncio.TaskGroup() as tasks:
        stream.want(topics)
        feed = Following(stream)
        reading = tasks.create_task(feed.read())
        yield feed
        reading.cancel()


def tickers_of(category: Category, symbols: Collection[Symbol]) -> list[Topic]:
    return [ticker_topic(InstrumentId(category, symbol)) for symbol in symbols]
