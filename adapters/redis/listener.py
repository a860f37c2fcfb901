"""Hear the newest value of any number of topics, whatever happens to Redis.

One connection. A topic is subscribed first and read afterwards, so that nothing falls between the
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
from adapters.redis.names import Topic
from domain.kernel.failures import Failure, Unavailable

log = structlog.get_logger()

PING_EVERY_SECONDS = 1.0
# A connection that does not even answer pings is dead, whatever TCP believes.
DEAF_SECONDS_MAX = 4.0
BACKOFF_SECONDS_MIN = 0.05
BACKOFF_SECONDS_MAX = 1.0
# Keeps one command, and the script-free MGET behind it, far below a millisecond of Redis' time.
_TOPICS_PER_COMMAND = 500


class Listener:
    """``hear(channel, value)`` is called for every value, in the order of each channel."""

    def __init__(
        self,
        client: RedisClient,
        *,
        hear: Callable[[str, bytes], None],
        on_connected: Callable[[], None],
        on_lost: Callable[[], None],
        metrics: HubMetrics,
    ) -> None:
        self._client = client
        self._hear = hear
        self._on_connected = on_connected
        self._on_lost = on_lost
        self._metrics = metrics
        self._topics: dict[str, Topic] = {}
        self._subscribed: set[str] = set()
        self._unread: dict[str, Topic] = {}
        self._changed = asyncio.Event()
        self._readable = asyncio.Event()
        self._heard_at = 0.0
        self._backoff_seconds = BACKOFF_SECONDS_MIN

    def follow(self, topic: Topic) -> None:
        """Hear this too. Returns at once."""
        self._topics[topic.channel] = topic
        self._changed.set()

    def forget(self, topic: Topic) -> None:
        """Hear it no more, soon. Returns at once."""
        self._topics.pop(topic.channel, None)
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
            elif topic := self._topics.get(said.channel):
                self._unread[said.channel] = topic
                self._readable.set()

    async def _subscribe(self, connection: ChannelConnection) -> None:
        """Make the connection's channels those that are followed, now and whenever they change."""
        while True:
            self._changed.clear()
            missing = self._topics.keys() - self._subscribed
            surplus = self._subscribed - self._topics.keys()
            if surplus:
                self._subscribed -= surplus
                await connection.unsubscribe(surplus)
            if some := list(islice(missing, _TOPICS_PER_COMMAND)):
                self._subscribed.update(some)
                await connection.subscribe(some)
            else:
                await self._changed.wait()

    async def _read_latest(self) -> None:
        """Read what was just subscribed: it may have changed for the last time before."""
        while True:
            await self._readable.wait()
            self._readable.clear()
            topics, self._unread = list(self._unread.values()), {}
            values = await self._client.values([topic.key for topic in topics])
            for topic, value in zip(topics, values, strict=True):
                if value is not None:
                    self._hear(topic.channel, value)
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
