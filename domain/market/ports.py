"""What the market domain needs of the world."""

from collections.abc import AsyncGenerator, AsyncIterator, Collection, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Protocol

from domain.kernel.ids import Category, InstrumentId, Symbol
from domain.market.model import FeedReport, FeedState, Instrument, Ticker


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


class LiveTickers(Protocol):
    """The newest tickers as every process of the platform sees them."""

    async def latest(self, ids: Collection[InstrumentId]) -> Mapping[InstrumentId, Ticker]:
        """What is known now; never asks the venue. Raises Unavailable, TimedOut."""
        ...

    def watch(self, instrument: InstrumentId) -> AsyncGenerator[Ticker, None]:
        """The newest value at once, then every change, conflated for a slow reader.

        Values never go back in time. A change of ``stale`` is a change.
        """
        ...


class FeedReports(Protocol):
    """What the feeds say of themselves."""

    def reports(self) -> Mapping[Category, FeedReport]:
        """The newest report heard per category; one not heard lately is shown DISCONNECTED."""
        ...


@dataclass(frozen=True, slots=True)
class FeedBatch:
    """What changed since the batch before: at most one ticker per instrument, the newest."""

    state: FeedState
    tickers: Sequence[Ticker]


class VenueStream(Protocol):
    """One living connection to the venue's public stream of one category."""

    def want(self, symbols: Collection[Symbol]) -> None:
        """Follow exactly these from now on. Returns at once; never blocks the loop."""
        ...

    def batches(self) -> AsyncIterator[FeedBatch]:
        """Conflated changes, the first one soon, then at least one batch every half second.

        Never ends by itself and never raises for a broken connection: it reconnects and says so in
        ``state``. Tickers whose stream fell silent come once more, marked stale.
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

    async def publish(self, report: FeedReport, tickers: Sequence[Ticker]) -> None:
        """Store and announce atomically, fenced by ``report.epoch``.

        Raises LeaseLost when a newer leader has published, Unavailable, TimedOut.
        """
        ...

    async def wanted(self, category: Category) -> frozenset[Symbol]:
        """What watchers anywhere want to see followed. Raises Unavailable, TimedOut."""
        ...
