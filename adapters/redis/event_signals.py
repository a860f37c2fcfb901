"""Streams that have grown, told through Redis: one connection, any number of streams."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from adapters.redis.client import RedisClient
from adapters.redis.listener import Listener
from adapters.redis.metrics import HubMetrics
from adapters.redis.names import Place
from domain.kernel.events import Event, StreamName

CONSUMER = "signal"
# A stream nobody grew for a day is read from the database by whoever comes.
_KEPT_SECONDS = 86_400

# The newest number wins, whatever order the processes that carry come in.
_SIGNAL = """
for i = 1, #KEYS, 2 do
  local newest = ARGV[(i + 1) / 2]
  local kept = redis.call('GET', KEYS[i])
  if not kept or tonumber(kept) < tonumber(newest) then
    redis.call('SET', KEYS[i], newest, 'EX', ARGV[#ARGV])
  end
  redis.call('PUBLISH', KEYS[i + 1], newest)
end
return 1
"""


class RedisEventSignaller:
    """The consumer that tells everybody. Telling twice does no harm."""

    name = CONSUMER

    def __init__(self, client: RedisClient) -> None:
        self._names = client.names
        self._signal = client.script(_SIGNAL)

    async def consume(self, events: Sequence[Event]) -> None:
        """Raises Unavailable, TimedOut."""
        newest: dict[StreamName, int] = {}
        for event in events:
            newest[event.stream] = max(event.sequence, newest.get(event.stream, 0))
        places = [self._names.stream(stream) for stream in newest]
        keys = [name for place in places for name in (place.key, place.channel)]
        await self._signal(keys=keys, args=[*newest.values(), _KEPT_SECONDS])


class _Signal:
    def __init__(self) -> None:
        self._heard = asyncio.Event()

    def hear(self) -> None:
        self._heard.set()

    async def wait(self, timeout_seconds: float) -> None:
        try:
            async with asyncio.timeout(timeout_seconds):
                await self._heard.wait()
        except TimeoutError:
            pass
        self._heard.clear()


class RedisEventSignals:
    """One per process; ``run`` is its duty."""

    def __init__(self, client: RedisClient, *, metrics: HubMetrics) -> None:
        self._names = client.names
        self._signals: dict[str, set[_Signal]] = {}
        self._listener = Listener(
            client,
            on_subscribed=self._wake,
            read=lambda channel, _value: self._wake(channel),
            hear=lambda channel, _value: self._wake(channel),
            on_connected=lambda: None,
            on_lost=self._wake_all,
            metrics=metrics,
        )

    @asynccontextmanager
    async def of(self, stream: StreamName) -> AsyncIterator[_Signal]:
        """Hear of one stream. What was committed while Redis was away is heard of afterwards."""
        place = self._names.stream(stream)
        signal = _Signal()
        self._follow(place, signal)
        try:
            yield signal
        finally:
            self._forget(place, signal)

    async def run(self) -> None:
        """Listen for ever; ends only by cancellation."""
        await self._listener.run()

    def _follow(self, place: Place, signal: _Signal) -> None:
        self._signals.setdefault(place.channel, set()).add(signal)
        self._listener.follow(place)

    def _forget(self, place: Place, signal: _Signal) -> None:
        left = self._signals[place.channel]
        left.discard(signal)
        if not left:
            del self._signals[place.channel]
            self._listener.forget(place)

    def _wake(self, channel: str) -> None:
        for signal in self._signals.get(channel, ()):
            signal.hear()

    def _wake_all(self) -> None:
        for channel in self._signals:
            self._wake(channel)
