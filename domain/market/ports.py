"""What the market domain needs of the world."""

from collections.abc import AsyncGenerator, AsyncIterator, Collection, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from domain.kernel.ids import Category, InstrumentId
from domain.market.conflation import Publication
from domain.market.depth import OrderBook
from domain.market.intervals import Interval
from domain.market.model import FeedReport, FeedState, Instrument, Ticker
from domain.market.tape import Candle, FundingRate, OpenInterest, Trades
from domain.market.topics import Follow, Topic
from domain.market.updates import Update


class Instruments(Protocol):
    """The catalogue, as the database keeps it."""

    async def of_category(self, category: Category) -> Sequence[Instrument]:
        """All instruments of a category, by symbol. Raises Unavailable, TimedOut."""
        ...

    async def replace(self, category: Category, found: Sequence[Instrument]) -> int:
        """Make the catalogue of ``category`` what the venue says; returns how many rows changed.

        What the venue no longer lists is kept with status CLOSED: orders of the past refer to it.
        """
        ...


class VenueCatalogue(Protocol):
    """What the venue lists, and what time it thinks it is."""

    async def instruments(self, category: Category) -> Sequence[Instrument]:
        """Everything the venue lists in a category. Raises Unavailable, TimedOut, Rejected."""
        ...

    async def clock_offset_seconds(self) -> float:
        """The venue's clock minus ours, half the round trip taken off. Raises as above."""
        ...

    async def tickers(self, ids: Collection[InstrumentId]) -> Mapping[InstrumentId, Ticker]:
        """One REST snapshot each; unknown ones are left out. Raises as above."""
        ...

    async def order_book(self, instrument: InstrumentId, depth: int) -> OrderBook:
        """The book now, 1 to 200 levels. Raises as above."""
        ...

    async def recent_trades(self, instrument: InstrumentId, limit: int) -> Trades:
        """The last trades, oldest first; spot gives at most 60, others 1000. Raises as above."""
        ...

    async def candles(
        self, instrument: InstrumentId, interval: Interval, *, start: datetime, end: datetime
    ) -> Sequence[Candle]:
        """Candles that begin in [start, end), oldest first, at most 1000. Raises as above."""
        ...

    async def funding_rates(
        self, instrument: InstrumentId, *, start: datetime, end: datetime, limit: int
    ) -> Sequence[FundingRate]:
        """Settled funding in [start, end], newest first, at most 200. Raises as above."""
        ...

    async def open_interest(
        self, instrument: InstrumentId, interval: Interval, *, start: datetime, end: datetime
    ) -> Sequence[OpenInterest]:
        """Open interest in [start, end], newest first, at most 200.

        ``interval``: MINUTE_5, MINUTE_15, MINUTE_30, HOUR_1, HOUR_4 or DAY_1. Raises as above.
        """
        ...


class LiveMarket(Protocol):
    """The newest of everything followed, as every process of the platform sees it."""

    async def latest(self, topics: Collection[Topic]) -> Mapping[Topic, Update]:
        """What is known now; never asks the venue. Raises Unavailable, TimedOut."""
        ...

    def watch(self, follow: Follow) -> AsyncGenerator[Update, None]:
        """The newest value at once, then every change, at most ``follow.rate`` a second.

        A slow reader gets what a ``Slot`` keeps for it. Values never go back in time. A change of
        ``stale`` is a change.
        """
        ...


class FeedReports(Protocol):
    """What the feeds say of themselves."""

    def reports(self) -> Mapping[Category, FeedReport]:
        """The newest report heard per category; one not heard lately is shown DISCONNECTED."""
        ...


@dataclass(frozen=True, slots=True)
class FeedBatch:
    """What changed since the batch before, per topic what a ``Slot`` keeps."""

    state: FeedState
    updates: Sequence[Update]


class VenueStream(Protocol):
    """One living connection to the venue's public stream of one category."""

    def want(self, topics: Collection[Topic]) -> None:
        """Follow exactly these from now on. Returns at once; never blocks the loop."""
        ...

    def batches(self) -> AsyncIterator[FeedBatch]:
        """Conflated changes, the first one soon, then at least one batch every half second.

        Never ends by itself and never raises for a broken connection: it reconnects and says so in
        ``state``. What fell silent comes once more, marked stale. A book of a depth is whole in
        every update; a book that was gapped or crossed is not shown until it is sound again.
        """
        ...


class VenueStreams(Protocol):
    """Opens streams."""

    def open(self, category: Category) -> AbstractAsyncContextManager[VenueStream]: ...


class LeaseLost(Exception):
    """Somebody else leads now; whatever was about to be published must not be."""


class Lease(Protocol):
    """Leadership over one thing, for a limited time."""

    @property
    def epoch(self) -> int:
        """Grows with every change of leader."""
        ...

    async def renew(self) -> None:
        """Raises LeaseLost, Unavailable, TimedOut."""
        ...

    async def release(self) -> None: ...


class Leases(Protocol):
    """Hands out leadership."""

    async def try_acquire(self, name: str) -> Lease | None:
        """None while somebody else holds it. Raises Unavailable, TimedOut."""
        ...


class FeedPublisher(Protocol):
    """Where a leading feed puts what it hears."""

    async def publish(self, report: FeedReport, publications: Sequence[Publication]) -> None:
        """Store and announce atomically, fenced by ``report.epoch``, in this order.

        Raises LeaseLost when a newer leader has published, Unavailable, TimedOut.
        """
        ...

    async def wanted(self, category: Category) -> frozenset[Follow]:
        """What watchers anywhere want to see followed. Raises Unavailable, TimedOut."""
        ...
