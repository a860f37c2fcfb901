"""Loaders: many look-ups of one tick become one call."""

from typing import cast

from aiodataloader import DataLoader

from domain.kernel.ids import InstrumentId
from domain.market import BookAsked, Instrument, MarketData, OrderBook, OrderBooks, Ticker


class Loaders:
    """One set per context.

    They batch and do not cache: a context of a WebSocket may live for hours, and a price that was
    right when the socket opened must not be served for the rest of its life.
    """

    def __init__(self, market: MarketData, books: OrderBooks) -> None:
        async def load_instruments(ids: list[InstrumentId]) -> list[Instrument | None]:
            found = await market.instruments_by_id(frozenset(ids))
            return [found.get(i) for i in ids]

        async def load_tickers(ids: list[InstrumentId]) -> list[Ticker | None]:
            found = await market.newest(frozenset(ids))
            return [found.get(i) for i in ids]

        async def load_books(asked: list[BookAsked]) -> list[OrderBook]:
            # A failure among the values is raised by load(): what comes out of it are books.
            return cast("list[OrderBook]", list(await books.books(asked)))

        self.book: DataLoader[BookAsked, OrderBook] = DataLoader(load_books, cache=False)
        self.instrument: DataLoader[InstrumentId, Instrument | None] = DataLoader(
            load_instruments, cache=False
        )
        self.ticker: DataLoader[InstrumentId, Ticker | None] = DataLoader(load_tickers, cache=False)
