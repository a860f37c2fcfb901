"""Funding rates and open interest of the past (Bybit v5 funding/history, open-interest).

What the process lived is told as it was; before that, both are drawn from the instant alone, so
that a page looks the same whenever it is asked. The past reaches back to the launch.
"""

from collections import deque
from math import pi, sin
from random import Random

from adapters.sandbox.exchange.instruments import Instrument
from adapters.sandbox.exchange.wire import fixed, plain

HOUR_MS = 3_600_000
INTEREST_GRID_MS = 300_000
# What is remembered as lived: more than the 200 rows of a page, and two days of open interest.
FUNDINGS_KEPT, INTERESTS_KEPT = 400, 600
# Invented: swings of a tenth of the open interest in nine days and a thousandth of noise.
SWING, SWING_MS, NOISE = 0.1, 9 * 24 * HOUR_MS, 0.001
FUNDING_DEVIATION_E8 = 3_000


class Contracts:
    """One linear instrument's two series."""

    def __init__(self, instrument: Instrument, *, seed: int, lots: int, rate_e8: int) -> None:
        self._instrument = instrument
        self._name = f"{seed}:{instrument.symbol}"
        self._lots = lots
        self._rate_e8 = rate_e8
        self._born_ms: int | None = None
        self._fundings: deque[tuple[int, int]] = deque(maxlen=FUNDINGS_KEPT)
        self._interests: deque[tuple[int, int]] = deque(maxlen=INTERESTS_KEPT)

    @property
    def funding_interval_ms(self) -> int:
        return self._instrument.funding_interval_hours * HOUR_MS

    @property
    def launch_ms(self) -> int:
        return int(self._instrument.info.get("launchTime", "0"))

    def live(self, now_ms: int, *, lots: int, rate_e8: int) -> None:
        """Remember what stands at the grid points; called once a minute."""
        if self._born_ms is None:
            self._born_ms = now_ms
        for kept, grid, value in (
            (self._fundings, self.funding_interval_ms, rate_e8),
            (self._interests, INTEREST_GRID_MS, lots),
        ):
            point = now_ms // grid * grid
            if now_ms - point < INTEREST_GRID_MS and (not kept or kept[-1][0] < point):
                kept.append((point, value))

    def funding(self, at_ms: int) -> dict[str, str]:
        rate = dict(self._fundings).get(at_ms)
        if rate is None:
            random = Random(f"{self._name}:funding:{at_ms}")  # noqa: S311  # to be repeated
            rate = round(random.gauss(self._rate_e8, FUNDING_DEVIATION_E8))
        return {
            "symbol": self._instrument.symbol,
            "fundingRate": plain(rate, 8),
            "fundingRateTimestamp": str(at_ms),
        }

    def interest(self, at_ms: int) -> dict[str, str]:
        lots = dict(self._interests).get(at_ms)
        if lots is None:
            random = Random(f"{self._name}:interest:{at_ms}")  # noqa: S311  # to be repeated
            # The made-up past leads to where the living market began.
            born = self._born_ms if self._born_ms is not None else at_ms
            swing = SWING * (_wave(at_ms) - _wave(born)) + random.gauss(0, NOISE)
            lots = round(self._lots * (1 + swing))
        units, decimals = lots * self._instrument.lot_units, self._instrument.lot_decimals
        single = (lots + 1) // 2 * self._instrument.lot_units
        return {
            # The documented example writes the first with eight decimals and the second bare.
            "openInterest": fixed(units * 10 ** (8 - decimals), 8),
            "singleOpenInterest": plain(single, decimals),
            "timestamp": str(at_ms),
        }


def _wave(at_ms: int) -> float:
    return sin(2 * pi * at_ms / SWING_MS)
