"""One watched topic inside of one process: its newest value, shown to any number of watchers."""

import asyncio
from abc import ABC, abstractmethod
from collections.abc import AsyncGenerator
from dataclasses import replace
from typing import Generic, TypeVar

from adapters.redis.codecs import decode_update
from adapters.redis.frames import NOWHERE, Frame, Position, decode_frame
from adapters.redis.metrics import HubMetrics
from adapters.redis.names import Place
from domain.market.conflation import Slot
from domain.market.tape import Trades
from domain.market.topics import Follow
from domain.market.updates import Update

D = TypeVar("D")


class Watcher:
    """What is on its way to one reader: as much as a Slot keeps, however slow it is."""

    def __init__(self, metrics: HubMetrics) -> None:
        self._metrics = metrics
        self._slot = Slot()
        self._filled = asyncio.Event()
        self._shown: Update | None = None

    def put(self, update: Update) -> None:
        """Never waits."""
        if surpassed := self._slot.put(update):
            self._metrics.values_conflated(surpassed)
        self._filled.set()

    async def updates(self) -> AsyncGenerator[Update, None]:
        """What was put, conflated, as far as it differs from what was shown last."""
        while True:
            await self._filled.wait()
            self._filled.clear()
            for update in self._slot.take():
                if self._tells_something(update):
                    self._shown = update
                    yield update

    def _tells_something(self, update: Update) -> bool:
        if isinstance(update, Trades) and self._shown is not None:
            return bool(update.trades or update.dropped) or update.stale != self._shown.stale
        return update != self._shown


class WatchedTopic(ABC, Generic[D]):
    """Takes frames in their order and lays the state of the feed over what it shows."""

    def __init__(self, follow: Follow, place: Place, metrics: HubMetrics) -> None:
        self.follow = follow
        self.place = place
        self._metrics = metrics
        self._watchers: set[Watcher] = set()
        self._position: Position = NOWHERE
        self._live = False

    @property
    def watchers(self) -> int:
        return len(self._watchers)

    def enter(self) -> Watcher:
        """A new watcher, to whom the newest value is on its way if there is one."""
        watcher = Watcher(self._metrics)
        self._watchers.add(watcher)
        if (newest := self._newest()) is not None:
            watcher.put(newest)
        return watcher

    def leave(self, watcher: Watcher) -> None:
        self._watchers.discard(watcher)

    def hear(self, raw: bytes) -> bool:
        """Take in what was announced; False when it is old. Raises CorruptFrame."""
        frame = decode_frame(raw)
        # What is old is not worth decoding further.
        return frame.position > self._position and self._take(frame.position, self._decoded(frame))

    def subscribed(self) -> None:
        """Everything announced from now on is heard; nothing is known of what was before."""

    def read(self, raw: bytes | None) -> bool:
        """Take in the newest value as kept; False when it is old. Raises CorruptFrame."""
        return raw is None or self.hear(raw)

    def overlay(self, *, live: bool) -> None:
        """Show the value as the feed's state has it; told to watchers when that is a change."""
        self._live = live
        self._show_state()

    def _tell(self, update: Update) -> None:
        for watcher in self._watchers:
            watcher.put(update)

    @abstractmethod
    def _decoded(self, frame: Frame) -> D: ...

    @abstractmethod
    def _take(self, position: Position, value: D) -> bool: ...

    @abstractmethod
    def _newest(self) -> Update | None: ...

    @abstractmethod
    def _show_state(self) -> None: ...


class LatestTopic(WatchedTopic[Update]):
    """Tickers, books and candles: a value takes the place of the one before."""

    def __init__(self, follow: Follow, place: Place, metrics: HubMetrics) -> None:
        super().__init__(follow, place, metrics)
        self._heard: Update | None = None
        self._shown: Update | None = None

    def _decoded(self, frame: Frame) -> Update:
        return decode_update(frame.data, self.follow.topic)

    def _take(self, position: Position, value: Update) -> bool:
        if position <= self._position:
            return False
        self._position = position
        self._heard = value
        self._show_state()
        return True

    def _newest(self) -> Update | None:
        return self._shown

    def _show_state(self) -> None:
        if self._heard is None:
            return
        stale = self._heard.stale or not self._live
        shown = self._heard if stale == self._heard.stale else replace(self._heard, stale=stale)
        if shown != self._shown:
            self._shown = shown
            self._tell(shown)
