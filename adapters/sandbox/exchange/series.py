"""The REST routes of series: kline, orderbook, recent-trade, funding/history, open-interest.

Bybit v5 market. Limits are per category; rows come newest first; a cursor of open-interest carries
the instant to go on from, in the documented form `lastid%3D..%26lasttime%3D..`.
"""

from typing import Any
from urllib.parse import parse_qs, quote, unquote

from starlette.requests import Request

from adapters.sandbox.exchange.candles import INTERVALS
from adapters.sandbox.exchange.instruments import Category, Instrument
from adapters.sandbox.exchange.parameters import (
    EMPTY_CATEGORIES,
    PARAMETER_ERROR,
    Refusal,
    category_of,
    invalid,
    limit_of,
    text,
    window_of,
)
from adapters.sandbox.exchange.venue import Market

KLINES_DEFAULT, KLINES_MAX = 200, 1_000
TRADES = {Category.SPOT: (60, 60), Category.LINEAR: (500, 1_000)}
BOOK = {Category.SPOT: 1, Category.LINEAR: 25}
BOOK_MAX = 1_000
FUNDINGS_MAX = 200
INTERESTS_DEFAULT, INTERESTS_MAX = 50, 200
MINUTE_MS = 60_000
INTEREST_INTERVALS = {
    "5min": 5 * MINUTE_MS,
    "15min": 15 * MINUTE_MS,
    "30min": 30 * MINUTE_MS,
    "1h": 60 * MINUTE_MS,
    "4h": 240 * MINUTE_MS,
    "1d": 1_440 * MINUTE_MS,
}

Result = dict[str, Any]


class Series:
    """Handlers over one market."""

    def __init__(self, market: Market) -> None:
        self._market = market

    async def kline(self, request: Request) -> Result:
        category = category_of(request, default=Category.LINEAR)
        interval = text(request, "interval")
        if interval not in INTERVALS:
            raise Refusal(PARAMETER_ERROR, "Invalid period!")
        window = window_of(request, "start", "end", default=KLINES_DEFAULT, most=KLINES_MAX)
        instrument = self._instrument(request, category)
        rows = await self._market.candles(instrument, interval, window)
        return {"symbol": instrument.symbol, "category": category, "list": rows}

    async def order_book(self, request: Request) -> Result:
        category = category_of(request)
        instrument = self._instrument(request, category)
        limit = limit_of(request, BOOK[instrument.category], BOOK_MAX)
        return self._market.order_book(instrument, limit)

    async def recent_trade(self, request: Request) -> Result:
        category = category_of(request)
        instrument = self._instrument(request, category)
        limit = limit_of(request, *TRADES[instrument.category])
        return {"category": category, "list": self._market.recent_trades(instrument, limit)}

    async def funding_history(self, request: Request) -> Result:
        instrument = self._contract(request)
        window = window_of(request, "startTime", "endTime", default=FUNDINGS_MAX, most=FUNDINGS_MAX)
        if window.start_ms is not None and window.end_ms is None:
            # "Passing startTime only, it returns error" (Bybit v5 funding/history).
            raise Refusal(PARAMETER_ERROR, "Time is invalid")
        rows = self._market.funding_rates(instrument, window)
        return {"category": instrument.category, "list": rows}

    async def open_interest(self, request: Request) -> Result:
        instrument = self._contract(request)
        step_ms = INTEREST_INTERVALS.get(text(request, "intervalTime"))
        if step_ms is None:
            raise invalid("intervalTime is invalid")
        window = window_of(
            request, "startTime", "endTime", default=INTERESTS_DEFAULT, most=INTERESTS_MAX
        )
        cursor = text(request, "cursor")
        if cursor:
            window = window._replace(end_ms=_before(cursor, instrument))
        rows = self._market.open_interest(instrument, step_ms, window)
        more = len(rows) == window.limit
        return {
            "symbol": instrument.symbol,
            "category": instrument.category,
            "list": rows,
            "nextPageCursor": _cursor(rows[-1], instrument) if more else "",
        }

    def _contract(self, request: Request) -> Instrument:
        category = category_of(request)
        if category == Category.SPOT:
            raise invalid("Category is invalid")
        return self._instrument(request, category)

    def _instrument(self, request: Request, category: str) -> Instrument:
        symbol = text(request, "symbol")
        listed = (
            [] if category in EMPTY_CATEGORIES else self._market.instruments(Category(category))
        )
        for instrument in listed:
            if instrument.symbol == symbol:
                return instrument
        message = (
            "Not supported symbols" if category == Category.SPOT else "params error: symbol invalid"
        )
        raise Refusal(PARAMETER_ERROR, message)


def _cursor(row: dict[str, str], instrument: Instrument) -> str:
    seconds = int(row["timestamp"]) // 1000
    return quote(f"lastid={instrument.symbol_id}&lasttime={seconds}", safe="")


def _before(cursor: str, instrument: Instrument) -> int:
    """The last instant of the next page. Clients send the cursor as given or decoded once more."""
    fields = parse_qs(unquote(cursor))
    if fields.get("lastid") == [str(instrument.symbol_id)]:
        (seconds,) = fields.get("lasttime", [""])
        if seconds.isascii() and seconds.isdigit():
            return int(seconds) * 1000 - 1
    raise invalid("cursor invalid")
