"""Tell the feeds what is watched here: a mark per follow that expires unless renewed."""

import asyncio
from collections import defaultdict
from collections.abc import Callable, Collection

import structlog

from adapters.redis.client import RedisClient
from domain.kernel.failures import Failure
from domain.kernel.ids import Category
from domain.market.topics import Follow

log = structlog.get_logger()

# A process that dies is forgotten after half a minute; two renewals may fail before that.
TTL_SECONDS = 30.0
RENEW_EVERY_SECONDS = 10.0
RETRY_EVERY_SECONDS = 0.5

# KEYS: wanted set. ARGV: how many milliseconds, then the names. By Redis' clock: the web
# processes' clocks may differ from each other.
_MARK = """
local time = redis.call('TIME')
local at = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000) + tonumber(ARGV[1])
for i = 2, #ARGV do redis.call('ZADD', KEYS[1], string.format('%.0f', at), ARGV[i]) end
"""


class WantedMarks:
    """Marks what ``watched`` returns every ten seconds, and a new follow at once."""

    def __init__(self, client: RedisClient, watched: Callable[[], Collection[Follow]]) -> None:
        self._names = client.names
        self._script = client.script(_MARK)
        self._watched = watched
        self._new: set[Follow] = set()
        self._wake = asyncio.Event()

    def mark(self, *follows: Follow) -> None:
        """Have these marked now rather than with the next renewal."""
        self._new.update(follows)
        self._wake.set()

    async def run(self) -> None:
        """Mark for ever; ends only by cancellation."""
        loop = asyncio.get_running_loop()
        renew_at = loop.time()
        while True:
            if renewing := loop.time() >= renew_at:
                self._new.update(self._watched())
            self._wake.clear()
            due, self._new = self._new, set()
            try:
                await self._mark(due)
            except Failure as failure:
                self._new |= due
                log.warning("wanted_not_marked", follows=len(due), code=failure.code)
                await asyncio.sleep(RETRY_EVERY_SECONDS)
                continue
            if renewing:
                renew_at = loop.time() + RENEW_EVERY_SECONDS
            try:
                async with asyncio.timeout_at(renew_at):
                    await self._wake.wait()
            except TimeoutError:
                pass  # time to renew

    async def _mark(self, follows: Collection[Follow]) -> None:
        names = defaultdict[Category, list[str]](list)
        for follow in follows:
            names[follow.topic.instrument.category].append(follow.name)
        for category, some in names.items():
            await self._script(
                keys=[self._names.wanted(category)], args=[int(TTL_SECONDS * 1000), *some]
            )
