"""The public feed of one category: the domain's VenueStream over a guarded stream.

The reader thread merges a frame into values and puts each into its topic's slot; the loop is woken
at most once per batch, however many frames come (measured: 100 000 in, 725 delivered, 0.5 us each
instead of 4.2 for a wake-up per frame).
"""

import asyncio
import threading
import time
from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import structlog

from adapters.bybit.config import BybitAddresses
from adapters.bybit.logs import LogGate
from adapters.bybit.market_merge import MarketMerge
from adapters.bybit.metrics import FeedMetrics, NullFeedMetrics
from adapters.bybit.pacing import ConnectLimit
from adapters.bybit.parse import Unusable, frame_of
from adapters.bybit.stream import GuardedStream
from adapters.bybit.timings import STREAM_TIMINGS, StreamTimings
from adapters.bybit.wire_topics import (
    ORDERBOOK_1,
    has_snapshots,
    is_book,
    served_by,
    symbol_of,
    wire_topics_of,
)
from domain.kernel.ids import Category
from domain.market import (
    FeedBatch,
    FeedState,
    OrderBook,
    Slot,
    Topic,
    Trades,
    Update,
    VenueStream,
    topic_of,
)

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
        self._merge = MarketMerge(category, addresses.source)
        self._out_of_order: set[str] = set()  # the venue's topics that are silent or rejected
        # Shared between the reader and the loop, under the lock.
        self._lock = threading.Lock()
        self._topics: frozenset[Topic] = frozenset()
        self._served: Mapping[str, tuple[Topic, ...]] = {}
        self._newest: dict[Topic, Update] = {}
        self._slots: dict[Topic, Slot] = {}
        self._state = FeedState.STARTING
        self._woken = False
        self._wake = asyncio.Event()

    # -- the loop's side -----------------------------------------------------------------------

    def want(self, topics: Collection[Topic]) -> None:
        wanted = frozenset(topics)
        if wanted == self._topics:
            return
        if strangers := {t for t in wanted if t.instrument.category is not self._category}:
            raise ValueError(f"not of category {self._category}: {strangers}")
        served = served_by(wanted)
        with self._lock:
            dropped = self._topics - wanted
            self._topics, self._served = wanted, served
            # Nobody follows these any more: the last value that was published says so.
            for topic in dropped:
                self._mark_stale(topic)
                self._newest.pop(topic, None)
        if self._stream is not None:
            self._stream.follow(sorted(served), self._take)

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
            slots, self._slots = self._slots, {}
            self._woken = False
            self._wake.clear()
            state = self._state
        updates = tuple(update for slot in slots.values() for update in slot.take())
        return FeedBatch(state, updates)

    # -- the reader's side ---------------------------------------------------------------------

    def connection_changed(self, state: FeedState) -> None:
        """StreamListener: whatever was merged belongs to the connection that is gone."""
        self._merge.disconnected(followed=self._served.keys())
        self._out_of_order.clear()
        with self._lock:
            left_live = self._state is FeedState.LIVE and state is not FeedState.LIVE
            self._state = state
            for topic in self._newest if left_live else ():
                self._mark_stale(topic)
            self._call_loop()

    def topic_asked(self, topic: str) -> None:
        """StreamListener: deltas of before do not fit the snapshot to come."""
        self._merge.forget(topic)

    def topic_left(self, topic: str) -> None:
        """StreamListener: either for good, or to be asked anew."""
        self._merge.leave(topic)

    def topic_silent(self, topic: str) -> None:
        """StreamListener: one topic says nothing although the connection lives."""
        self._out_of_order.add(topic)
        self._all_stale(topic)

    topic_rejected = topic_silent

    def _take(self, message: dict[str, Any]) -> None:
        frame = frame_of(message)
        if isinstance(frame, Unusable):
            self._drop(frame, str(message.get("topic")))
            return
        self._out_of_order.discard(frame.topic)
        book_silent = f"{ORDERBOOK_1}{symbol_of(frame.topic)}" in self._out_of_order
        found = self._merge.apply(frame, book_expected=not book_silent)
        if isinstance(found, Unusable):
            self._drop(found, frame.topic)
        elif found:
            self._offer(found)

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
        if why.incomplete or self._stream is None or not has_snapshots(topic):
            return
        if is_book(topic):
            self._all_stale(topic)  # what was shown last is not the market any more
        self._stream.resubscribe(topic)

    def _offer(self, updates: Sequence[Update]) -> None:
        with self._lock:
            for update in updates:
                topic = topic_of(update)
                if topic not in self._topics:
                    continue  # it was dropped while this was merged
                if not self._out_of_order.isdisjoint(wire_topics_of(topic)):
                    update = replace(update, stale=True)  # noqa: PLW2901
                if not _is_repeated(update, self._newest.get(topic)):
                    self._put(topic, update)

    # -- under the lock, or taking it ----------------------------------------------------------

    def _all_stale(self, wire_topic: str) -> None:
        with self._lock:
            for topic in self._served.get(wire_topic, ()):
                self._mark_stale(topic)

    def _mark_stale(self, topic: Topic) -> None:
        known = self._newest.get(topic)
        if known is None or known.stale:
            return
        if isinstance(known, Trades):
            known = replace(known, trades=(), dropped=0)  # those were told
        self._put(topic, replace(known, stale=True))

    def _put(self, topic: Topic, update: Update) -> None:
        self._newest[topic] = update
        self._slots.setdefault(topic, Slot()).put(update)
        self._call_loop()

    def _call_loop(self) -> None:
        if self._woken:
            return
        self._woken = True
        try:
            self._loop.call_soon_threadsafe(self._wake.set)
        except RuntimeError:
            pass  # the loop is closed: nobody is left to tell


def _is_repeated(update: Update, known: Update | None) -> bool:
    """Whether it is the book that was shown last: a snapshot asked for again often is."""
    return (
        isinstance(update, OrderBook)
        and isinstance(known, OrderBook)
        and (update.sequence, update.stale) == (known.sequence, known.stale)
        and (update.bids, update.asks) == (known.bids, known.asks)
    )
