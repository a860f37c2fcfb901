"""The rolling 24 hours of one instrument, kept as one-minute bars of integer ticks and lots.

The window is the current minute and the 1440 before it, so that the last trade is always inside and
high >= last >= low holds by construction. The bars are one-minute candles already: each goes to the
history when its minute is over.
"""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

DAY_MINUTES = 1_440


@dataclass(slots=True)
class Bar:
    minute: int  # minutes since the epoch
    open: int
    high: int
    low: int
    close: int
    lots: int
    tick_lots: int  # turnover: sum of price in ticks times size in lots


class RollingDay:
    """Feed trades in order of time; ask for the statistics that Bybit's tickers carry."""

    def __init__(
        self, *, minute: int, price: int, closed: Callable[[Bar], None] = lambda _: None
    ) -> None:
        self._closed = closed
        self._live: Bar | None = None  # the bar of the current minute, once it has a trade
        self.bars: deque[Bar] = deque()
        self.minute = minute
        self._extremes_stale = True
        self.lots = 0
        self.tick_lots = 0
        self.high = self.low = price
        self.price_day_ago = self.price_hour_ago = price

    def trade(self, *, minute: int, price: int, lots: int) -> None:
        self.roll(minute)
        bar = self._live
        if bar is None:
            bar = self._live = Bar(self.minute, price, price, price, price, 0, 0)
            self.bars.append(bar)
        bar.high = max(bar.high, price)
        bar.low = min(bar.low, price)
        bar.close = price
        self._count(bar, lots, price * lots)
        self.high = max(self.high, price)
        self.low = min(self.low, price)

    def append(self, bar: Bar) -> None:
        """Take a whole past minute: how a history, or a leap of the clock, is filled.

        The caller ends with `roll`, which lets the old go and looks for high and low once.
        """
        self.end_minute()
        self._extremes_stale = True
        self.bars.append(bar)
        self.lots += bar.lots
        self.tick_lots += bar.tick_lots
        self._closed(bar)

    def roll(self, minute: int) -> None:
        """Let go of what is older than a day; a clock set back keeps the window where it was."""
        if minute <= self.minute:
            return
        self.end_minute()
        self.minute = minute
        while self.bars and self.bars[0].minute < minute - DAY_MINUTES:
            gone = self.bars.popleft()
            self.lots -= gone.lots
            self.tick_lots -= gone.tick_lots
            self.price_day_ago = gone.close
            self._extremes_stale |= gone.high == self.high or gone.low == self.low
        self._rescan()

    def end_minute(self) -> None:
        """Hand on the minute under way, although it may not be over: a leap begins."""
        if self._live is not None:
            self._closed(self._live)
            self._live = None

    def _count(self, bar: Bar, lots: int, tick_lots: int) -> None:
        bar.lots += lots
        bar.tick_lots += tick_lots
        self.lots += lots
        self.tick_lots += tick_lots

    def _rescan(self) -> None:
        if not self.bars:
            return
        if self._extremes_stale:
            # Over 1441 bars, but only when an extreme has left: cheaper than keeping two monotonic
            # queues right.
            self._extremes_stale = False
            self.high = max(bar.high for bar in self.bars)
            self.low = min(bar.low for bar in self.bars)
        self.price_hour_ago = next(
            (bar.close for bar in reversed(self.bars) if bar.minute < self.minute - 60),
            self.price_day_ago,
        )
