"""Reading the market: the catalogue, the newest tickers, and watching one."""

from collections.abc import AsyncGenerator, Collection, Mapping, Sequence

from domain.kernel.cursor import CursorSigner
from domain.kernel.errors import BadInput
from domain.kernel.ids import Category, InstrumentId
from domain.kernel.page import Edge, Page, page_of, page_size
from domain.market.errors import TooManyInstruments, UnknownInstrument, near_matches
from domain.market.known import Catalogue
from domain.market.model import Instrument, Ticker
from domain.market.ports import LiveMarket, VenueCatalogue
from domain.market.search import ranked
from domain.market.topics import RATES, Follow, rate_class, ticker_topic
from domain.market.watching import merged, only

TICKERS_MAX = 100
SEARCH_CHARACTERS_MAX = 40


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
        return page_of(edges, after=after, more=len(rest) > size)

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

    async def all_tickers(
        self, category: Category, *, first: int, after: str | None
    ) -> Page[Ticker] | BadInput:
        """A page of a category's tickers, in the order of symbols; the venue is asked once."""
        page = await self.instruments(category, first=first, after=after)
        if isinstance(page, BadInput):
            return page
        newest = await self.newest([edge.node.id for edge in page.edges])
        edges = [
            Edge(newest[edge.node.id], edge.cursor) for edge in page.edges if edge.node.id in newest
        ]
        return Page(edges, page.page_info)

    async def search(
        self, text: str, category: Category | None, *, first: int
    ) -> Sequence[Instrument] | BadInput:
        """Instruments whose symbol or asset looks like ``text``, the likeliest first."""
        size = page_size(first)
        if isinstance(size, BadInput):
            return size
        if not text.strip() or len(text) > SEARCH_CHARACTERS_MAX:
            return BadInput("text", f"give 1 to {SEARCH_CHARACTERS_MAX} characters.")
        known: list[Instrument] = []
        for one in Category if category is None else (category,):
            known += (await self._catalogue.of_category(one)).values()
        return ranked(text, known)[:size]

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
        return only(Ticker, self._live.watch(Follow(ticker_topic(instrument))))

    async def watch_many(
        self, ids: Sequence[InstrumentId], per_second: int
    ) -> AsyncGenerator[Ticker, None] | UnknownInstrument | TooManyInstruments | BadInput:
        """Live tickers of many instruments, one at a time, each at most ``per_second``."""
        distinct = list(dict.fromkeys(ids))
        if not distinct:
            return BadInput("instruments", "name at least one.")
        if len(distinct) > TICKERS_MAX:
            return TooManyInstruments(len(distinct), TICKERS_MAX)
        if not 1 <= per_second <= RATES[-1]:
            return BadInput("maxPerSecond", f"ask for 1 to {RATES[-1]} values per second.")
        for instrument in distinct:
            found = await self.instrument(instrument)
            if isinstance(found, UnknownInstrument):
                return found
        rate = rate_class(per_second)
        follows = [Follow(ticker_topic(instrument), rate) for instrument in distinct]
        return merged([only(Ticker, self._live.watch(follow)) for follow in follows])


def _unknown(
    instrument: InstrumentId, known: Mapping[InstrumentId, Instrument]
) -> UnknownInstrument:
    return UnknownInstrument(instrument, near_matches(instrument.symbol, [i.symbol for i in known]))
