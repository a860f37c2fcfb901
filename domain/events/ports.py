"""What reading and carrying events needs of the world."""

from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Protocol

from domain.kernel.events import Event, StreamName


class EventLog(Protocol):
    """The truth: events as they were committed, kept hot for 30 days at least."""

    async def after(self, stream: StreamName, sequence: int, *, limit: int) -> Sequence[Event]:
        """The next events after ``sequence``, oldest first. Raises Unavailable, TimedOut."""
        ...

    async def bounds(self, stream: StreamName) -> tuple[int, int]:
        """(the oldest sequence still kept, the newest ever); (1, 0) when nothing happened yet.

        When all that happened is forgotten, the oldest is one past the newest. Raises Unavailable,
        TimedOut.
        """
        ...


class Signal(Protocol):
    """Hears that one stream may have grown."""

    async def wait(self, timeout_seconds: float) -> None:
        """Until something was heard since the last return, or the time is up."""
        ...


class EventSignals(Protocol):
    """The quick way: says when to look. May lose anything; the log says what there is."""

    def of(self, stream: StreamName) -> AbstractAsyncContextManager[Signal]: ...


@dataclass(frozen=True, slots=True)
class Delivery:
    """One event on its way to one consumer, claimed for a while."""

    position: int
    attempt: int
    """1 the first time."""
    event: Event


class Outbox(Protocol):
    """Events that a consumer has not confirmed yet, written with the events themselves.

    Raises Unavailable, TimedOut.
    """

    async def claim(self, consumer: str, *, limit: int) -> Sequence[Delivery]:
        """Due deliveries, oldest first, that nobody else has claimed; theirs for half a minute."""
        ...

    async def confirm(self, consumer: str, deliveries: Sequence[Delivery]) -> None:
        """These are done and forgotten."""
        ...

    async def postpone(
        self, consumer: str, delivery: Delivery, seconds: float, *, why: Exception
    ) -> None:
        """This one failed: due again after so long. ``why`` goes to the log."""
        ...

    async def wait(self, consumer: str, timeout_seconds: float) -> None:
        """Until something was written since this consumer's last claim, or the time is up."""
        ...


class Consumer(Protocol):
    """Who is told of every event, at least once: the same event again must change nothing."""

    @property
    def name(self) -> str:
        """One of those the outbox writes for."""
        ...

    async def consume(self, events: Sequence[Event]) -> None:
        """Take these in. What is raised brings all of them again, later."""
        ...
