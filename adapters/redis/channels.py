"""One connection that listens: subscribe, unsubscribe, and what is announced.

On redis-py's connection rather than its PubSub: that reconnects and resubscribes in silence, and
whoever is not told of a gap cannot read again what was announced in it.
"""

import math
from collections.abc import AsyncIterator, Collection
from dataclasses import dataclass

from redis.asyncio import Connection

from adapters.redis.failures import RETRY_AFTER_SECONDS, WHAT, guarded, translated
from domain.kernel.failures import Unavailable


@dataclass(frozen=True, slots=True)
class Announcement:
    """A value on a channel; or, without a value, the word that the channel is now listened to."""

    channel: str
    value: bytes | None


class ChannelConnection:
    """Opened once, never reopened: after any failure make another one."""

    def __init__(self, connection: Connection, *, timeout_seconds: float) -> None:
        self._connection = connection
        self._timeout_seconds = timeout_seconds

    async def open(self) -> None:
        """Raises Unavailable, TimedOut; as does everything below."""
        async with guarded(self._timeout_seconds):
            await self._connection.connect()  # type: ignore[no-untyped-call]  # redis-py's

    async def subscribe(self, channels: Collection[str]) -> None:
        await self._send("SUBSCRIBE", *channels)

    async def unsubscribe(self, channels: Collection[str]) -> None:
        await self._send("UNSUBSCRIBE", *channels)

    async def ping(self) -> None:
        """Ask for a sign of life."""
        await self._send("PING")

    async def announcements(self) -> AsyncIterator[Announcement | None]:
        """Everything said, in order; None is a sign of life without a meaning of its own.

        Waits without a limit: a silent channel is not a dead one, so the caller pings.
        """
        with translated():
            while True:
                said = await self._connection.read_response(
                    timeout=math.inf, disconnect_on_error=False
                )
                match said:
                    case [b"message", channel, value]:
                        yield Announcement(channel.decode(), value)
                    case [b"subscribe", channel, _]:
                        yield Announcement(channel.decode(), None)
                    case _:  # pong, unsubscribe
                        yield None

    async def close(self) -> None:
        """Hang up; waits for nobody."""
        await self._connection.disconnect(nowait=True)

    async def _send(self, *command: str) -> None:
        # redis-py would reconnect here, without what was subscribed.
        if not self._connection.is_connected:
            raise Unavailable(WHAT, retry_after_seconds=RETRY_AFTER_SECONDS)
        async with guarded(self._timeout_seconds):
            await self._connection.send_command(*command, check_health=False)
