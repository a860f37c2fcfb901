"""The hub of one web process: all its watchers over one listening connection.

Redis may die, the feed may die, its leader may change: watchers notice nothing but ``stale``.
"""

import asyncio
from collections.abc import AsyncGenerator, Collection, Mapping
from contextlib import aclosing
from dataclasses import replace
from typing import TypeAlias

from adapters.redis.client import RedisClient
from adapters.redis.codecs import decode_update
from adapters.redis.fields import CorruptFrame
from adapters.redis.frames import decode_frame, decode_report
from adapters.redis.listener import Listener
from adapters.redis.metrics import DropReason, HubMetrics, NullHubMetrics
from adapters.redis.names import audible
from adapters.redis.pulse import FeedPulse
from adapters.redis.wanted import WantedMarks
from adapters.redis.watched import LatestTopic
from adapters.redis.watched_tape import TapeTopic
from domain.kernel.clock import Clock
from domain.kernel.ids import Category
from domain.market.model import FeedReport, FeedState
from domain.market.topics import Follow, Topic, TopicKind
from domain.market.updates import Update

# After the last watcher left: a page that reloads finds its topic warm.
LINGER_SECONDS = 5.0
BEAT_EVERY_SECONDS = 0.1
# So many tickers are remembered as they were decoded last: queries come oftener than prices.
_REMEMBERED = 2048

_Watched: TypeAlias = LatestTopic | TapeTopic


class RedisLiveMarket:
    """Implements domain.market.ports.LiveMarket and FeedReports.

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
        self._topics: dict[str, _Watched] = {}
        self._idle: dict[str, float] = {}
        self._read: dict[Topic, tuple[bytes, Update]] = {}
        self._watchers = 0
        self._wanted = WantedMarks(client, self._watched)
        self._listener = Listener(
            client,
            on_subscribed=self._on_subscribed,
            read=self._hear_kept,
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

    async def watch(self, follow: Follow) -> AsyncGenerator[Update, None]:
        """As the port says. Waits for a first value as long as there is none, and never fails.

        Trades begin with the last ones known; those told since come as they happen. ``dropped`` of
        Trades is 1 for a gap of unknown length. Trades and candles come at one rate only.
        """
        topic = self._enter(audible(follow))
        watcher = topic.enter()
        self._count(+1)
        try:
            async with aclosing(watcher.updates()) as updates:
                async for update in updates:
                    yield update
        finally:
            topic.leave(watcher)
            self._leave(topic)

    async def latest(self, topics: Collection[Topic]) -> Mapping[Topic, Update]:
        """As the port says; a read of Redis, so that it does not depend on what is watched here."""
        categories = list({topic.instrument.category for topic in topics})
        keys = [self._names.report(category).key for category in categories]
        keys += [self._names.latest(topic) for topic in topics]
        values = await self._client.values(keys)
        # A report expires with its feed: whoever is found here spoke within two seconds.
        live = {c for c, raw in zip(categories, values, strict=False) if raw and self._is_live(raw)}
        found: dict[Topic, Update] = {}
        for topic, raw in zip(topics, values[len(categories) :], strict=True):
            if raw is not None and (update := self._decoded(topic, raw)) is not None:
                silent = topic.instrument.category not in live and not update.stale
                found[topic] = replace(update, stale=True) if silent else update
        return found

    def reports(self) -> Mapping[Category, FeedReport]:
        """As the port says; a category never heard of is DISCONNECTED since this hub was made."""
        return self._pulse.reports()

    def _enter(self, follow: Follow) -> _Watched:
        place = self._names.followed(follow)
        topic = self._topics.get(place.channel)
        if topic is None:
            kind = TapeTopic if follow.topic.kind is TopicKind.TRADES else LatestTopic
            topic = self._topics[place.channel] = kind(follow, place, self._metrics)
            topic.overlay(live=self._live.get(follow.topic.instrument.category, False))
            self._wanted.mark(follow)
            self._listener.follow(place)
        self._idle.pop(place.channel, None)
        return topic

    def _leave(self, topic: _Watched) -> None:
        self._count(-1)
        if topic.watchers == 0:
            self._idle[topic.place.channel] = self._clock.monotonic() + self._linger_seconds

    def _count(self, step: int) -> None:
        self._watchers += step
        self._metrics.watchers_changed(watchers=self._watchers, topics=len(self._topics))

    def _watched(self) -> list[Follow]:
        return [topic.follow for topic in self._topics.values()]

    def _on_subscribed(self, channel: str) -> None:
        if topic := self._topics.get(channel):
            topic.subscribed()

    def _hear(self, channel: str, raw: bytes) -> None:
        self._metrics.frame_received()
        self._take(channel, raw, kept=False)

    def _hear_kept(self, channel: str, raw: bytes | None) -> None:
        if raw is not None:
            self._metrics.frame_received()
        self._take(channel, raw, kept=True)

    def _take(self, channel: str, raw: bytes | None, *, kept: bool) -> None:
        try:
            if (topic := self._topics.get(channel)) is not None:
                taken = topic.read(raw) if kept or raw is None else topic.hear(raw)
            elif (category := self._reports.get(channel)) is not None:
                taken = raw is None or self._hear_report(category, raw)
            else:
                self._metrics.frame_dropped(DropReason.UNKNOWN)
                return
        except CorruptFrame:
            self._metrics.frame_dropped(DropReason.CORRUPT)
            return
        if not taken:
            self._metrics.frame_dropped(DropReason.OLD)

    def _hear_report(self, category: Category, raw: bytes) -> bool:
        frame = decode_frame(raw)
        newer = self._pulse.hear(decode_report(frame, category), frame.position)
        if newer:
            self._overlay(category)
        return newer

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

    def _decoded(self, topic: Topic, raw: bytes) -> Update | None:
        known = self._read.get(topic)
        if known is not None and known[0] == raw:
            return known[1]
        try:
            update = decode_update(decode_frame(raw).data, topic)
        except CorruptFrame:
            self._metrics.frame_dropped(DropReason.CORRUPT)
            return None
        if topic.kind is TopicKind.TICKER:  # of books it would be megabytes
            if len(self._read) >= _REMEMBERED:
                self._read.clear()
            self._read[topic] = raw, update
        return update

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
            if topic.follow.topic.instrument.category is category:
                topic.overlay(live=live)

    def _drop_idle(self) -> None:
        now = self._clock.monotonic()
        for channel in [c for c, until in self._idle.items() if until <= now]:
            del self._idle[channel]
            self._listener.forget(self._topics.pop(channel).place)
            self._count(0)
