"""Everything one connection tells, merged per topic. One thread only: the reader's."""

from collections.abc import Collection, Sequence

from adapters.bybit.books import BookMerge
from adapters.bybit.merge import UNKNOWN_TOPIC, merge_of
from adapters.bybit.parse import Frame, Unusable
from adapters.bybit.tape import CandleMerge, TradeMerge
from adapters.bybit.wire_topics import (
    KLINE,
    ORDERBOOK,
    ORDERBOOK_1,
    TICKERS,
    TRADES,
    WIRE_INTERVALS,
    symbol_of,
)
from domain.kernel.ids import Category, InstrumentId
from domain.market import BOOK_DEPTHS, Source, Update

_INTERVALS = {wire: interval for interval, wire in WIRE_INTERVALS.items()}


class MarketMerge:
    """The state of every topic of a category."""

    def __init__(self, category: Category, source: Source) -> None:
        self._category = category
        self._source = source
        self._tickers = merge_of(category, source)
        self._books: dict[str, BookMerge] = {}
        self._tapes: dict[str, TradeMerge | CandleMerge] = {}

    def apply(self, frame: Frame, *, book_expected: bool = True) -> Sequence[Update] | Unusable:
        """Take a frame in; what is new by it, often one value, sometimes none.

        An Unusable that is not ``incomplete`` leaves a ticker as it was and a book unknown: only a
        fresh snapshot makes it right again. ``book_expected``: as TickerMerge says.
        """
        name = frame.topic
        if name.startswith((TICKERS, ORDERBOOK_1)):
            ticker = self._tickers.apply(frame, book_expected=book_expected)
            if isinstance(ticker, Unusable):
                return ticker
            return (ticker,) if ticker is not None else ()
        if name.startswith(ORDERBOOK):
            book = self._books.get(name) or self._new_book(name)
            found = book if isinstance(book, Unusable) else book.apply(frame)
            return found if isinstance(found, Unusable) else (found,)
        tape = self._tapes.get(name) or self._new_tape(name)
        return tape if isinstance(tape, Unusable) else tape.apply(frame)

    def forget(self, name: str) -> None:
        """The topic starts over: until its snapshot comes, nothing of it is known.

        Trades and candles have no snapshot; what was told of them is remembered.
        """
        self._tickers.forget(name)
        self._books.pop(name, None)

    def disconnected(self, *, followed: Collection[str]) -> None:
        """Forget what belonged to the connection, and everything nobody follows any more."""
        self._tickers.clear()
        self._books.clear()
        self._tapes = {name: tape for name, tape in self._tapes.items() if name in followed}

    def leave(self, name: str) -> None:
        """Nobody follows it any more."""
        self.forget(name)
        self._tapes.pop(name, None)

    def _new_book(self, name: str) -> BookMerge | Unusable:
        depth = name.split(".")[1]
        if depth not in map(str, BOOK_DEPTHS):
            return UNKNOWN_TOPIC
        book = self._books[name] = BookMerge(self._instrument(name), int(depth), self._source)
        return book

    def _new_tape(self, name: str) -> TradeMerge | CandleMerge | Unusable:
        tape: TradeMerge | CandleMerge
        if name.startswith(TRADES):
            tape = TradeMerge(self._instrument(name), self._source)
        elif name.startswith(KLINE) and (interval := _INTERVALS.get(name.split(".")[1])):
            tape = CandleMerge(self._instrument(name), interval, self._source)
        else:
            return UNKNOWN_TOPIC
        self._tapes[name] = tape
        return tape

    def _instrument(self, name: str) -> InstrumentId:
        return InstrumentId(self._category, symbol_of(name))
