"""Hear the newest value of any number of places, whatever happens to Redis.

One connection. A place is subscribed first and read afterwards, so that nothing falls between the
two, and again after every reconnect; what comes twice is for the hearer to drop.
"""

import asyncio
import random
from collections.abc import Callable, Coroutine
from itertools import islice
from typing import Any

import structlog

from adapters.redis.channels import ChannelConnection
from adapters.redis.client import RedisClient
from adapters.redis.failures import RETRY_AFTER_SECONDS, WHAT
from adapters.redis.metrics import HubMetrics
from adapters.redis.names import Place
from domain.kernel.failures import Failure, Unavailable

log = structlog.get_logger()

PING_EVERY_SECONDS = 1.0
# A connection that does not even answer pings is dead, whatever TCP believes.
DEAF_SECONDS_MAX = 4.0
BACKOFF_SECONDS_MIN = 0.05
BACKOFF_SECONDS_MAX = 1.0
# Keeps one command far below a millisecond of Redis' time.
_PLACES_PER_COMMAND = 500
# A book of 200 levels is 8 kB: less than a megabyte is read at once.
_PLACES_PER_READ = 100


class Listener:
    """Calls back with the channel of what it is about, in the order of each channel.

    ``on_subscribed``: everything announced from now on is heard, until ``on_lost``.
    ``read``: the newest value then, or None when there is none; later than ``on_subscribed``, so
    that what was announced in between has been heard before it.
    ``hear``: a value was announced.
    """

    def __init__(
        self,
        client: RedisClient,
        *,
        on_subscribed: Callable[[str], None],
        read: Callable[[str, bytes | None], None],
        hear: Callable[[str, bytes], None],
        on_connected: Callable[[], None],
        on_lost: Callable[[], None],
        metrics: HubMetrics,
    ) -> None:
        self._client = client
        self._on_subscribed = on_subscribed
        self._read = read
        self._hear = hear
        self._on_connected = on_connected
        self._on_lost = on_lost
        self._metrics = metrics
        self._places: dict[str, Place] = {}
        self._subscribed: set[str] = set()
        self._unread: dict[str, Place] = {}
        self._changed = asyncio.Event()
        self._readable = asyncio.Event()
        self._heard_at = 0.0
        self._backoff_seconds = BACKOFF_SECONDS_MIN

    def follow(self, place: Place) -> None:
        """Hear this too. Returns at once."""
        self._places[place.channel] = place
        if place.channel in self._subscribed:  # forgotten a moment ago, and not yet left
            self._read_soon(place)
        self._changed.set()

    def forget(self, place: Place) -> None:
        """Hear it no more, soon. Returns at once."""
        self._places.pop(place.channel, None)
        self._changed.set()

    async def run(self) -> None:
        """Listen for ever, reconnecting with backoff; ends only by cancellation."""
        while True:
            failure = await self._listen_until_failure()
            self._on_lost()
            self._metrics.connection_lost()
            reason = type(failure.__cause__ or failure).__name__
            log.warning("listener_disconnected", reason=reason)
            await asyncio.sleep(self._backoff_seconds * random.uniform(0.5, 1))  # noqa: S311  # jitter
            self._backoff_seconds = min(self._backoff_seconds * 2, BACKOFF_SECONDS_MAX)

    async def _listen_until_failure(self) -> Failure:
        connection = ChannelConnection(
            self._client.own_connection(), timeout_seconds=self._client.timeout_seconds
        )
        self._subscribed.clear()
        self._unread.clear()
        try:
            await connection.open()
            self._heard_at = asyncio.get_running_loop().time()
            self._on_connected()
            return await _first_failure(
                self._receive(connection),
                self._subscribe(connection),
                self._read_latest(),
                self._check_pulse(connection),
            )
        except Failure as failure:
            return failure
        finally:
            await connection.close()

    async def _receive(self, connection: ChannelConnection) -> None:
        loop = asyncio.get_running_loop()
        async for said in connection.announcements():
            self._heard_at = loop.time()
            if said is None:
                continue
            if said.value is not None:
                self._hear(said.channel, said.value)
            elif place := self._places.get(said.channel):
                self._on_subscribed(said.channel)
                self._read_soon(place)

    async def _subscribe(self, connection: ChannelConnection) -> None:
        """Make the connection's channels those that are followed, now and whenever they change."""
        while True:
            self._changed.clear()
            missing = self._places.keys() - self._subscribed
            surplus = self._subscribed - self._places.keys()
            if surplus:
                self._subscribed -= surplus
                await connection.unsubscribe(surplus)
            if some := list(islice(missing, _PLACES_PER_COMMAND)):
                self._subscribed.update(some)
                await connection.subscribe(some)
            else:
                await self._changed.wait()

    def _read_soon(self, place: Place) -> None:
        self._unread[place.channel] = place
        self._readable.set()

    async def _read_latest(self) -> None:
        """Read what was just subscribed: it may have changed for the last time before."""
        while True:
            self._readable.clear()
            some = [self._unread.pop(channel) for channel in list(self._unread)[:_PLACES_PER_READ]]
            if not some:
                await self._readable.wait()
                continue
            values = await self._client.values([place.key for place in some])
            for place, value in zip(some, values, strict=True):
                # Subscribed once more meanwhile: what was just read may be older than that.
                if place.channel not in self._unread:
                    self._read(place.channel, value)
            self._backoff_seconds = BACKOFF_SECONDS_MIN  # it works again

    async def _check_pulse(self, connection: ChannelConnection) -> None:
        loop = asyncio.get_running_loop()
        while True:
            await asyncio.sleep(PING_EVERY_SECONDS)
            if loop.time() - self._heard_at > DEAF_SECONDS_MAX:
                raise Unavailable(WHAT, retry_after_seconds=RETRY_AFTER_SECONDS)
            await connection.ping()


async def _first_failure(*duties: Coroutine[Any, Any, None]) -> Failure:
    """Run duties side by side until one of them fails; end the others."""
    # The failure is a value, never the group's error: a TaskGroup that is cancelled while one of
    # its tasks fails raises the failure alone, and the cancellation is lost (Python 3.11).
    first: asyncio.Future[Failure] = asyncio.get_running_loop().create_future()

    async def report_failure(duty: Coroutine[Any, Any, None]) -> None:
        try:
            await duty
        except Failure as failure:
            if not first.done():
                first.set_result(failure)

    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(report_failure(duty)) for duty in duties]
        failure = await first
        for task in tasks:
            task.cancel()
    return failure
