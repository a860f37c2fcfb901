"""How far the venue's clock is from ours: signed requests live or die by it."""

import asyncio

from domain.kernel.failures import Failure
from domain.market.ports import VenueCatalogue

MEASURE_EVERY_SECONDS = 30.0
# Bybit refuses what is stamped more than a second ahead of it (facts: "server + 1000").
OFFSET_SECONDS_MAX = 1.0


class VenueClock:
    """Measures twice a minute."""

    def __init__(self, venue: VenueCatalogue) -> None:
        self._venue = venue
        self.offset_seconds: float | None = None
        """The venue's clock minus ours; None before the first measurement, or when it failed."""

    @property
    def tolerable(self) -> bool:
        """Whether signed requests would be accepted, as far as is known."""
        return self.offset_seconds is None or abs(self.offset_seconds) < OFFSET_SECONDS_MAX

    async def run(self) -> None:
        """Measure for ever; ends only by cancellation."""
        while True:
            try:
                self.offset_seconds = await self._venue.clock_offset_seconds()
            except Failure:
                self.offset_seconds = None  # the breaker tells about the venue itself
            await asyncio.sleep(MEASURE_EVERY_SECONDS)
