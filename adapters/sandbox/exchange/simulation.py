"""The simulated market: every process stepped by one task every 100 ms, born with a day behind it.

`advance` does all the work and needs no event loop, so a test can live a day of it in a second with
its own clock.
"""

import asyncio
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from adapters.sandbox.exchange.answers import (
    candle_rows,
    funding_rows,
    interest_rows,
    order_book_result,
    trade_rows,
)
from adapters.sandbox.exchange.depth import Depth
from adapters.sandbox.exchange.fair_value import FairValue
from adapters.sandbox.exchange.history import HISTORY_DAYS, Leg
from adapters.sandbox.exchange.instruments import INSTRUMENTS, Category, Instrument
from adapters.sandbox.exchange.listing import Listing
from adapters.sandbox.exchange.pace import MINUTE_MS, STEP_MS
from adapters.sandbox.exchange.process import InstrumentProcess
from adapters.sandbox.exchange.profiles import PROFILES, Profile
from adapters.sandbox.exchange.statistics import DAY_MINUTES
from adapters.sandbox.exchange.tickers import linear_data, linear_row, spot_data, spot_row, touch
from adapters.sandbox.exchange.venue import Feed, Topic, Window
from adapters.sandbox.exchange.wire import epoch_ms
from domain.kernel.clock import Clock

# A gap longer than this is a leap of the clock, not a slow machine: it is lived in minutes.
LEAP_MS = 2 * MINUTE_MS
# The last minutes of a past are lived trade by trade, so that the tape is never empty.
TAPED_MINUTES = 15


class SimulatedMarket:
    """Deterministic from the seed and the instants at which it is advanced."""

    mode = "simulation"

    def __init__(
        self, *, seed: int, clock: Clock, listed: Sequence[Instrument] = INSTRUMENTS
    ) -> None:
        self._clock = clock
        self._listed = listed
        self._now_ms = epoch_ms(clock) // STEP_MS * STEP_MS
        self._fair = {
            base: FairValue(base, profile, seed=seed)
            for base, profile in PROFILES.items()
            if base in {instrument.base for instrument in listed}
        }
        self._listings = {
            (instrument.category, instrument.symbol): self._made(instrument, seed)
            for instrument in listed
        }
        self._channels = {
            channel.topic: channel
            for listing in self._listings.values()
            for channel in listing.channels
        }
        minute = self._now_ms // MINUTE_MS
        oldest = (minute // DAY_MINUTES - HISTORY_DAYS - 1) * DAY_MINUTES
        for base, fair in self._fair.items():
            self._skip(base, fair.came_by(oldest, minute - DAY_MINUTES))
        self._live_minutes(minute - DAY_MINUTES)
        for listing in self._listings.values():
            listing.born(self._now_ms, self._now_ms // STEP_MS)

    def _made(self, instrument: Instrument, seed: int) -> Listing:
        profile: Profile = PROFILES[instrument.base]
        process = InstrumentProcess(
            instrument,
            profile,
            self._fair[instrument.base],
            seed=seed,
            now_ms=self._now_ms - (DAY_MINUTES + 1) * MINUTE_MS,
        )
        return Listing(process, Depth(process, profile.market(instrument.category), seed=seed))

    def instruments(self, category: Category) -> Sequence[Instrument]:
        return [instrument for instrument in self._listed if instrument.category is category]

    def ticker_row(self, instrument: Instrument) -> dict[str, str]:
        process = self.process(instrument.category, instrument.symbol)
        if instrument.category is Category.LINEAR:
            return linear_row(linear_data(process, self._now_ms))
        return spot_row(spot_data(process), *touch(process))

    def order_book(self, instrument: Instrument, levels: int) -> dict[str, Any]:
        listing = self._listings[instrument.category, instrument.symbol]
        return order_book_result(listing, levels, self._now_ms)

    def recent_trades(self, instrument: Instrument, limit: int) -> list[dict[str, Any]]:
        return trade_rows(self.process(instrument.category, instrument.symbol), limit)

    async def candles(
        self, instrument: Instrument, interval: str, window: Window
    ) -> list[list[str]]:
        process = self.process(instrument.category, instrument.symbol)
        return await candle_rows(process, interval, window)

    def funding_rates(self, instrument: Instrument, window: Window) -> list[dict[str, str]]:
        process = self.process(instrument.category, instrument.symbol)
        return funding_rows(process.contracts, window, self._now_ms)

    def open_interest(
        self, instrument: Instrument, interval_ms: int, window: Window
    ) -> list[dict[str, str]]:
        process = self.process(instrument.category, instrument.symbol)
        return interest_rows(process.contracts, interval_ms, window, self._now_ms)

    def process(self, category: Category, symbol: str) -> InstrumentProcess:
        return self._listings[category, symbol].process

    def offers(self, topic: Topic) -> bool:
        return topic in self._channels

    def snapshot(self, topic: Topic) -> str | None:
        return self._channels[topic].snapshot(self._now_ms)

    def shock(self, instrument: Instrument, percent: Decimal, feed: Feed) -> None:
        """Move the coin's fair value: linear, spot and index follow together and at once."""
        self._fair[instrument.base].shock(percent)
        for listing in self._listings.values():
            if listing.instrument.base == instrument.base:
                listing.process.react(self._now_ms)
                listing.catch_up()
                listing.publish(feed, self._now_ms)

    def advance(self, feed: Feed) -> None:
        """Live until the clock's present and publish where that led."""
        target = epoch_ms(self._clock) // STEP_MS * STEP_MS
        gap = target - self._now_ms
        if gap > LEAP_MS:
            following = self._now_ms // MINUTE_MS + 1
            self._now_ms = target
            begin = max(following, target // MINUTE_MS - DAY_MINUTES)
            for base, fair in self._fair.items():
                self._skip(base, fair.leap(following, begin))
            self._live_minutes(begin)
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
            listing.step(self._now_ms)

    def _skip(self, base: str, legs: list[Leg]) -> None:
        for listing in self._listings.values():
            if listing.instrument.base == base:
                listing.process.skip(legs)

    def _live_minutes(self, first: int) -> None:
        this_minute = self._now_ms // MINUTE_MS
        for minute in range(first, this_minute):
            paths = {base: fair.minute() for base, fair in self._fair.items()}
            taped = minute >= this_minute - TAPED_MINUTES
            for listing in self._listings.values():
                listing.process.minute(minute, paths[listing.instrument.base], taped=taped)
        for listing in self._listings.values():
            listing.process.settle()
            listing.process.day.roll(this_minute)
            listing.catch_up()
