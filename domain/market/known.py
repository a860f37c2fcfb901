"""The instruments that are known, kept in memory: a symbol is checked on every request."""

import asyncio
from collections.abc import Mapping, Sequence

from domain.kernel.clock import Clock
from domain.kernel.failures import Unavailable
from domain.kernel.ids import Category, InstrumentId
from domain.market.model import Instrument
from domain.market.ports import Instruments

# The worker refreshes the catalogue hourly; a new listing is on every process a minute later.
CATALOGUE_AGE_MAX_SECONDS = 60.0
# An empty catalogue is a system that starts: look again soon.
EMPTY_CATALOGUE_AGE_MAX_SECONDS = 0.25


class Catalogue:
    """The instruments, kept in memory for a minute: a symbol is checked on every request."""

    def __init__(self, instruments: Instruments, clock: Clock) -> None:
        self._instruments = instruments
        self._clock = clock
        self._kept: dict[Category, tuple[float, dict[InstrumentId, Instrument]]] = {}
        self._asking: dict[Category, asyncio.Lock] = {}
        self._failed: dict[Category, tuple[float, Unavailable]] = {}

    async def of_category(self, category: Category) -> Mapping[InstrumentId, Instrument]:
        """All of a category by id, in the order of their symbols.

        Raises Unavailable while the catalogue has never been filled. When the database cannot be
        asked, what was kept is served however old: instruments change by the month.
        """
        kept = self._kept.get(category)
        if kept and self._clock.monotonic() < kept[0]:
            return self._filled(kept[1])
        # A storm of clients on a process that has just started is one question, not one each, and
        # its failure is everybody's who waited for it.
        since = self._clock.monotonic()
        async with self._asking.setdefault(category, asyncio.Lock()):
            return await self._asked(category, since)

    async def _asked(self, category: Category, since: float) -> Mapping[InstrumentId, Instrument]:
        kept = self._kept.get(category)
        now = self._clock.monotonic()
        if kept and now < kept[0]:  # somebody asked while this one waited
            return self._filled(kept[1])
        try:
            rows = await self._rows(category, since)
        except Unavailable:
            if kept and kept[1]:
                return kept[1]
            raise
        found = {row.id: row for row in rows}
        age = CATALOGUE_AGE_MAX_SECONDS if found else EMPTY_CATALOGUE_AGE_MAX_SECONDS
        self._kept[category] = (now + age, found)
        return self._filled(found)

    async def _rows(self, category: Category, since: float) -> Sequence[Instrument]:
        failed = self._failed.get(category)
        if failed is not None and failed[0] > since:
            raise Unavailable("instrument catalogue", retry_after_seconds=1) from failed[1]
        try:
            return await self._instruments.of_category(category)
        except Unavailable as failure:
            self._failed[category] = (self._clock.monotonic(), failure)
            raise

    def _filled(
        self, found: Mapping[InstrumentId, Instrument]
    ) -> Mapping[InstrumentId, Instrument]:
        if not found:
            raise Unavailable("instrument catalogue", retry_after_seconds=1)
        return found
