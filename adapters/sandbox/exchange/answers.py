"""A simulated instrument as REST answers: book, trades, candles, funding, open interest."""

import asyncio
from collections.abc import Iterator
from itertools import islice
from typing import Any

from adapters.sandbox.exchange.book_channel import MATCHED_BEFORE_MS, written
from adapters.sandbox.exchange.candles import (
    candles_of,
    interval_end,
    interval_start,
    longest_minutes,
    rest_candle,
)
from adapters.sandbox.exchange.contracts import Contracts
from adapters.sandbox.exchange.listing import Listing
from adapters.sandbox.exchange.pace import MINUTE_MS
from adapters.sandbox.exchange.process import InstrumentProcess
from adapters.sandbox.exchange.trades import rest_trade
from adapters.sandbox.exchange.venue import Window


def order_book_result(listing: Listing, levels: int, now_ms: int) -> dict[str, Any]:
    instrument, depth = listing.instrument, listing.depth
    return {
        "s": instrument.symbol,
        "a": [written(instrument, *level) for level in depth.asks.top(levels).items()],
        "b": [written(instrument, *level) for level in depth.bids.top(levels).items()],
        "ts": now_ms,
        "u": listing.book_update_id,
        "seq": listing.process.cross_sequence,
        "cts": now_ms - MATCHED_BEFORE_MS,
    }


def trade_rows(process: InstrumentProcess, limit: int) -> list[dict[str, Any]]:
    newest = islice(reversed(process.tape), limit)
    return [rest_trade(process.instrument, trade) for trade in newest]


async def candle_rows(process: InstrumentProcess, interval: str, window: Window) -> list[list[str]]:
    first, last = _minutes(process, interval, window)
    while process.history.unseen(first):
        process.history.make_one(first)
        await asyncio.sleep(0)  # The market and its sockets live on between two days of history.
    candles = candles_of(process, interval, first, last)
    if window.end_ms is None and window.start_ms is not None:
        candles = candles[: window.limit]
    return [rest_candle(process.instrument, candle) for candle in candles[-window.limit :][::-1]]


def funding_rows(contracts: Contracts, window: Window, now_ms: int) -> list[dict[str, str]]:
    return [
        contracts.funding(at)
        for at in _grid(contracts, contracts.funding_interval_ms, window, now_ms)
    ]


def interest_rows(
    contracts: Contracts, interval_ms: int, window: Window, now_ms: int
) -> list[dict[str, str]]:
    return [contracts.interest(at) for at in _grid(contracts, interval_ms, window, now_ms)]


def _grid(contracts: Contracts, step_ms: int, window: Window, now_ms: int) -> Iterator[int]:
    """Instants on the grid inside the window, newest first."""
    newest = min(now_ms, now_ms if window.end_ms is None else window.end_ms)
    oldest = max(contracts.launch_ms, window.start_ms or 0)
    instants = range(newest // step_ms * step_ms, oldest - 1, -step_ms)
    return islice(instants, window.limit)


def _minutes(process: InstrumentProcess, interval: str, window: Window) -> tuple[int, int]:
    """The minutes of which `limit` candles can start inside the window."""
    now = process.day.minute
    reach = window.limit * longest_minutes(interval)
    if window.end_ms is None and window.start_ms is not None:
        first = _first_start(interval, window.start_ms)
        return first, min(now + 1, first + reach)
    end = now if window.end_ms is None else min(now, window.end_ms // MINUTE_MS)
    last = interval_end(interval, interval_start(interval, end))
    first = max(process.history.first, last - reach)
    if window.start_ms is not None:
        first = max(first, _first_start(interval, window.start_ms))
    return interval_start(interval, first), last


def _first_start(interval: str, start_ms: int) -> int:
    """The first candle that starts at this instant or after it."""
    minute = -(-start_ms // MINUTE_MS)
    start = interval_start(interval, minute)
    return start if start == minute else interval_end(interval, start)
