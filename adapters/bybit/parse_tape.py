"""Trades, candles, funding and open interest from the wire, total like everything in parse.py.

Sources: Bybit v5 "Trade" and "Kline" topics, "Get Recent Public Trades", "Get Kline", "Get Funding
Rate History", "Get Open Interest", and the recorded session of 2026-08-09.
"""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import TypeVar

from adapters.bybit.parse import Unusable, rows_of, usable
from adapters.bybit.wire import (
    Fields,
    UnusableField,
    fields,
    items,
    needed_flag,
    needed_instant,
    needed_number,
    needed_number_of,
    needed_word,
)
from domain.kernel.ids import InstrumentId, Side
from domain.market import Candle, FundingRate, Interval, OpenInterest, Source, Trade

T = TypeVar("T")

_SIDES = {"Buy": Side.BUY, "Sell": Side.SELL}


def pushed_trades_of(data: object) -> Sequence[Trade | Unusable] | Unusable:
    """The trades of a ``publicTrade`` frame, in the venue's order."""
    rows = usable(lambda: items(data, "data"))
    if isinstance(rows, Unusable):
        return rows
    return [usable(lambda row=row: _pushed_trade(fields(row, "trade"))) for row in rows]  # type: ignore[misc]  # the default binds the row


def pushed_candles_of(
    instrument: InstrumentId, interval: Interval, data: object, *, as_of: datetime, source: Source
) -> Sequence[Candle] | Unusable:
    """The candles of a ``kline`` frame."""

    def read() -> Sequence[Candle]:
        rows = [fields(row, "candle") for row in items(data, "data")]
        return [_pushed_candle(instrument, interval, row, as_of, source) for row in rows]

    return usable(read)


def recent_trades_of(answer: object) -> Sequence[Trade] | Unusable:
    """The trades of a REST answer, turned to oldest first."""
    found = _rows_read(answer, lambda row: _recent_trade(fields(row, "trade")))
    if isinstance(found, Unusable):
        return found
    # Turned, then sorted: trades of one millisecond keep the venue's order.
    oldest_first = found[::-1]
    return sorted(oldest_first, key=lambda trade: trade.at)


def candles_of(
    instrument: InstrumentId,
    interval: Interval,
    answer: object,
    *,
    as_of: datetime,
    source: Source,
) -> Sequence[Candle] | Unusable:
    """The candles of a REST answer, turned to oldest first; what ended by ``as_of`` is final."""
    found = _rows_read(
        answer, lambda row: _candle_row(instrument, interval, items(row, "candle"), as_of, source)
    )
    return found if isinstance(found, Unusable) else sorted(found, key=lambda c: c.start)


def funding_rates_of(instrument: InstrumentId, answer: object) -> Sequence[FundingRate] | Unusable:
    """Settled funding, newest first."""

    def read(row: object) -> FundingRate:
        data = fields(row, "funding")
        rate = needed_number(data, "fundingRate")
        return FundingRate(instrument, rate, needed_instant(data, "fundingRateTimestamp"))

    found = _rows_read(answer, read)
    return found if isinstance(found, Unusable) else _newest_first(found)


def open_interest_of(instrument: InstrumentId, answer: object) -> Sequence[OpenInterest] | Unusable:
    """Open interest, newest first."""

    def read(row: object) -> OpenInterest:
        data = fields(row, "open_interest")
        quantity = needed_number(data, "openInterest")
        return OpenInterest(instrument, quantity, needed_instant(data, "timestamp"))

    found = _rows_read(answer, read)
    return found if isinstance(found, Unusable) else _newest_first(found)


Dated = TypeVar("Dated", FundingRate, OpenInterest)


def _newest_first(found: Sequence[Dated]) -> Sequence[Dated]:
    return sorted(found, key=lambda value: value.at, reverse=True)


def _rows_read(answer: object, read: Callable[[object], T]) -> Sequence[T] | Unusable:
    """Every row of an answer; one that can not be read spoils it, for a hole is not seen."""
    rows = rows_of(answer)
    return rows if isinstance(rows, Unusable) else usable(lambda: [read(row) for row in rows])


def _pushed_trade(row: Fields) -> Trade:
    return Trade(
        id=needed_word(row, "i"),
        price=needed_number(row, "p"),
        quantity=needed_number(row, "v"),
        side=_side(row.get("S")),
        at=needed_instant(row, "T"),
    )


def _recent_trade(row: Fields) -> Trade:
    return Trade(
        id=needed_word(row, "execId"),
        price=needed_number(row, "price"),
        quantity=needed_number(row, "size"),
        side=_side(row.get("side")),
        at=needed_instant(row, "time"),
    )


def _side(value: object) -> Side:
    side = _SIDES.get(value) if isinstance(value, str) else None
    if side is None:
        raise UnusableField("not_a_side")
    return side


def _pushed_candle(
    instrument: InstrumentId, interval: Interval, row: Fields, as_of: datetime, source: Source
) -> Candle:
    return Candle(
        instrument=instrument,
        interval=interval,
        start=needed_instant(row, "start"),
        open_price=needed_number(row, "open"),
        high_price=needed_number(row, "high"),
        low_price=needed_number(row, "low"),
        close_price=needed_number(row, "close"),
        volume=needed_number(row, "volume"),
        turnover=needed_number(row, "turnover"),
        confirmed=needed_flag(row, "confirm"),
        as_of=as_of,
        stale=False,
        source=source,
    )


_COLUMNS = ("start", "open", "high", "low", "close", "volume", "turnover")


def _candle_row(
    instrument: InstrumentId,
    interval: Interval,
    row: Sequence[object],
    as_of: datetime,
    source: Source,
) -> Candle:
    if len(row) < len(_COLUMNS):
        raise UnusableField("short_candle")
    start = needed_instant({"start": row[0]}, "start")
    prices = [needed_number_of(x, name) for x, name in zip(row[1:7], _COLUMNS[1:], strict=True)]
    open_, high, low, close, volume, turnover = prices
    return Candle(
        instrument=instrument,
        interval=interval,
        start=start,
        open_price=open_,
        high_price=high,
        low_price=low,
        close_price=close,
        volume=volume,
        turnover=turnover,
        confirmed=interval.next_start(start) <= as_of,
        as_of=as_of,
        stale=False,
        source=source,
    )
