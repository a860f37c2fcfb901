"""Reading order books: from what is followed when it is there, else from the venue."""

from collections.abc import AsyncGenerator
from dataclasses import replace

from domain.kernel.errors import BadInput
from domain.kernel.ids import InstrumentId
from domain.market.depth import OrderBook
from domain.market.errors import UnknownInstrument
from domain.market.ports import LiveMarket, VenueCatalogue
from domain.market.service import MarketData
from domain.market.topics import BOOK_DEPTHS, RATES, Follow, book_topic, rate_class
from domain.market.watching import only

DEPTH_MAX = BOOK_DEPTHS[-1]
DEPTH_DEFAULT = 50


class OrderBooks:
    """Books of known instruments, cut to the depth asked for."""

    def __init__(self, market: MarketData, live: LiveMarket, venue: VenueCatalogue) -> None:
        self._market = market
        self._live = live
        self._venue = venue

    async def book(
        self, instrument: InstrumentId, depth: int
    ) -> OrderBook | UnknownInstrument | BadInput:
        """The book now. Raises Unavailable, TimedOut, Rejected."""
        refused = await self._refusal(instrument, depth)
        if refused is not None:
            return refused
        topic = book_topic(instrument, depth)
        followed = (await self._live.latest([topic])).get(topic)
        if isinstance(followed, OrderBook) and not followed.stale:
            return cut(followed, depth)
        return await self._venue.order_book(instrument, depth)

    async def watch(
        self, instrument: InstrumentId, depth: int, per_second: int
    ) -> AsyncGenerator[OrderBook, None] | UnknownInstrument | BadInput:
        """Whole books, the newest at once, at most ``per_second``."""
        refused = await self._refusal(instrument, depth) or rate_refusal(per_second)
        if refused is not None:
            return refused
        follow = Follow(book_topic(instrument, depth), rate_class(per_second))
        return _cut_all(only(OrderBook, self._live.watch(follow)), depth)

    async def _refusal(
        self, instrument: InstrumentId, depth: int
    ) -> UnknownInstrument | BadInput | None:
        if not 1 <= depth <= DEPTH_MAX:
            return BadInput("depth", f"ask for 1 to {DEPTH_MAX} levels, not {depth}.")
        found = await self._market.instrument(instrument)
        return found if isinstance(found, UnknownInstrument) else None


def cut(book: OrderBook, depth: int) -> OrderBook:
    """The same book, no deeper than ``depth``."""
    return replace(book, depth=depth, bids=book.bids[:depth], asks=book.asks[:depth])


def rate_refusal(per_second: int) -> BadInput | None:
    """Why nobody can be told that often."""
    if 1 <= per_second <= RATES[-1]:
        return None
    return BadInput("maxPerSecond", f"ask for 1 to {RATES[-1]} values per second.")


async def _cut_all(
    books: AsyncGenerator[OrderBook, None], depth: int
) -> AsyncGenerator[OrderBook, None]:
    async for book in only(OrderBook, books):
        yield cut(book, depth)
