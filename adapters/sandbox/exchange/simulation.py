"""The simulated market: every process stepped by one task every 100 ms, born with a day behind it.

`advance` does all the work and needs no event loop, so a test can live a day of it in a second with
its own clock.
"""

import asyncio
from collections.abc import Sequence
from decimal import Decimal

from adapters.sandbox.exchange.instruments import INSTRUMENTS, Category, Instrument
from adapters.sandbox.exchange.listing import Listing
from adapters.sandbox.exchange.process import STEP_MS, FairValue, InstrumentProcess
from adapters.sandbox.exchange.profiles import PROFILES
from adapters.sandbox.exchange.statistics import DAY_MINUTES, MINUTE_MS
from adapters.sandbox.exchange.venue import Feed, Topic
from adapters.sandbox.exchange.wire import epoch_ms
from domain.kernel.clock import Clock

# A gap longer than this is a leap of the clock, not a slow machine: it is lived in minutes.
LEAP_MS = 2 * MINUTE_MS


class SimulatedMarket:
    """Deterministic from the seed and the instants at which it is advanced."""

    mode = "simulation"

    def __init__(self, *, seed: int, clock: Clock) -> None:
        self._clock = clock
        self._now_ms = epoch_ms(clock) // STEP_MS * STEP_MS
        self._fair = {
            base: FairValue(base, profile, seed=seed) for base, profile in PROFILES.items()
        }
        self._listings = {
            (instrument.category, instrument.symbol): Listing(
                InstrumentProcess(
                    instrument,
                    PROFILES[instrument.base],
                    self._fair[instrument.base],
                    seed=seed,
                    now_ms=self._now_ms - (DAY_MINUTES + 1) * MINUTE_MS,
                )
            )
            for instrument in INSTRUMENTS
        }
        self._topics = {
            topic: listing
            for listing in self._listings.values()
            for topic in (listing.tickers, listing.best)
        }
        self._live_minutes(self._now_ms // MINUTE_MS - DAY_MINUTES)
        for listing in self._listings.values():
            listing.process.cross_sequence = self._now_ms
            listing.process.update_id = self._now_ms // STEP_MS

    def instruments(self, category: Category) -> Sequence[Instrument]:
        return [instrument for instrument in INSTRUMENTS if instrument.category is category]

    def ticker_row(self, instrument: Instrument) -> dict[str, str]:
        return self._listings[instrument.category, instrument.symbol].row(self._now_ms)

    def process(self, category: Category, symbol: str) -> InstrumentProcess:
        return self._listings[category, symbol].process

    def offers(self, topic: Topic) -> bool:
        return topic in self._topics

    def snapshot(self, topic: Topic) -> str:
        return self._topics[topic].snapshot(topic, self._now_ms)

    def shock(self, instrument: Instrument, percent: Decimal, feed: Feed) -> None:
        """Move the coin's fair value: linear, spot and index follow together and at once."""
        self._fair[instrument.base].shock(percent)
        for listing in self._listings.values():
            if listing.instrument.base == instrument.base:
                listing.process.react(self._now_ms)
                listing.publish(feed, self._now_ms)

    def advance(self, feed: Feed) -> None:
        """Live until the clock's present and publish where that led."""
        target = epoch_ms(self._clock) // STEP_MS * STEP_MS
        gap = target - self._now_ms
        if gap > LEAP_MS:
            following = self._now_ms // MINUTE_MS + 1
            self._now_ms = target
            self._live_minutes(max(following, target // MINUTE_MS - DAY_MINUTES))
        elif gap < 0:
            self._now_ms = (
                target  # The clock was set back: the path goes on, its stamps follow the clock.
            )
        while self._now_ms < target:
            self._now_ms += STEP_MS
            self._step()
        if gap:
            for listing in self._listings.values():
                listing.publish(feed, self._now_ms)

    async def run(self, feed: Feed) -> None:
        loop = asyncio.get_running_loop()
        while True:
            self.advance(feed)
            # To the next point of the grid, not 100 ms from now: a slow step does not slow the
            # market.
            await asyncio.sleep(STEP_MS / 1000 - loop.time() % (STEP_MS / 1000))

    def _step(self) -> None:
        for fair in self._fair.values():
            fair.step()
        for listing in self._listings.values():
            listing.process.step(self._now_ms)

    def _live_minutes(self, first: int) -> None:
        this_minute = self._now_ms // MINUTE_MS
        for minute in range(first, this_minute):
            paths = {base: fair.minute() for base, fair in self._fair.items()}
            for listing in self._listings.values():
                listing.process.minute(minute, paths[listing.instrument.base])
        for listing in self._listings.values():
            listing.process.settle()
            listing.process.day.roll(this_minute)
