"""One watched instrument inside of one process: its newest ticker, shown to any number."""

import asyncio
from collections.abc import AsyncGenerator
from dataclasses import replace

from adapters.redis.frames import Frame
from adapters.redis.metrics import HubMetrics
from adapters.redis.names import Topic
from domain.kernel.ids import InstrumentId
from domain.market.model import Ticker


class TickerTopic:
    """Keeps one value, whatever the number and the speed of watchers.

    A watcher remembers the version it saw last and takes the newest when it comes back: conflation
    without a queue. A slow watcher costs nothing but the number it remembers.
    """

    def __init__(self, instrument: InstrumentId, names: Topic) -> None:
        self.id = instrument
        self.names = names
        self.watchers = 0
        self._position = (-1, -1)
        self._heard: Ticker | None = None
        self._shown: Ticker | None = None
        self._version = 0
        self._changed = asyncio.Event()

    def would_take(self, frame: Frame) -> bool:
        """False for a frame that was seen before, or is older than what was seen."""
        return frame.position > self._position

    def take(self, frame: Frame, ticker: Ticker, *, live: bool) -> None:
        """Make this the newest; the caller has asked ``would_take``."""
        self._position = frame.position
        self._heard = ticker
        self.overlay(live=live)

    def overlay(self, *, live: bool) -> None:
        """Show the ticker as the feed's state has it; told to watchers when that is a change."""
        if self._heard is None:
            return
        stale = self._heard.stale or not live
        shown = self._heard if stale == self._heard.stale else replace(self._heard, stale=stale)
        if shown == self._shown:
            return
        self._shown = shown
        self._version += 1
        self._changed.set()
        self._changed = asyncio.Event()

    async def values(self, metrics: HubMetrics) -> AsyncGenerator[Ticker, None]:
        """The newest at once, or as soon as there is one; then the newest after every change."""
        seen = 0
        while True:
            changed, version, shown = self._changed, self._version, self._shown
            if shown is None or version == seen:
                await changed.wait()
                continue
            if seen and version > seen + 1:
                metrics.values_conflated(version - seen - 1)
            seen = version
            yield shown
