"""Reading the market: the catalogue, the newest tickers, and watching one."""

from collections.abc import AsyncGenerator, Collection, Mapping, Sequence
from contextlib import aclosing
from typing import TypeVar

from domain.kernel.clock import Clock
from domain.kernel.cursor import CursorSigner
from domain.kernel.errors import BadInput
from domain.kernel.failures import Unavailable
from domain.kernel.ids import Category, InstrumentId
from domain.kernel.page import Edge, Page, PageInfo, page_size
from domain.market.errors import TooManyInstruments, UnknownInstrument, near_matches
from domain.market.model import Instrument, Ticker
from domain.market.ports import Instruments, LiveMarket, VenueCatalogue
from domain.market.topics import Follow, ticker_topic
from domain.market.updates import Update

U = TypeVar("U")

TICKERS_MAX = 100
# The worker refreshes the catalogue hourly; a new listing is on every process a minute later.
CATALOGUE_AGE_MAX_SECONDS = 60.0
# An empty catalogue is a system that starts: look again soon.
EMPTY_CATALOGUE_AGE_MAX_SECONDS = 0.25


class Catalogue:
    """The instruments, kept in memory for a minute: a symbol is checked on every request."""

    def __init__(self, instruments: Instruments, clock: Clock) -> None:
        self._instruments = instruments
        self._clock = clock
        self._kept: dict[Category, tuple[float, dict[InstrumentId, Instrument]]] = {}

    async def of_category(self, category: Category) -> Mapping[InstrumentId, Instrument]:
        """All of a category by id, in the order of their symbols.

        Raises Unavailable while the catalogue has never been filled. When the database cannot be
        asked, what was kept is served however old: instruments change by the month.
        """
        kept = self._kept.get(category)
        now = self._clock.monotonic()
        if kept and now < kept[0]:
            return self._filled(kept[1])
        try:
            rows = await self._instruments.of_category(category)
        except Unavailable:
            if kept and kept[1]:
                return kept[1]
            raise
        found = {row.id: row for row in rows}
        age = CATALOGUE_AGE_MAX_SECONDS if found else EMPTY_CATALOGUE_AGE_MAX_SECONDS
        self._kept[category] = (now + age, found)
        return self._filled(found)

    def _filled(
        self, found: Mapping[InstrumentId, Instrument]
    ) -> Mapping[InstrumentId, Instrument]:
        if not found:
            raise Unavailable("instrument catalogue", retry_after_seconds=1)
        return found


class MarketData:
    """What anyone may read of the market."""

    def __init__(
        self,
        *,
        catalogue: Catalogue,
        live: LiveMarket,
        venue: VenueCatalogue,
        cursors: CursorSigner,
    ) -> None:
        self._catalogue = catalogue
        self._live = live
        self._venue = venue
        self._cursors = cursors

    async def instrument(self, instrument: InstrumentId) -> Instrument | UnknownInstrument:
        """One instrument, or what the caller may have meant."""
        known = await self._catalogue.of_category(instrument.category)
        return known.get(instrument) or _unknown(instrument, known)

    async def instruments_by_id(
        self, ids: Collection[InstrumentId]
    ) -> Mapping[InstrumentId, Instrument]:
        """Those that exist; each category is asked for once."""
        known: dict[InstrumentId, Instrument] = {}
        for category in {i.category for i in ids}:
            known.update(await self._catalogue.of_category(category))
        return {i: known[i] for i in ids if i in known}

    async def instruments(
        self, category: Category, *, first: int, after: str | None
    ) -> Page[Instrument] | BadInput:
        """A page of a category's catalogue, in the order of symbols."""
        size = page_size(first)
        if isinstance(size, BadInput):
            return size
        list_name = f"instruments.{category}"
        behind = self._cursors.open(list_name, after) if after is not None else ""
        if isinstance(behind, BadInput):
            return behind
        known = (await self._catalogue.of_category(category)).values()
        rest = [row for row in known if row.symbol > behind]
        edges = [Edge(row, self._cursors.sign(list_name, row.symbol)) for row in rest[:size]]
        return Page(edges, PageInfo(len(rest) > size, edges[-1].cursor if edges else None))

    async def ticker(self, instrument: InstrumentId) -> Ticker | UnknownInstrument | None:
        """The newest ticker of one instrument; None when the venue gives none."""
        found = await self.instrument(instrument)
        if isinstance(found, UnknownInstrument):
            return found
        return (await self.newest([instrument])).get(instrument)

    async def tickers(
        self, ids: Sequence[InstrumentId]
    ) -> Sequence[Ticker | None] | TooManyInstruments | UnknownInstrument:
        """The newest ticker of each, in the order asked for."""
        if len(ids) > TICKERS_MAX:
            return TooManyInstruments(len(ids), TICKERS_MAX)
        for instrument in ids:
            found = await self.instrument(instrument)
            if isinstance(found, UnknownInstrument):
                return found
        newest = await self.newest(ids)
        return [newest.get(i) for i in ids]

    async def newest(self, ids: Collection[InstrumentId]) -> Mapping[InstrumentId, Ticker]:
        """The newest tickers of known instruments; the venue is asked for what nobody follows."""
        known = await self._live.latest([ticker_topic(i) for i in ids])
        newest = {t.id: t for t in known.values() if isinstance(t, Ticker)}
        if missing := [i for i in ids if i not in newest]:
            newest.update(await self._venue.tickers(missing))
        return newest

    async def watch(
        self, instrument: InstrumentId
    ) -> AsyncGenerator[Ticker, None] | UnknownInstrument:
        """Live tickers of one instrument: the current one at once, then every change."""
        found = await self.instrument(instrument)
        if isinstance(found, UnknownInstrument):
            return found
        return _only(Ticker, self._live.watch(Follow(ticker_topic(instrument))))


async def _only(kind: type[U], updates: AsyncGenerator[Update, None]) -> AsyncGenerator[U, None]:
    """A topic's updates, known to be of one kind."""
    async with aclosing(updates):
        async for update in updates:
            if isinstance(update, kind):
                yield update


def _unknown(
    instrument: InstrumentId, known: Mapping[InstrumentId, Instrument]
) -> UnknownInstrument:
    return UnknownInstrument(instrument, near_matches(instrument.symbol, [i.symbol for i in known]))
