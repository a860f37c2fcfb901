"""Bybit's REST interface as the market domain needs it: the catalogue, its clock, its tickers.

Each request: deadline ( retry within the budget ( endpoint limit, breaker ( pybit's thread ))).
"""

import asyncio
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence

import structlog

from adapters.bybit.client import Answer, PybitClient
from adapters.bybit.config import BybitAddresses, wire_category
from adapters.bybit.errors import BANNED_SECONDS, EXCHANGE, Banned
from adapters.bybit.limits import EndpointLimits
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
from adapters.resilience import CircuitBreaker, RetryBudget, deadline, retry_safe_read
from domain.kernel.clock import Clock
from domain.kernel.failures import Failure, Unavailable
from domain.kernel.ids import Category, InstrumentId, Symbol
from domain.market import Instrument, Ticker

log = structlog.get_logger()

INSTRUMENTS_PER_PAGE = 1000
PAGES_MAX = 50
SOCKET_SHARE = 0.45
"""Of the deadline: how long a try may wait for bytes, so that there is time for a second one."""
TRY_SHARE = 0.7
"""Of the deadline: how long one try may take as a whole, however its bytes drip."""
UNUSABLE_SHARE_MAX = 0.1
"""More rows than this unreadable: the format has changed, and nothing of it is believed."""
_NULL_METRICS = NullFeedMetrics()


class BybitRest:
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
        self._addresses = addresses
        self._clock = clock
        self._breaker = breaker
        self._timeout_seconds = timeout_seconds
        self._metrics = metrics
        self._attempts = attempts
        self._budget = RetryBudget()
        self._limits = EndpointLimits(clock)
        self._client = PybitClient(
            addresses.rest_url, clock=clock, socket_timeout_seconds=timeout_seconds * SOCKET_SHARE
        )

    async def close(self) -> None:
        """End the threads."""
        await self._client.close()

    async def instruments(self, category: Category) -> Sequence[Instrument]:
        found: list[Instrument] = []
        unusable: list[str] = []
        query: dict[str, str | int] = {
            "category": wire_category(category),
            "limit": INSTRUMENTS_PER_PAGE,
        }
        for _ in range(PAGES_MAX):
            answer, _headers = await self._get("get_instruments_info", query)
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
        raise _unreadable(category, "endless_pages")

    async def clock_offset_seconds(self) -> float:
        began = self._clock.monotonic()
        answer, _ = await self._get("get_server_time", {})
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
        answer, _ = await self._get("get_tickers", query)
        as_of = answered_at(answer)
        if isinstance(as_of, Unusable):
            raise _unreadable(category, as_of.reason)
        found: list[Ticker] = []
        for row in _rows(answer):
            try:
                data = fields(row, "row")
                symbol = Symbol(needed_word(data, "symbol"))
            except UnusableField:
                continue
            if symbol in symbols:
                read = ticker_of(
                    InstrumentId(category, symbol), data, as_of=as_of, source=self._addresses.source
                )
                if isinstance(read, Ticker):
                    found.append(read)
        return found

    async def _get(self, method: str, query: Mapping[str, str | int]) -> Answer:
        async with deadline(EXCHANGE, self._timeout_seconds):
            return await retry_safe_read(
                lambda: self._try(method, query), attempts=self._attempts, budget=self._budget
            )

    async def _try(self, method: str, query: Mapping[str, str | int]) -> Answer:
        if wait := self._limits.wait_seconds(method):
            await asyncio.sleep(wait)
        began = self._clock.monotonic()
        outcome = "CANCELLED"
        try:
            answer = await self._breaker.call(lambda: self._ask(method, query))
            outcome = "OK"
        except Banned:
            outcome = "BANNED"
            log.error("exchange_banned_us", stop_seconds=BANNED_SECONDS)  # noqa: TRY400  # the traceback says nothing
            self._breaker.open_for(BANNED_SECONDS)
            raise
        except Failure as failure:
            outcome = failure.code.value
            raise
        finally:
            self._metrics.rest_answered(method, outcome, self._clock.monotonic() - began)
        self._limits.note(method, answer[1])
        return answer

    async def _ask(self, method: str, query: Mapping[str, str | int]) -> Answer:
        # Inside the breaker: the outer deadline cancels, and a cancellation teaches it nothing. A
        # socket's timeout alone is not enough, for it starts over with every byte.
        async with deadline(EXCHANGE, self._timeout_seconds * TRY_SHARE):
            return await self._client.get(method, query)


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
        raise _unreadable(category, unusable[0] if unusable else "empty")
    if unusable:
        log.warning(
            "instruments_unusable", category=category, count=len(unusable), reason=unusable[0]
        )
    return sorted(found, key=lambda instrument: instrument.symbol)


def _unreadable(category: Category, reason: str) -> Unavailable:
    log.error("exchange_answer_unreadable", category=category, reason=reason)
    return Unavailable(EXCHANGE)
