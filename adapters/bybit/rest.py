"""Bybit's REST interface as the market domain needs it: the catalogue, its clock, its tickers."""

import asyncio
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence

import structlog

from adapters.bybit.calls import RestCalls
from adapters.bybit.config import BybitAddresses, wire_category
from adapters.bybit.errors import EXCHANGE
from adapters.bybit.history import BybitHistory, readable, unreadable
from adapters.bybit.metrics import FeedMetrics, NullFeedMetrics
from adapters.bybit.parse import (
    Unusable,
    answered_at,
    cursor_of,
    instrument_of,
    rows_of,
    ticker_of,
)
from adapters.bybit.wire import UnusableField, fields, needed_number, needed_word
from adapters.resilience import CircuitBreaker
from domain.kernel.clock import Clock
from domain.kernel.failures import Unavailable
from domain.kernel.ids import Category, InstrumentId, Symbol
from domain.market import Instrument, Ticker

log = structlog.get_logger()


INSTRUMENTS_PER_PAGE = 1000
PAGES_MAX = 50
UNUSABLE_SHARE_MAX = 0.1
"""More rows than this unreadable: the format has changed, and nothing of it is believed."""
_NULL_METRICS = NullFeedMetrics()


class BybitRest(BybitHistory):
    """Implements domain.market.VenueCatalogue. Every call is a safe read."""

    def __init__(
        self,
        addresses: BybitAddresses,
        *,
        clock: Clock,
        breaker: CircuitBreaker,
        timeout_seconds: float,
        metrics: FeedMetrics = _NULL_METRICS,
        attempts: int = 3,
    ) -> None:
        """``timeout_seconds`` bounds one request with all its retries."""
        calls = RestCalls(
            addresses.rest_url,
            clock=clock,
            breaker=breaker,
            timeout_seconds=timeout_seconds,
            metrics=metrics,
            attempts=attempts,
        )
        super().__init__(calls, addresses.source)
        self._clock = clock

    async def close(self) -> None:
        """End the threads."""
        await self._calls.close()

    async def instruments(self, category: Category) -> Sequence[Instrument]:
        found: list[Instrument] = []
        unusable: list[str] = []
        query: dict[str, str | int] = {
            "category": wire_category(category),
            "limit": INSTRUMENTS_PER_PAGE,
        }
        for _ in range(PAGES_MAX):
            answer = await self._calls.get("get_instruments_info", query)
            for row in _rows(answer):
                read = instrument_of(category, row)
                if isinstance(read, Unusable):
                    unusable.append(read.reason)
                else:
                    found.append(read)
            cursor = cursor_of(answer)
            if cursor is None:
                return _believed(category, found, unusable)
            query["cursor"] = cursor
        raise unreadable(category, "endless_pages")

    async def clock_offset_seconds(self) -> float:
        began = self._clock.monotonic()
        answer = await self._calls.get("get_server_time", {})
        # Half the way there: retries are rare, and only make the guess worse, never wrong.
        half = (self._clock.monotonic() - began) / 2
        try:
            nanoseconds = needed_number(fields(answer.get("result"), "result"), "timeNano")
        except UnusableField as error:
            raise Unavailable(EXCHANGE) from error
        return float(nanoseconds) / 1e9 + half - self._clock.now().timestamp()

    async def tickers(self, ids: Collection[InstrumentId]) -> Mapping[InstrumentId, Ticker]:
        wanted: dict[Category, set[Symbol]] = defaultdict(set)
        for instrument in ids:
            wanted[instrument.category].add(instrument.symbol)
        answers = await asyncio.gather(
            *(self._tickers(category, symbols) for category, symbols in wanted.items()),
            return_exceptions=True,  # so that none is left running when another fails
        )
        found: dict[InstrumentId, Ticker] = {}
        for answer in answers:
            if isinstance(answer, BaseException):
                raise answer
            found |= {ticker.id: ticker for ticker in answer}
        return found

    async def _tickers(self, category: Category, symbols: Collection[Symbol]) -> list[Ticker]:
        query: dict[str, str | int] = {"category": wire_category(category)}
        if len(symbols) == 1:
            query["symbol"] = next(iter(symbols))
        # Several: the whole category in one answer costs the venue and us less than many calls.
        answer = await self._calls.get("get_tickers", query)
        as_of = readable(category, answered_at(answer))
        found: list[Ticker] = []
        for row in _rows(answer):
            try:
                data = fields(row, "row")
                symbol = Symbol(needed_word(data, "symbol"))
            except UnusableField:
                continue
            if symbol in symbols:
                read = ticker_of(
                    InstrumentId(category, symbol), data, as_of=as_of, source=self._source
                )
                if isinstance(read, Ticker):
                    found.append(read)
        return found


def _rows(answer: object) -> Sequence[object]:
    rows = rows_of(answer)
    if isinstance(rows, Unusable):
        raise Unavailable(EXCHANGE) from UnusableField(rows.reason)
    return rows


def _believed(
    category: Category, found: list[Instrument], unusable: list[str]
) -> Sequence[Instrument]:
    # The catalogue closes what is not in the answer, so an answer that lost its rows on the way
    # must not pass for a venue that delisted everything.
    if not found or len(unusable) > UNUSABLE_SHARE_MAX * (len(found) + len(unusable)):
        raise unreadable(category, unusable[0] if unusable else "empty")
    if unusable:
        log.warning(
            "instruments_unusable", category=category, count=len(unusable), reason=unusable[0]
        )
    return sorted(found, key=lambda instrument: instrument.symbol)
