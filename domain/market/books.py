"""Reading order books: from what is followed when it is there, else from the venue."""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass, replace

from domain.kernel.errors import BadInput
from domain.kernel.failures import Failure
from domain.kernel.ids import InstrumentId
from domain.market.depth import OrderBook
from domain.market.errors import UnknownInstrument
from domain.market.ports import LiveMarket, VenueCatalogue
from domain.market.service import MarketData
from domain.market.topics import BOOK_DEPTHS, RATES, Follow, book_topic, rate_class
from domain.market.watching import only

DEPTH_MAX = BOOK_DEPTHS[-1]
DEPTH_DEFAULT = 50


@dataclass(frozen=True, slots=True)
class BookAsked:
    """One book somebody wants to read: 1 to 200 levels."""

    instrument: InstrumentId
    depth: int


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
        (found,) = await self.books([BookAsked(instrument, depth)])
        if isinstance(found, Failure):
            raise found
        return found

    async def books(self, asked: Sequence["BookAsked"]) -> Sequence[OrderBook | Failure]:
        """Books of known instruments, in the order asked for.

        One look for all that are followed; the venue has no way to ask for several, so the rest
        is asked side by side, and what fails there stands in its place and spoils no other.
        """
        topics = [book_topic(one.instrument, one.depth) for one in asked]
        followed = await self._live.latest(topics)

        async def found(one: BookAsked) -> OrderBook | Failure:
            known = followed.get(book_topic(one.instrument, one.depth))
            if isinstance(known, OrderBook) and not known.stale:
                return cut(known, one.depth)
            try:
                return await self._venue.order_book(one.instrument, one.depth)
            except Failure as failure:
                return failure

        return await asyncio.gather(*map(found, asked))

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
        refused = depth_refusal(depth)
        if refused is not None:
            return refused
        found = await self._market.instrument(instrument)
        return found if isinstance(found, UnknownInstrument) else None


def cut(book: OrderBook, depth: int) -> OrderBook:
    """The same book, no deeper than ``depth``."""
    return replace(book, depth=depth, bids=book.bids[:depth], asks=book.asks[:depth])


def depth_refusal(depth: int) -> BadInput | None:
    """Why there is no book of that depth."""
    if 1 <= depth <= DEPTH_MAX:
        return None
    return BadInput("depth", f"ask for 1 to {DEPTH_MAX} levels, not {depth}.")


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
