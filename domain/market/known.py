"""The instruments that are known, kept in memory: a symbol is checked on every request."""

from collections.abc import Mapping

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

    async def of_category(self, category: Category) -> Mapping[InstrumentId, Instrument]:
        """All of a category by id, in the order of their symbols.

        Raises Unavailable while the catalogue has never been filled. When the database cannot be
        asked, what was kept is served however old: instruments change by the month.
        """
        kept = self._kept.get(category)
        now = self._clock.monotonic()
        if kept and now < kept[0]:
            return self._filled(kept[1])
        try:
            rows = await self._instruments.of_category(category)
        except Unavailable:
            if kept and kept[1]:
                return kept[1]
            raise
        found = {row.id: row for row in rows}
        age = CATALOGUE_AGE_MAX_SECONDS if found else EMPTY_CATALOGUE_AGE_MAX_SECONDS
        self._kept[category] = (now + age, found)
        return self._filled(found)

    def _filled(
        self, found: Mapping[InstrumentId, Instrument]
    ) -> Mapping[InstrumentId, Instrument]:
        if not found:
            raise Unavailable("instrument catalogue", retry_after_seconds=1)
        return found
