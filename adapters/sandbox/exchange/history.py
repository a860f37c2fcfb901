"""Thirty days of minutes per instrument, made when somebody looks at them.

The past before the day that is lived at birth, and the middle of a long leap of the clock, are
`Leg`s: stretches of at most a day between two known prices of the coin. A leg becomes minutes (a
Brownian bridge, seeded by where it stands) on the first request that touches it: 30 days of one
instrument cost about 0.2 s and 1.7 MB, and most instruments are never asked.
"""

from array import array
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from math import exp, log
from random import Random

from adapters.sandbox.exchange.statistics import DAY_MINUTES, Bar

HISTORY_DAYS = 30
# One day more, so that thirty whole days are there at any time of a day.
KEPT_MINUTES = (HISTORY_DAYS + 1) * DAY_MINUTES

Path = tuple[int, int, int, int]


def _column() -> "array[int]":
    return array("q")


@dataclass(frozen=True, slots=True)
class Leg:
    """From `first` to before `last`, in minutes since the epoch, between two values in nano."""

    first: int
    last: int
    opened: int
    closed: int

    def walk(self, random: Random, deviation: float) -> Iterator[Path]:
        """Open, high, low, close of each minute; `deviation` is one minute's, as a fraction."""
        count = self.last - self.first
        steps, walked = [0.0] * count, 0.0
        for index in range(count):
            walked += random.gauss(0, deviation)
            steps[index] = walked
        slope = (log(self.closed / self.opened) - walked) / count
        opened, excursion = self.opened, 2 / deviation
        for index, step in enumerate(steps):
            closed = max(1, round(self.opened * exp(step + slope * (index + 1))))
            if index == count - 1:
                closed = self.closed  # Exactly: the next leg opens there.
            above, below = random.expovariate(excursion), random.expovariate(excursion)
            high = round(max(opened, closed) * (1 + above))
            low = max(1, round(min(opened, closed) / (1 + below)))
            yield opened, high, low, closed
            opened = closed


@dataclass(slots=True)
class Minutes:
    """Consecutive minutes as columns of ticks and lots; a minute without a trade stands still."""

    first: int
    opened: int  # the price before the first minute
    high: "array[int]" = field(default_factory=_column)
    low: "array[int]" = field(default_factory=_column)
    close: "array[int]" = field(default_factory=_column)
    lots: "array[int]" = field(default_factory=_column)
    tick_lots: "array[int]" = field(default_factory=_column)

    @property
    def last(self) -> int:
        """The minute after these."""
        return self.first + len(self.close)

    def add(self, bar: Bar) -> None:
        self.high.append(bar.high)
        self.low.append(bar.low)
        self.close.append(bar.close)
        self.lots.append(bar.lots)
        self.tick_lots.append(bar.tick_lots)

    def rest_until(self, minute: int) -> None:
        price = self.close[-1] if self.close else self.opened
        for standing in range(self.last, minute):
            self.add(Bar(standing, price, price, price, price, 0, 0))


class History:
    """One instrument's closed minutes, oldest first."""

    def __init__(
        self, materialise: Callable[[Leg], Minutes], ticks_of: Callable[[int], int]
    ) -> None:
        self._materialise = materialise
        self._ticks_of = ticks_of
        self._parts: list[Leg | Minutes] = []

    @property
    def first(self) -> int:
        """The oldest minute there is, made or not."""
        return self._parts[0].first

    def skip(self, legs: list[Leg]) -> None:
        """Take note of a past or a leap that nobody has looked at: one leg at least."""
        part = self._parts[-1] if self._parts else None
        if isinstance(part, Minutes):
            part.rest_until(legs[0].first)
        self._parts += legs

    def close(self, bar: Bar) -> None:
        """Take a minute that is over; one that is there already stays as it is."""
        part = self._parts[-1] if self._parts else None
        if part is not None and bar.minute < part.last:
            return
        if not isinstance(part, Minutes) or len(part.close) >= DAY_MINUTES:
            opened = bar.open if part is None else self._close_of(part)
            part = Minutes(part.last if part else bar.minute, opened)
            self._parts.append(part)
        part.rest_until(bar.minute)
        part.add(bar)
        while self._parts[0].last < bar.minute - KEPT_MINUTES:
            del self._parts[0]

    def unseen(self, first: int) -> bool:
        """Whether reading from this minute on would have to make a leg."""
        return any(isinstance(part, Leg) and part.last > first for part in self._parts)

    def make_one(self, first: int) -> None:
        """Make the newest unmade leg from this minute on; a long request makes one at a time."""
        for index in reversed(range(len(self._parts))):
            part = self._parts[index]
            if isinstance(part, Leg) and part.last > first:
                made = self._materialise(part)
                if index:
                    made.opened = self._close_of(self._parts[index - 1])
                self._parts[index] = made
                return

    def _close_of(self, part: Leg | Minutes) -> int:
        return part.close[-1] if isinstance(part, Minutes) else self._ticks_of(part.closed)

    def read(self, first: int, last: int) -> Iterator[Minutes]:
        """The parts that hold minutes from `first` to before `last`, which is over by now."""
        newest = self._parts[-1] if self._parts else None
        if isinstance(newest, Minutes):
            newest.rest_until(last)  # Nobody closes a minute in which nothing traded.
        while self.unseen(first):
            self.make_one(first)
        for part in self._parts:
            if isinstance(part, Minutes) and part.last > first and part.first < last:
                yield part
