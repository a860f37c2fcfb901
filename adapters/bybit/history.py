"""Books, trades, candles and rates over REST: what a reader who just arrived has missed.

An answer is believed whole or not at all: a chart with a hole looks like a chart.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import TypeVar

import structlog

from adapters.bybit.calls import RestCalls
from adapters.bybit.config import wire_category
from adapters.bybit.errors import EXCHANGE
from adapters.bybit.parse import Unusable, answered_at
from adapters.bybit.parse_books import order_book_of
from adapters.bybit.parse_tape import (
    candles_of,
    funding_rates_of,
    open_interest_of,
    recent_trades_of,
)
from adapters.bybit.wire_topics import OPEN_INTEREST_INTERVALS, WIRE_INTERVALS
from domain.kernel.failures import Unavailable
from domain.kernel.ids import Category, InstrumentId
from domain.market import (
    Candle,
    FundingRate,
    Interval,
    OpenInterest,
    OrderBook,
    Source,
    Trades,
)

log = structlog.get_logger()

T = TypeVar("T")

TRADES_MAX = {Category.SPOT: 60, Category.LINEAR: 1000}
CANDLES_MAX = 1000
RATES_MAX = 200
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class BybitHistory:
    """The part of domain.market.VenueCatalogue that asks about one instrument."""

    def __init__(self, calls: RestCalls, source: Source) -> None:
        self._calls = calls
        self._source = source

    async def order_book(self, instrument: InstrumentId, depth: int) -> OrderBook:
        answer = await self._ask("get_orderbook", instrument, limit=depth)
        found = order_book_of(instrument, depth, answer, source=self._source)
        return readable(instrument.category, found)

    async def recent_trades(self, instrument: InstrumentId, limit: int) -> Trades:
        limit = min(limit, TRADES_MAX[instrument.category])
        answer = await self._ask("get_public_trade_history", instrument, limit=limit)
        return Trades(
            instrument,
            readable(instrument.category, recent_trades_of(answer)),
            dropped=0,
            as_of=readable(instrument.category, answered_at(answer)),
            stale=False,
            source=self._source,
        )

    async def candles(
        self, instrument: InstrumentId, interval: Interval, *, start: datetime, end: datetime
    ) -> Sequence[Candle]:
        if end <= start:
            return ()
        answer = await self._ask(
            "get_kline",
            instrument,
            interval=WIRE_INTERVALS[interval],
            start=_milliseconds(start),
            end=_milliseconds(end - timedelta(microseconds=1)),  # the venue's end is included
            limit=CANDLES_MAX,
        )
        as_of = readable(instrument.category, answered_at(answer))
        found = candles_of(instrument, interval, answer, as_of=as_of, source=self._source)
        candles = readable(instrument.category, found)
        return [candle for candle in candles if start <= candle.start < end]

    async def funding_rates(
        self, instrument: InstrumentId, *, start: datetime, end: datetime, limit: int
    ) -> Sequence[FundingRate]:
        """None of a spot pair: nobody is asked."""
        if instrument.category is Category.SPOT or end < start:
            return ()
        answer = await self._ask(
            "get_funding_rate_history",
            instrument,
            startTime=_milliseconds(start),
            endTime=_milliseconds(end),
            limit=min(limit, RATES_MAX),
        )
        rates = readable(instrument.category, funding_rates_of(instrument, answer))
        return [rate for rate in rates if start <= rate.at <= end]

    async def open_interest(
        self, instrument: InstrumentId, interval: Interval, *, start: datetime, end: datetime
    ) -> Sequence[OpenInterest]:
        """None of a spot pair: nobody is asked. Raises ValueError for another interval, too."""
        if interval not in OPEN_INTEREST_INTERVALS:
            raise ValueError(f"open interest is counted every {list(OPEN_INTEREST_INTERVALS)}")
        if instrument.category is Category.SPOT or end < start:
            return ()
        answer = await self._ask(
            "get_open_interest",
            instrument,
            intervalTime=OPEN_INTEREST_INTERVALS[interval],
            startTime=_milliseconds(start),
            endTime=_milliseconds(end),
            limit=RATES_MAX,
        )
        found = readable(instrument.category, open_interest_of(instrument, answer))
        return [value for value in found if start <= value.at <= end]

    async def _ask(
        self, method: str, instrument: InstrumentId, **query: str | int
    ) -> Mapping[str, object]:
        category = wire_category(instrument.category)
        return await self._calls.get(
            method, {"category": category, "symbol": instrument.symbol, **query}
        )


def _milliseconds(moment: datetime) -> int:
    # Integers all the way: a float of this size loses the last digit.
    return (moment - _EPOCH) // timedelta(milliseconds=1)


def readable(category: Category, found: T | Unusable) -> T:
    """What was found. Raises Unavailable when it could not be read."""
    if isinstance(found, Unusable):
        raise unreadable(category, found.reason)
    return found


def unreadable(category: Category, reason: str) -> Unavailable:
    """The failure to raise; logged here, for it may mean that the format has changed."""
    log.error("exchange_answer_unreadable", category=category, reason=reason)
    return Unavailable(EXCHANGE)
