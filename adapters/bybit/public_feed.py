"""The public feed of one category: the domain's VenueStream over a guarded stream.

The reader thread merges a frame into a ticker and puts it into its symbol's slot; the loop is woken
at most once per batch, however many frames come (measured: 100 000 in, 725 delivered, 0.5 us each
instead of 4.2 for a wake-up per frame).
"""

import asyncio
import threading
import time
from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import structlog

from adapters.bybit.config import BybitAddresses
from adapters.bybit.logs import LogGate
from adapters.bybit.merge import ORDERBOOK_1, TICKERS, merge_of, symbol_of
from adapters.bybit.metrics import FeedMetrics, NullFeedMetrics
from adapters.bybit.pacing import ConnectLimit
from adapters.bybit.parse import Unusable, frame_of
from adapters.bybit.stream import GuardedStream
from adapters.bybit.timings import STREAM_TIMINGS, StreamTimings
from domain.kernel.ids import Category, Symbol
from domain.market import FeedBatch, FeedState, Ticker, VenueStream

log = structlog.get_logger()

_NULL_METRICS = NullFeedMetrics()


class BybitStreams:
    """Implements domain.market.VenueStreams: opens one connection per category and leader."""

    def __init__(
        self,
        addresses: BybitAddresses,
        *,
        metrics: FeedMetrics = _NULL_METRICS,
        timings: StreamTimings = STREAM_TIMINGS,
    ) -> None:
        self._addresses = addresses
        self._metrics = metrics
        self._timings = timings
        self._connects = ConnectLimit()

    @asynccontextmanager
    async def open(self, category: Category) -> AsyncIterator[VenueStream]:
        """A stream that dials at once. Leaving ends its thread, within two seconds."""
        feed = PublicFeed(
            self._addresses,
            category,
            connects=self._connects,
            metrics=self._metrics,
            timings=self._timings,
        )
        await asyncio.to_thread(feed.start)
        try:
            yield feed
        finally:
            # In a thread of its own, so that a second cancellation leaves it to end by itself.
            await asyncio.to_thread(feed.close)


class PublicFeed:
    """Implements domain.market.VenueStream, and hears the stream as its StreamListener."""

    def __init__(
        self,
        addresses: BybitAddresses,
        category: Category,
        *,
        connects: ConnectLimit,
        metrics: FeedMetrics,
        timings: StreamTimings,
    ) -> None:
        self._addresses = addresses
        self._category = category
        self._connects = connects
        self._metrics = metrics
        self._timings = timings
        self._loop = asyncio.get_running_loop()
        self._gate = LogGate()
        self._stream: GuardedStream | None = None
        # The reader's own: nobody else touches these two.
        self._merge = merge_of(category, addresses.source)
        self._out_of_order: set[str] = set()  # topics silent or rejected
        # Shared between the reader and the loop, under the lock.
        self._lock = threading.Lock()
        self._symbols: frozenset[Symbol] = frozenset()
        self._newest: dict[Symbol, Ticker] = {}
        self._slots: dict[Symbol, Ticker] = {}
        self._state = FeedState.STARTING
        self._woken = False
        self._wake = asyncio.Event()

    # -- the loop's side -----------------------------------------------------------------------

    def want(self, symbols: Collection[Symbol]) -> None:
        wanted = frozenset(symbols)
        with self._lock:
            added, dropped = wanted - self._symbols, self._symbols - wanted
            self._symbols = wanted
            # Nobody follows these any more: the last price that was published says so.
            for symbol in dropped:
                self._mark_stale(symbol)
                self._newest.pop(symbol, None)
        stream = self._stream
        if stream is None or not (added or dropped):
            return
        for symbol in dropped:
            for topic in self._topics(symbol):
                stream.unsubscribe(topic)
        if added:
            stream.ticker_stream(sorted(added), self._take)
            if self._category is Category.SPOT:
                stream.orderbook_stream(1, sorted(added), self._take)

    async def batches(self) -> AsyncIterator[FeedBatch]:
        yield self._gather()
        while True:
            try:
                async with asyncio.timeout(self._timings.batch_every_seconds):
                    await self._wake.wait()
            except TimeoutError:
                pass  # nothing changed: an empty batch says that we live
            else:
                await asyncio.sleep(self._timings.flush_every_seconds)
            yield self._gather()

    def start(self) -> None:
        """Begin to dial. Off the loop: pybit's constructor is not trusted there."""
        self._stream = GuardedStream(
            self._addresses.public_stream_url(self._category),
            category=self._category,
            listener=self,
            timings=self._timings,
            connects=self._connects,
            metrics=self._metrics,
        )

    def close(self) -> None:
        """End the reader thread. Off the loop: it waits."""
        if self._stream is not None:
            self._stream.exit()

    def _gather(self) -> FeedBatch:
        with self._lock:
            tickers, self._slots = tuple(self._slots.values()), {}
            self._woken = False
            self._wake.clear()
            return FeedBatch(self._state, tickers)

    # -- the reader's side ---------------------------------------------------------------------

    def connection_changed(self, state: FeedState) -> None:
        """StreamListener: whatever was merged belongs to the connection that is gone."""
        self._merge.clear()
        self._out_of_order.clear()
        with self._lock:
            left_live = self._state is FeedState.LIVE and state is not FeedState.LIVE
            self._state = state
            for symbol in self._newest if left_live else ():
                self._mark_stale(symbol)
            self._call_loop()

    def topic_asked(self, topic: str) -> None:
        """StreamListener: deltas of before do not fit the snapshot to come."""
        self._merge.forget(topic)

    def topic_silent(self, topic: str) -> None:
        """StreamListener: one topic says nothing although the connection lives."""
        self._out_of_order.add(topic)
        with self._lock:
            self._mark_stale(symbol_of(topic))
            self._call_loop()

    topic_rejected = topic_silent

    def _take(self, message: dict[str, Any]) -> None:
        frame = frame_of(message)
        if isinstance(frame, Unusable):
            self._drop(frame, str(message.get("topic")))
            return
        self._out_of_order.discard(frame.topic)
        symbol = symbol_of(frame.topic)
        book_silent = f"{ORDERBOOK_1}{symbol}" in self._out_of_order
        found = self._merge.apply(frame, book_expected=not book_silent)
        if isinstance(found, Unusable):
            self._drop(found, frame.topic)
        elif found is not None:
            stale = any(topic in self._out_of_order for topic in self._topics(symbol))
            self._offer(replace(found, stale=True) if stale else found)

    def _drop(self, why: Unusable, topic: str) -> None:
        self._metrics.frame_dropped(self._category, why.reason)
        if (suppressed := self._gate.admit(why.reason, time.monotonic())) is not None:
            log.warning(
                "frame_unusable",
                category=self._category,
                topic=topic[:80],
                reason=why.reason,
                suppressed=suppressed,
            )
        if not why.incomplete and self._stream is not None:
            self._stream.resubscribe(topic)

    def _offer(self, ticker: Ticker) -> None:
        with self._lock:
            if ticker.symbol in self._symbols:  # else it was dropped while this was merged
                self._newest[ticker.symbol] = self._slots[ticker.symbol] = ticker
                self._call_loop()

    # -- under the lock ------------------------------------------------------------------------

    def _mark_stale(self, symbol: Symbol) -> None:
        ticker = self._newest.get(symbol)
        if ticker is not None and not ticker.stale:
            self._newest[symbol] = self._slots[symbol] = replace(ticker, stale=True)

    def _call_loop(self) -> None:
        if self._woken:
            return
        self._woken = True
        try:
            self._loop.call_soon_threadsafe(self._wake.set)
        except RuntimeError:
            pass  # the loop is closed: nobody is left to tell

    def _topics(self, symbol: Symbol) -> tuple[str, ...]:
        book = (f"{ORDERBOOK_1}{symbol}",) if self._category is Category.SPOT else ()
        return (f"{TICKERS}{symbol}", *book)
