"""Candles of any interval from one-minute columns, and how Bybit writes them.

Bybit v5 kline. A candle opens where the one before it closed, and its high and low include that
price (recorded: the first trade of a minute below the open left the high at the open); one without
trades stands still with volume 0. Weeks begin on Monday, months on the first, both UTC.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from adapters.sandbox.exchange.history import Minutes
from adapters.sandbox.exchange.instruments import Instrument
from adapters.sandbox.exchange.pace import MINUTE_MS
from adapters.sandbox.exchange.process import InstrumentProcess
from adapters.sandbox.exchange.statistics import DAY_MINUTES, Bar
from adapters.sandbox.exchange.wire import EPOCH, plain

_FIXED_MINUTES = {
    **{str(minutes): minutes for minutes in (1, 3, 5, 15, 30, 60, 120, 240, 360, 720)},
    "D": DAY_MINUTES,
    "W": 7 * DAY_MINUTES,
}
INTERVALS = (*_FIXED_MINUTES, "M")
# The epoch was a Thursday.
_FIRST_MONDAY = 4 * DAY_MINUTES
_LONGEST_MONTH_MINUTES = 31 * DAY_MINUTES


@dataclass(slots=True)
class Candle:
    start: int  # minutes since the epoch
    open: int
    high: int
    low: int
    close: int
    lots: int = 0
    tick_lots: int = 0

    def take(self, later: "Candle") -> None:
        """Grow by what follows."""
        self.high = max(self.high, later.high)
        self.low = min(self.low, later.low)
        self.close = later.close
        self.lots += later.lots
        self.tick_lots += later.tick_lots


def interval_start(interval: str, minute: int) -> int:
    """The first minute of the candle that holds this one."""
    if interval == "M":
        instant = EPOCH + timedelta(minutes=minute)
        return (instant.replace(day=1, hour=0, minute=0) - EPOCH) // timedelta(minutes=1)
    length = _FIXED_MINUTES[interval]
    offset = _FIRST_MONDAY if interval == "W" else 0
    return (minute - offset) // length * length + offset


def interval_end(interval: str, start: int) -> int:
    """The first minute of the next candle."""
    if interval == "M":
        return interval_start(interval, start + _LONGEST_MONTH_MINUTES)
    return start + _FIXED_MINUTES[interval]


def longest_minutes(interval: str) -> int:
    return _FIXED_MINUTES.get(interval, _LONGEST_MONTH_MINUTES)


def gather(parts: Iterable[Minutes], interval: str, first: int, last: int) -> list[Candle]:
    """Candles of the minutes from `first` to before `last`, oldest first."""
    candles: list[Candle] = []
    for part in parts:
        index = max(0, first - part.first)
        until = min(len(part.close), last - part.first)
        while index < until:
            start = interval_start(interval, part.first + index)
            end = min(until, interval_end(interval, start) - part.first)
            piece = _piece(part, start, index, end)
            if candles and candles[-1].start == start:
                candles[-1].take(piece)
            else:
                candles.append(piece)
            index = end
    return candles


def current_minute(process: InstrumentProcess) -> Minutes:
    """The minute that is not over yet, also when nothing has traded in it."""
    minute, bars = process.day.minute, process.day.bars
    closed = [bar for bar in (bars[-1], bars[-2]) if bar.minute < minute]
    opened = closed[0].close if closed else process.last
    part = Minutes(minute, opened)
    if bars[-1].minute == minute:
        part.add(bars[-1])
    else:
        part.add(Bar(minute, opened, opened, opened, opened, 0, 0))
    return part


def candles_of(process: InstrumentProcess, interval: str, first: int, last: int) -> list[Candle]:
    """Candles that lie in this window of minutes, the open one among them, oldest first.

    A candle that began before the history did is not served: it could not be whole.
    """
    history, now = process.history, process.day.minute
    first = interval_start(interval, first)
    if first < history.first:
        oldest = interval_start(interval, history.first)
        first = oldest if oldest == history.first else interval_end(interval, oldest)
    parts = [*history.read(first, min(last, now)), current_minute(process)]
    return gather(parts, interval, first, last)


def rest_candle(instrument: Instrument, candle: Candle) -> list[str]:
    """One row of market/kline: start, open, high, low, close, volume, turnover."""
    return [str(candle.start * MINUTE_MS), *_numbers(instrument, candle)]


def stream_candle(
    instrument: Instrument, interval: str, candle: Candle, *, confirmed: bool, ts: int
) -> dict[str, Any]:
    """One element of a kline topic's data."""
    opened, high, low, close, volume, turnover = _numbers(instrument, candle)
    return {
        "start": candle.start * MINUTE_MS,
        "end": interval_end(interval, candle.start) * MINUTE_MS - 1,
        "interval": interval,
        "open": opened,
        "close": close,
        "high": high,
        "low": low,
        "volume": volume,
        "turnover": turnover,
        "confirm": confirmed,
        "timestamp": ts,
    }


def _piece(part: Minutes, start: int, index: int, end: int) -> Candle:
    opened = part.close[index - 1] if index else part.opened
    return Candle(
        start,
        opened,
        max(opened, *part.high[index:end]),
        min(opened, *part.low[index:end]),
        part.close[end - 1],
        sum(part.lots[index:end]),
        sum(part.tick_lots[index:end]),
    )


def _numbers(instrument: Instrument, candle: Candle) -> tuple[str, ...]:
    decimals, lot_decimals = instrument.price_decimals, instrument.lot_decimals
    prices = (candle.open, candle.high, candle.low, candle.close)
    turnover = candle.tick_lots * instrument.tick_units * instrument.lot_units
    return (
        *(plain(price * instrument.tick_units, decimals) for price in prices),
        plain(candle.lots * instrument.lot_units, lot_decimals),
        plain(turnover, decimals + lot_decimals),
    )
