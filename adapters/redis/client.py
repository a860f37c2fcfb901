"""The connection to Redis or Valkey: bounded, with an outer deadline on every call.

redis-py's own retries are off: they would multiply the deadline, and what may be repeated is not
for a client library to know.
"""

from collections.abc import Sequence
from typing import Any, cast

from redis.asyncio import BlockingConnectionPool, Connection, Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.commands.core import AsyncScript

from adapters.redis.failures import guarded
from adapters.redis.names import Names


class RedisClient:
    """One pool of connections per process. Survives restarts of the server without a manual step.

    A connection that died while idle is seen before it is used and opened anew.
    """

    def __init__(
        self,
        url: str,
        *,
        prefix: str,
        timeout_seconds: float = 1.0,
        connections_max: int = 16,
    ) -> None:
        """``url``: redis://, rediss:// or unix:///path; more callers than connections wait."""
        self.names = Names(prefix)
        self.timeout_seconds = timeout_seconds
        self._pool: BlockingConnectionPool = BlockingConnectionPool.from_url(
            url,
            max_connections=connections_max,
            timeout=timeout_seconds,
            # None: with a number redis-py wraps every send in asyncio.wait_for, which on Python
            # 3.11 swallows a cancellation that meets a finished send, and whoever cancelled waits
            # for ever. Our deadline is around every call anyway.
            socket_timeout=None,
            socket_connect_timeout=timeout_seconds,
            retry=Retry(NoBackoff(), 0),
            # RESP2: in RESP3 announcements arrive out of band, which gains us nothing.
            protocol=2,
        )
        self._redis = Redis(connection_pool=self._pool)

    async def ping(self) -> None:
        """One round trip. Raises Unavailable, TimedOut."""
        async with guarded(self.timeout_seconds):
            await self._redis.ping()

    async def values(self, keys: Sequence[str]) -> list[bytes | None]:
        """The value of each key, in order, in one round trip. Raises Unavailable, TimedOut."""
        if not keys:
            return []
        async with guarded(self.timeout_seconds):
            # bytes: nothing is decoded for us.
            return cast("list[bytes | None]", await self._redis.mget(keys))

    def script(self, lua: str) -> "Script":
        """Prepare a script; it is sent once per server start and then called by its digest."""
        return Script(self._redis.register_script(lua), self.timeout_seconds)

    def own_connection(self) -> Connection:
        """A connection outside of the pool, not yet opened, for one long-living reader."""
        return cast("Connection", self._pool.make_connection())  # type: ignore[no-untyped-call]  # redis-py's

    async def aclose(self) -> None:
        """Close all connections."""
        await self._redis.aclose()
        await self._pool.aclose()


class Script:
    """One Lua script: everything in it happens at once or not at all."""

    def __init__(self, script: AsyncScript, timeout_seconds: float) -> None:
        self._script = script
        self._timeout_seconds = timeout_seconds

    async def __call__(self, *, keys: Sequence[str], args: Sequence[str | bytes | int]) -> Any:  # noqa: ANN401  # whatever the script returns
        """Raises Unavailable, TimedOut; after TimedOut it may have run or not."""
        async with guarded(self._timeout_seconds):
            return await self._script(keys=list(keys), args=list(args))
