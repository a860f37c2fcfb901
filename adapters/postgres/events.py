"""Events in PostgreSQL: appended as the last statement of a unit of work, read by everybody."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import datetime, timedelta

import asyncpg
import orjson
import structlog
from sqlalchemy import RowMapping, text

from adapters.postgres.engine import Database
from adapters.postgres.statements import Unit, after_commit, call
from adapters.telemetry import correlation
from domain.events.ports import Delivery
from domain.kernel.clock import Clock
from domain.kernel.events import Event, EventId, NewEvent, StreamName
from domain.kernel.failures import Failure
from domain.kernel.ids import new_uuid7

log = structlog.get_logger()

CHANNEL = "okd_outbox"
DAYS_KEPT = 30
# A worker that died with a claim in its hand: its deliveries are due again after this.
_CLAIM_SECONDS = 30.0
_CONNECT_SECONDS = 5.0

_APPEND = "SELECT events.append($1::jsonb, $2)"
_AFTER = text(
    "SELECT stream, seq, id, type, version, body, recorded_at FROM events.event"
    " WHERE stream = :stream AND seq > :seq ORDER BY seq LIMIT :limit"
)
_BOUNDS = text(
    "SELECT s.last_seq, (SELECT min(seq) FROM events.event e WHERE e.stream = s.stream) AS first"
    " FROM events.event_stream s WHERE s.stream = :stream"
)
_CLAIM = text(
    """
    WITH due AS (
        SELECT position FROM events.outbox
        WHERE consumer = :consumer AND due_at <= :now
        ORDER BY position LIMIT :limit FOR UPDATE SKIP LOCKED
    ), claimed AS (
        UPDATE events.outbox SET due_at = :again, attempts = attempts + 1
        WHERE position IN (SELECT position FROM due)
        RETURNING position, stream, seq, recorded_at, attempts
    )
    SELECT c.position, c.attempts, e.*
    FROM claimed c JOIN events.event e USING (stream, seq, recorded_at) ORDER BY c.position
    """
)
_CONFIRM = text("DELETE FROM events.outbox WHERE consumer = :consumer AND position = ANY(:done)")
_POSTPONE = text("UPDATE events.outbox SET due_at = :due WHERE position = :position")


class PendingEvents:
    """Events of one unit of work, kept for its last statement."""

    def __init__(self) -> None:
        self._events: list[NewEvent] = []

    def append(self, event: NewEvent) -> None:
        self._events.append(event)

    def mark(self) -> int:
        """Where a part begins that may be taken back."""
        return len(self._events)

    def take_back(self, mark: int) -> None:
        """Forget what was appended since ``mark``."""
        del self._events[mark:]

    def __len__(self) -> int:
        return len(self._events)

    async def write(self, unit: Unit, *, now: datetime) -> None:
        """Number and store them. Takes the streams' row locks: commit right after."""
        if self._events:
            await call(unit, _APPEND, self.taken(unit), now)

    def taken(self, unit: Unit) -> str:
        """The batch for ``events.append``; none are pending after it."""
        ring(unit)
        batch = [item_of(event) for event in self._events]
        self._events.clear()
        return orjson.dumps(batch).decode()


def ring(unit: Unit) -> None:
    """Have the outbox looked at once ``unit`` is committed.

    By itself: a NOTIFY within the transaction lets one commit at a time through, disk included, of
    the whole server.
    """
    after_commit(unit, f"NOTIFY {CHANNEL}")


def item_of(event: NewEvent) -> dict[str, object]:
    """One of the batch that ``events.append`` takes."""
    return {
        "stream": event.stream,
        "id": str(new_uuid7()),
        "type": event.type,
        "version": event.version,
        "body": event.body,
        "traceparent": correlation.current().traceparent,
    }


class PostgresEventLog:
    """Reads streams."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def after(self, stream: StreamName, sequence: int, *, limit: int) -> Sequence[Event]:
        async with self._database.read() as session:
            connection = await session.connection()
            values = {"stream": stream, "seq": sequence, "limit": limit}
            found = (await connection.execute(_AFTER, values)).mappings().all()
        return [_event(row) for row in found]

    async def bounds(self, stream: StreamName) -> tuple[int, int]:
        async with self._database.read() as session:
            connection = await session.connection()
            found = (await connection.execute(_BOUNDS, {"stream": stream})).one_or_none()
        if found is None:
            return 1, 0
        return found.first or found.last_seq + 1, found.last_seq


class PostgresOutbox:
    """Hands out what consumers have not confirmed. ``run`` hears of new events at once."""

    def __init__(self, database: Database, url: str, *, clock: Clock) -> None:
        self._database = database
        self._url = url
        self._clock = clock
        # Of each consumer: something was written since it last looked.
        self._written: dict[str, asyncio.Event] = {}

    async def claim(self, consumer: str, *, limit: int) -> Sequence[Delivery]:
        # Before the look: what is written from here on is worth another.
        self._news(consumer).clear()
        now = self._clock.now()
        again = now + timedelta(seconds=_CLAIM_SECONDS)
        values = {"consumer": consumer, "now": now, "again": again, "limit": limit}
        async with self._database.unit_of_work() as session:
            connection = await session.connection()
            found = (await connection.execute(_CLAIM, values)).mappings().all()
        return [Delivery(row["position"], row["attempts"], _event(row)) for row in found]

    async def confirm(self, consumer: str, deliveries: Sequence[Delivery]) -> None:
        done = [delivery.position for delivery in deliveries]
        async with self._database.unit_of_work() as session:
            connection = await session.connection()
            await connection.execute(_CONFIRM, {"consumer": consumer, "done": done})

    async def postpone(
        self, consumer: str, delivery: Delivery, seconds: float, *, why: Exception
    ) -> None:
        tell = log.warning if isinstance(why, Failure) else log.error
        tell(
            "delivery_postponed",
            consumer=consumer,
            event_id=str(delivery.event.id),
            event_type=delivery.event.type,
            attempt=delivery.attempt,
            seconds=round(seconds, 1),
            exc_info=None if isinstance(why, Failure) else why,
        )
        due = self._clock.now() + timedelta(seconds=seconds)
        async with self._database.unit_of_work() as session:
            connection = await session.connection()
            await connection.execute(_POSTPONE, {"due": due, "position": delivery.position})

    async def wait(self, consumer: str, timeout_seconds: float) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(timeout_seconds):
                await self._news(consumer).wait()

    async def run(self) -> None:
        """Listen for ever, reconnecting; who waits meanwhile looks by the clock."""
        while True:
            with contextlib.suppress(OSError, asyncpg.PostgresError, asyncpg.InterfaceError):
                async with self._listening() as ended:
                    self._wake()  # what was written while nobody listened
                    await ended.wait()
            await asyncio.sleep(1.0)

    @asynccontextmanager
    async def _listening(self) -> AsyncIterator[asyncio.Event]:
        # A connection of its own: the pool's are given back, and a notice needs somebody there.
        connection = await asyncpg.connect(
            self._url,
            timeout=_CONNECT_SECONDS,
            server_settings={"application_name": "okd-outbox"},
        )
        ended = asyncio.Event()
        try:
            connection.add_termination_listener(lambda _: ended.set())
            await connection.add_listener(CHANNEL, lambda *_: self._wake())
            yield ended
        finally:
            connection.terminate()

    def _wake(self) -> None:
        for written in self._written.values():
            written.set()

    def _news(self, consumer: str) -> asyncio.Event:
        return self._written.setdefault(consumer, asyncio.Event())


async def maintain_events(database: Database, *, now: datetime) -> None:
    """Make the partitions of the months to come and drop those nobody may ask for any more."""
    async with database.unit_of_work() as session:
        connection = await session.connection()
        await connection.execute(
            text("SELECT events.maintain(:at, :days)"), {"at": now, "days": DAYS_KEPT}
        )


def _event(row: RowMapping) -> Event:
    body = row["body"]
    return Event(
        id=EventId(row["id"]),
        stream=StreamName(row["stream"]),
        sequence=row["seq"],
        type=row["type"],
        version=row["version"],
        body=orjson.loads(body) if isinstance(body, str) else body,
        recorded_at=row["recorded_at"],
    )
