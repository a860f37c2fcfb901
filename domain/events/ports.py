"""What reading events needs of the world."""

from collections.abc import AsyncGenerator, Sequence
from typing import Protocol

from domain.kernel.events import Event, StreamName


class EventLog(Protocol):
    """The truth: events as they were committed, kept hot for 30 days."""

    async def after(self, stream: StreamName, sequence: int, *, limit: int) -> Sequence[Event]:
        """The next events after ``sequence``, oldest first. Raises Unavailable, TimedOut."""
        ...

    async def bounds(self, stream: StreamName) -> tuple[int, int]:
        """(the oldest sequence still kept, the newest); (1, 0) when nothing happened yet.

        Raises Unavailable, TimedOut.
        """
        ...


class EventSignals(Protocol):
    """The quick way: says that a stream has grown. May lose any signal, never invents one."""

    def follow(self, stream: StreamName) -> AsyncGenerator[int, None]:
        """The newest sequence known, whenever it grows or the connection came back.

        The first comes once the signals are being heard: what is committed after it is signalled.
        """
        ...


class EventRelay(Protocol):
    """Carries committed events to where signals are heard and consumers wait."""

    async def relay_once(self, *, limit: int) -> int:
        """Carry at most ``limit``, oldest first per stream; returns how many there were."""
        ...
