"""Keep our catalogue what the venue says, from the worker."""

import asyncio
from collections.abc import Collection

from domain.kernel.failures import Failure
from domain.kernel.ids import Category
from domain.market.ports import Instruments, VenueCatalogue

REFRESH_EVERY_SECONDS = 3600.0
RETRY_EVERY_SECONDS = 1.0


class CatalogueRefresh:
    """Copies the venue's instruments into the database: at start, then hourly."""

    def __init__(
        self,
        *,
        venue: VenueCatalogue,
        instruments: Instruments,
        categories: Collection[Category],
    ) -> None:
        self._venue = venue
        self._instruments = instruments
        self._categories = categories
        self.refreshes = 0

    async def run(self) -> None:
        """Refresh for ever; ends only by cancellation."""
        while True:
            try:
                await self.refresh()
            except Failure:
                await asyncio.sleep(RETRY_EVERY_SECONDS)
            else:
                await asyncio.sleep(REFRESH_EVERY_SECONDS)

    async def refresh(self) -> None:
        """Refresh every category once. Raises Unavailable, TimedOut, Rejected, Conflict."""
        for category in self._categories:
            await self._instruments.replace(category, await self._venue.instruments(category))
        self.refreshes += 1
