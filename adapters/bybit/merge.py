"""Ticker state per symbol, built up from snapshots and deltas. One thread only: the reader's.

pybit's own merge is not used: it copies every message deeply, hands out its live state, and a delta
before its snapshot kills the connection.
"""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Protocol

from adapters.bybit.parse import (
    BestPrices,
    Frame,
    FrameKind,
    Unusable,
    best_prices_of,
    ticker_of,
    usable,
)
from adapters.bybit.wire import Fields, fields
from adapters.bybit.wire_topics import ORDERBOOK_1, TICKERS, symbol_of
from domain.kernel.ids import Category, InstrumentId, Symbol
from domain.market import Source, Ticker

DELTA_BEFORE_SNAPSHOT = Unusable("delta_before_snapshot")
UNKNOWN_TOPIC = Unusable("unknown_topic")


class TickerMerge(Protocol):
    """The state of all symbols of one category."""

    def apply(self, frame: Frame, *, book_expected: bool = True) -> Ticker | Unusable | None:
        """Take a frame in; the new ticker, None while a part of it is still to come.

        An Unusable that is not ``incomplete`` left the state as it was: only a fresh snapshot
        makes it right again. ``book_expected`` is False while the order book topic is silent or
        rejected: then a spot ticker does without its bid and ask.
        """
        ...

    def forget(self, topic: str) -> None:
        """The topic starts over: until its snapshot comes, nothing of it is known."""
        ...

    def clear(self) -> None:
        """Forget everything."""
        ...


def merge_of(category: Category, source: Source) -> TickerMerge:
    """The merge that fits a category's topics."""
    return LinearMerge(source) if category is Category.LINEAR else SpotMerge(source)


class LinearMerge:
    """``tickers.S`` of linear: a snapshot, then deltas that carry only what changed."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._values: dict[str, dict[str, object]] = {}

    def apply(self, frame: Frame, *, book_expected: bool = True) -> Ticker | Unusable | None:  # noqa: ARG002  # linear tickers carry their own bid and ask
        if not frame.topic.startswith(TICKERS):
            return UNKNOWN_TOPIC
        data = _fields(frame)
        if isinstance(data, Unusable):
            return data
        known = self._values.get(frame.topic)
        if frame.kind is FrameKind.SNAPSHOT:
            merged = dict(data)
        elif known is None:
            return DELTA_BEFORE_SNAPSHOT
        else:
            merged = {**known, **data}
        ticker = ticker_of(
            InstrumentId(Category.LINEAR, symbol_of(frame.topic)),
            merged,
            as_of=frame.sent_at,
            source=self._source,
        )
        if isinstance(ticker, Ticker) or ticker.incomplete:
            self._values[frame.topic] = merged
        return ticker

    def forget(self, topic: str) -> None:
        self._values.pop(topic, None)

    def clear(self) -> None:
        self._values.clear()


@dataclass(slots=True)
class _SpotParts:
    ticker: Ticker | None = None
    best: BestPrices | None = None
    best_at: datetime | None = None


class SpotMerge:
    """``tickers.S`` of spot has snapshots only and no bid or ask: those come from orderbook.1."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._parts: dict[Symbol, _SpotParts] = {}

    def apply(self, frame: Frame, *, book_expected: bool = True) -> Ticker | Unusable | None:
        if frame.kind is FrameKind.DELTA:
            return Unusable("delta_of_snapshot_topic")
        parts = self._parts.setdefault(symbol_of(frame.topic), _SpotParts())
        if frame.topic.startswith(ORDERBOOK_1):
            best = best_prices_of(frame.data)
            if isinstance(best, Unusable):
                return best
            parts.best, parts.best_at = best, frame.sent_at
        elif frame.topic.startswith(TICKERS):
            ticker = self._ticker(frame)
            if isinstance(ticker, Unusable):
                return ticker
            parts.ticker = ticker
        else:
            return UNKNOWN_TOPIC
        return _shown(parts, book_expected=book_expected)

    def _ticker(self, frame: Frame) -> Ticker | Unusable:
        data = _fields(frame)
        if isinstance(data, Unusable):
            return data
        return ticker_of(
            InstrumentId(Category.SPOT, symbol_of(frame.topic)),
            data,
            as_of=frame.sent_at,
            source=self._source,
            best=_NOBODY,
        )

    def forget(self, topic: str) -> None:
        parts = self._parts.get(symbol_of(topic))
        if parts is None:
            return
        if topic.startswith(ORDERBOOK_1):
            parts.best = parts.best_at = None
        else:
            parts.ticker = None
        if parts.ticker is None and parts.best is None:
            del self._parts[symbol_of(topic)]

    def clear(self) -> None:
        self._parts.clear()


def _fields(frame: Frame) -> Fields | Unusable:
    return usable(lambda: fields(frame.data, "data"))


_NOBODY = BestPrices(None, None, None, None)


def _shown(parts: _SpotParts, *, book_expected: bool) -> Ticker | None:
    if parts.ticker is None or (parts.best is None and book_expected):
        return None
    best = parts.best or _NOBODY
    return replace(
        parts.ticker,
        bid_price=best.bid_price,
        bid_size=best.bid_size,
        ask_price=best.ask_price,
        ask_size=best.ask_size,
        as_of=max(parts.ticker.as_of, parts.best_at or parts.ticker.as_of),
    )
