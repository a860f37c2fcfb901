"""The public REST routes: envelope, /v5/market/time, instruments-info, tickers (Bybit v5 market).

HTTP 200 even for errors, with {retCode, retMsg, result, retExtInfo, time}. The two categories
refuse differently, as the live venue does: an unknown linear symbol is 10001, an unknown spot
instrument is an empty list. No X-Bapi-Limit headers: the vendor's table of limits (per second and
UID) has no row for any market endpoint, so there is no number to send; `force` can add them.
"""

import asyncio
from collections.abc import Awaitable, Callable
from http import HTTPStatus
from typing import Any, NamedTuple

import orjson
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from adapters.sandbox.exchange.faults import Faults
from adapters.sandbox.exchange.instruments import Category, Instrument
from adapters.sandbox.exchange.parameters import (
    EMPTY_CATEGORIES,
    PARAMETER_ERROR,
    Refusal,
    category_of,
    invalid,
    limit_of,
)
from adapters.sandbox.exchange.series import Series
from adapters.sandbox.exchange.venue import Market
from adapters.sandbox.exchange.wire import epoch_ms, epoch_ns
from domain.kernel.clock import Clock

ROUTE_NOT_FOUND = 10017
PAGE_DEFAULT, PAGE_MAX = 500, 1_000


class Outcome(NamedTuple):
    code: int
    message: str
    result: dict[str, Any]


class Page(NamedTuple):
    rows: list[Instrument]
    cursor: str


Handler = Callable[[Request], Awaitable[dict[str, Any]]]


class Rest:
    """REST over one market."""

    def __init__(self, market: Market, clock: Clock, faults: Faults) -> None:
        self._market = market
        self._clock = clock
        self._faults = faults
        self._series = Series(market)

    def routes(self) -> list[Route]:
        handlers: dict[str, Handler] = {
            "/v5/market/time": self._time,
            "/v5/market/instruments-info": self._instruments_info,
            "/v5/market/tickers": self._tickers,
            "/v5/market/kline": self._series.kline,
            "/v5/market/orderbook": self._series.order_book,
            "/v5/market/recent-trade": self._series.recent_trade,
            "/v5/market/funding/history": self._series.funding_history,
            "/v5/market/open-interest": self._series.open_interest,
        }
        routes = [
            Route(path, self._answering(handler), methods=["GET"])
            for path, handler in handlers.items()
        ]
        every = ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]
        return [*routes, Route("/{path:path}", self._answering(_no_route), methods=every)]

    def _answering(self, handler: Handler) -> Callable[[Request], Awaitable[Response]]:
        async def answer(request: Request) -> Response:
            if self._faults.is_out:
                return Response(status_code=503)
            if self._faults.latency_seconds:
                await asyncio.sleep(self._faults.latency_seconds)
            forced = self._faults.forced(request.url.path)
            if forced is not None and forced.status != HTTPStatus.OK:
                return Response(status_code=forced.status, headers=forced.headers)
            if forced is not None:
                outcome = Outcome(forced.ret_code, forced.ret_msg, {})
            else:
                outcome = await _outcome(handler, request)
            body = {
                "retCode": outcome.code,
                "retMsg": outcome.message,
                "result": outcome.result,
                "retExtInfo": {},
                "time": epoch_ms(self._clock),
            }
            return Response(
                orjson.dumps(body),
                media_type="application/json; charset=utf-8",
                headers=forced.headers if forced is not None else None,
            )

        return answer

    async def _time(self, _: Request) -> dict[str, Any]:
        nano = epoch_ns(self._clock)
        return {"timeSecond": str(nano // 10**9), "timeNano": str(nano)}

    async def _instruments_info(self, request: Request) -> dict[str, Any]:
        category = category_of(request)
        rows = self._filtered(request, category)
        status = request.query_params.get("status", "")
        rows = [row for row in rows if status in {"", row.info["status"]}]
        page = _page(request, rows)
        if category == Category.SPOT:
            # Spot has no paging: the recorded answer has no cursor and all rows.
            return {"category": category, "list": [row.info for row in rows]}
        return {
            "category": category,
            "list": [row.info for row in page.rows],
            "nextPageCursor": page.cursor,
        }

    async def _tickers(self, request: Request) -> dict[str, Any]:
        category = category_of(request)
        rows = self._filtered(request, category)
        if not rows and category == Category.SPOT and request.query_params.get("symbol"):
            raise Refusal(PARAMETER_ERROR, "Not supported symbols")
        return {"category": category, "list": [self._market.ticker_row(row) for row in rows]}

    def _filtered(self, request: Request, category: str) -> list[Instrument]:
        if category in EMPTY_CATEGORIES:
            return []
        rows = list(self._market.instruments(Category(category)))
        symbol = request.query_params.get("symbol", "")
        if symbol:
            rows = [row for row in rows if row.symbol == symbol]
            if not rows and category == Category.LINEAR:
                empty = {"category": "", "list": []}
                paged = "instruments-info" in request.url.path
                empty |= {"nextPageCursor": ""} if paged else {}
                raise Refusal(PARAMETER_ERROR, "params error: symbol invalid", empty)
        base = request.query_params.get("baseCoin", "")
        return [row for row in rows if base in {"", row.base}]


async def _outcome(handler: Handler, request: Request) -> Outcome:
    try:
        return Outcome(0, "OK", await handler(request))
    except Refusal as refusal:
        return Outcome(refusal.code, refusal.message, refusal.result)


async def _no_route(_: Request) -> dict[str, Any]:
    raise Refusal(ROUTE_NOT_FOUND, "Route not found.")


def _page(request: Request, rows: list[Instrument]) -> Page:
    limit = limit_of(request, PAGE_DEFAULT, PAGE_MAX, cut=False)
    start = _start(request.query_params.get("cursor", ""), rows)
    cut = rows[start : start + limit]
    more = start + limit < len(rows)
    return Page(cut, f"after_{cut[-1].symbol}" if more and cut else "")


def _start(cursor: str, rows: list[Instrument]) -> int:
    if not cursor:
        return 0
    for index, row in enumerate(rows):
        if cursor == f"after_{row.symbol}":
            return index + 1
    raise invalid("cursor invalid")
