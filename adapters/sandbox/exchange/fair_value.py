"""One coin's fair value: what its linear and its spot instrument hang on.

Volatility arrives in moves (one in 50 steps) and not as a tremble: in the recording the touch stood
still for seconds and then jumped.
"""

from collections.abc import Iterator
from decimal import Decimal
from itertools import pairwise
from math import exp
from random import Random

from adapters.sandbox.exchange.history import Leg, Path
from adapters.sandbox.exchange.pace import MOVES_PER_STEP, STEPS_PER_DAY
from adapters.sandbox.exchange.profiles import NANO, Profile
from adapters.sandbox.exchange.statistics import DAY_MINUTES


class FairValue:
    """One coin's value in nano-USDT; also its index price."""

    def __init__(self, base: str, profile: Profile, *, seed: int) -> None:
        self.base = base
        self.nano = profile.price_nano
        self._random = Random(f"{seed}:{base}")  # noqa: S311  # a market to be repeated, not a secret
        daily_ppb = profile.daily_volatility_ppm * 1000
        self._move_ppb = daily_ppb / (STEPS_PER_DAY * MOVES_PER_STEP) ** 0.5
        self._minute_ppb = daily_ppb / DAY_MINUTES**0.5
        self._seed = seed

    def step(self) -> None:
        if self._random.random() < MOVES_PER_STEP:
            self._move(round(self._random.gauss(0, self._move_ppb)))

    def minute(self) -> Path:
        """Walk a whole minute at once: open, high, low, close."""
        opened = self.nano
        self._move(round(self._random.gauss(0, self._minute_ppb)))
        above, below = (abs(round(self._random.gauss(0, self._minute_ppb / 2))) for _ in range(2))
        high = max(opened, self.nano) * (NANO + above) // NANO
        low = min(opened, self.nano) * (NANO - below) // NANO
        return opened, high, low, self.nano

    def came_by(self, first: int, last: int) -> list[Leg]:
        """Invent how the present value was reached from minute `first` to before `last`."""
        random = Random(f"{self._seed}:{self.base}:past:{first}")  # noqa: S311  # see above
        values = [self.nano]
        for begun, ended in reversed(_days(first, last)):
            values.append(self._drifted(values[-1], random, ended - begun))
        return _legs(first, last, values[::-1])

    def leap(self, first: int, last: int) -> list[Leg]:
        """Go on from minute `first` to `last`, leaving the way there to whoever looks."""
        values = [self.nano]
        for begun, ended in _days(first, last):
            values.append(self._drifted(values[-1], self._random, ended - begun))
        self.nano = values[-1]
        return _legs(first, last, values)

    def walk(self, leg: Leg) -> Iterator[Path]:
        """The minutes of a leg: the same for every instrument of the coin, whenever asked."""
        random = Random(f"{self._seed}:{self.base}:{leg.first}")  # noqa: S311  # see above
        return leg.walk(random, self._minute_ppb / NANO)

    def shock(self, percent: Decimal) -> None:
        self._move(int(percent * 10**7))

    def _move(self, ppb: int) -> None:
        self.nano = max(1, self.nano * (NANO + ppb) // NANO)

    def _drifted(self, nano: int, random: Random, minutes: int) -> int:
        return max(1, round(nano * exp(random.gauss(0, self._minute_ppb / NANO * minutes**0.5))))


def _days(first: int, last: int) -> list[tuple[int, int]]:
    """Cut minutes at midnights (UTC), so that no leg is longer than a day."""
    midnights = range((first // DAY_MINUTES + 1) * DAY_MINUTES, last, DAY_MINUTES)
    return list(pairwise([first, *midnights, last])) if first < last else []


def _legs(first: int, last: int, values: list[int]) -> list[Leg]:
    return [
        Leg(begun, ended, opened, closed)
        for (begun, ended), (opened, closed) in zip(
            _days(first, last), pairwise(values), strict=True
        )
    ]
