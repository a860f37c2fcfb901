"""The hub of one web process: all its watchers over one listening connection.

Redis may die, the feed may die, its leader may change: watchers notice nothing but ``stale``.
"""

import asyncio
from collections.abc import AsyncGenerator, Collection, Mapping
from contextlib import aclosing
from dataclasses import replace

from adapters.redis.client import RedisClient
from adapters.redis.frames import (
    CorruptFrame,
    decode_frame,
    decode_report,
    decode_ticker,
)
from adapters.redis.listener import Listener
from adapters.redis.metrics import DropReason, HubMetrics, NullHubMetrics
from adapters.redis.pulse import FeedPulse
from adapters.redis.topics import TickerTopic
from adapters.redis.wanted import WantedMarks
from domain.kernel.clock import Clock
from domain.kernel.ids import Category, InstrumentId
from domain.market.model import FeedReport, FeedState, Ticker

# After the last watcher left: a page that reloads finds its topic warm.
LINGER_SECONDS = 5.0
BEAT_EVERY_SECONDS = 0.1


class RedisLiveTickers:
    """Implements domain.market.ports.LiveTickers and FeedReports.

    ``run`` must be running for ``watch`` and ``reports``; ``latest`` works without it.
    """

    def __init__(
        self,
        client: RedisClient,
        *,
        clock: Clock,
        categories: Collection[Category],
        linger_seconds: float = LINGER_SECONDS,
        metrics: HubMetrics | None = None,
    ) -> None:
        self._client = client
        self._names = client.names
        self._clock = clock
        self._linger_seconds = linger_seconds
        self._metrics = metrics or NullHubMetrics()
        self._pulse = FeedPulse(categories, clock)
        self._live = dict.fromkeys(categories, False)
        self._reports = {self._names.report(c).channel: c for c in categories}
        self._topics: dict[str, TickerTopic] = {}
        self._idle: dict[str, float] = {}
        self._watchers = 0
        self._wanted = WantedMarks(client, self._watched)
        self._listener = Listener(
            client,
            hear=self._hear,
            on_connected=lambda: self._wanted.mark(*self._watched()),
            on_lost=self._lose,
            metrics=self._metrics,
        )
        # Followed first, so that the first price heard already knows whether its feed lives.
        for category in categories:
            self._listener.follow(self._names.report(category))

    async def run(self) -> None:
        """Serve for ever; ends only by cancellation."""
        async with asyncio.TaskGroup() as duties:
            duties.create_task(self._listener.run())
            duties.create_task(self._wanted.run())
            duties.create_task(self._beat())

    async def watch(self, instrument: InstrumentId) -> AsyncGenerator[Ticker, None]:
        """As the port says. Waits for a first value as long as there is none, and never fails."""
        topic = self._enter(instrument)
        try:
            async with aclosing(topic.values(self._metrics)) as values:
                async for ticker in values:
                    yield ticker
        finally:
            self._leave(topic)

    async def latest(self, ids: Collection[InstrumentId]) -> Mapping[InstrumentId, Ticker]:
        """As the port says; a read of Redis, so that it does not depend on what is watched here."""
        categories = list({i.category for i in ids})
        keys = [self._names.report(c).key for c in categories]
        keys += [self._names.ticker(i).key for i in ids]
        values = await self._client.values(keys)
        # A report expires with its feed: whoever is found here spoke within two seconds.
        live = {c for c, raw in zip(categories, values, strict=False) if raw and self._is_live(raw)}
        found: dict[InstrumentId, Ticker] = {}
        for instrument, raw in zip(ids, values[len(categories) :], strict=True):
            if raw is not None and (ticker := self._ticker(instrument, raw)) is not None:
                stale = ticker.stale or instrument.category not in live
                found[instrument] = replace(ticker, stale=stale)
        return found

    def reports(self) -> Mapping[Category, FeedReport]:
        """As the port says; a category never heard of is DISCONNECTED since this hub was made."""
        return self._pulse.reports()

    def _enter(self, instrument: InstrumentId) -> TickerTopic:
        names = self._names.ticker(instrument)
        topic = self._topics.get(names.channel)
        if topic is None:
            topic = self._topics[names.channel] = TickerTopic(instrument, names)
            self._wanted.mark(instrument)
            self._listener.follow(names)
        self._idle.pop(names.channel, None)
        topic.watchers += 1
        self._count(+1)
        return topic

    def _leave(self, topic: TickerTopic) -> None:
        topic.watchers -= 1
        self._count(-1)
        if topic.watchers == 0:
            self._idle[topic.names.channel] = self._clock.monotonic() + self._linger_seconds

    def _count(self, step: int) -> None:
        self._watchers += step
        self._metrics.watchers_changed(watchers=self._watchers, topics=len(self._topics))

    def _watched(self) -> list[InstrumentId]:
        return [topic.id for topic in self._topics.values()]

    def _hear(self, channel: str, raw: bytes) -> None:
        self._metrics.frame_received()
        try:
            if (topic := self._topics.get(channel)) is not None:
                self._hear_ticker(topic, raw)
            elif (category := self._reports.get(channel)) is not None:
                self._hear_report(category, raw)
            else:
                self._metrics.frame_dropped(DropReason.UNKNOWN)
        except CorruptFrame:
            self._metrics.frame_dropped(DropReason.CORRUPT)

    def _hear_ticker(self, topic: TickerTopic, raw: bytes) -> None:
        frame = decode_frame(raw)
        if not topic.would_take(frame):
            self._metrics.frame_dropped(DropReason.OLD)
            return
        ticker = decode_ticker(frame.data, topic.id)
        topic.take(frame, ticker, live=self._live.get(topic.id.category, False))

    def _hear_report(self, category: Category, raw: bytes) -> None:
        frame = decode_frame(raw)
        if self._pulse.hear(decode_report(frame, category), frame.position):
            self._overlay(category)
        else:
            self._metrics.frame_dropped(DropReason.OLD)

    def _lose(self) -> None:
        """The connection broke: say so now, not when the silence has lasted."""
        self._pulse.lose()
        for category in self._live:
            self._overlay(category)

    def _is_live(self, raw: bytes) -> bool:
        try:
            return decode_frame(raw).data.get("state") == FeedState.LIVE
        except CorruptFrame:
            return False

    def _ticker(self, instrument: InstrumentId, raw: bytes) -> Ticker | None:
        try:
            return decode_ticker(decode_frame(raw).data, instrument)
        except CorruptFrame:
            self._metrics.frame_dropped(DropReason.CORRUPT)
            return None

    async def _beat(self) -> None:
        while True:
            for category in self._live:
                self._overlay(category)
            self._drop_idle()
            await asyncio.sleep(BEAT_EVERY_SECONDS)

    def _overlay(self, category: Category) -> None:
        """Tell every watcher of a category when its feed came alive or fell silent."""
        live = self._pulse.live(category)
        if live is self._live[category]:
            return
        self._live[category] = live
        for topic in self._topics.values():
            if topic.id.category is category:
                topic.overlay(live=live)

    def _drop_idle(self) -> None:
        now = self._clock.monotonic()
        for channel in [c for c, until in self._idle.items() if until <= now]:
            del self._idle[channel]
            self._listener.forget(self._topics.pop(channel).names)
            self._count(0)
