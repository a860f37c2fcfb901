"""Keys and outcomes of commands, and parts of a transaction that can be taken back."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import datetime, timedelta

import orjson
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncTransaction
from sqlmodel.ext.asyncio.session import AsyncSession

from adapters.postgres.engine import Database
from adapters.postgres.events import APPEND, PendingEvents
from domain.kernel.idempotency import DAYS_KEPT, Busy, Claimed, Command, Done, Reused

# A claim is tried twice: together what a twin is promised to be waited for.
PATIENCE_SECONDS = 2.5

_CLAIM = text("SELECT idempotency.claim(:actor, :mutation, :key, :digest, :at, :patience)")
_SETTLE = "idempotency.settle(:actor, :mutation, :key, CAST(:outcome AS jsonb))"
_SETTLED = text(f"SELECT {_SETTLE}")
_SETTLED_AND_TOLD = text(f"SELECT {_SETTLE}, {APPEND}")


class PostgresIdempotency:
    """Implements domain.kernel.idempotency.Idempotency. An outcome is written by ``finish``."""

    def __init__(self, session: AsyncSession, *, patience_seconds: float) -> None:
        self._session = session
        self._patience_seconds = patience_seconds
        self.settled: Mapping[str, object] | None = None
        """What has to be written of the command that was settled."""

    async def claim(self, command: Command, *, now: datetime) -> Claimed | Done | Busy | Reused:
        connection = await self._session.connection()
        values = {
            **_name(command),
            "digest": command.digest,
            "at": now,
            "patience": int(self._patience_seconds * 1000),
        }
        found = (await connection.execute(_CLAIM, values)).scalar_one()
        if found is None:
            return Busy()
        if found["mine"]:
            return Claimed()
        if not found["same"]:
            return Reused()
        return Busy() if found["outcome"] is None else Done(found["outcome"])

    async def settle(self, command: Command, outcome: Mapping[str, object]) -> None:
        self.settled = {**_name(command), "outcome": orjson.dumps(outcome).decode()}


class PostgresAttempt:
    """Implements domain.kernel.idempotency.Attempt."""

    def __init__(self, savepoint: AsyncTransaction, events: PendingEvents) -> None:
        self._savepoint = savepoint
        self._events = events
        self._mark = events.mark()

    async def take_back(self) -> None:
        await self._savepoint.rollback()
        self._events.take_back(self._mark)


@asynccontextmanager
async def attempt(session: AsyncSession, events: PendingEvents) -> AsyncIterator[PostgresAttempt]:
    """A savepoint, and the events appended since."""
    connection = await session.connection()
    savepoint = await connection.begin_nested()
    # Never released: the commit does that, and others wait for every round trip before it.
    yield PostgresAttempt(savepoint, events)


async def finish(
    session: AsyncSession, idempotency: PostgresIdempotency, events: PendingEvents, *, now: datetime
) -> None:
    """The last statement of a work: the outcome and the events, in one call. Commit right after."""
    settled = idempotency.settled
    if settled is None:
        await events.write(session, now=now)
        return
    connection = await session.connection()
    if events:
        await connection.execute(_SETTLED_AND_TOLD, {**settled, **events.taken(session, now=now)})
    else:
        await connection.execute(_SETTLED, settled)


async def forget_commands(database: Database, *, now: datetime) -> None:
    """Forget keys nobody may ask about any more. Raises Unavailable, TimedOut."""
    async with database.unit_of_work() as session:
        connection = await session.connection()
        before = now - timedelta(days=DAYS_KEPT)
        await connection.execute(text("SELECT idempotency.forget(:before)"), {"before": before})


def _name(command: Command) -> dict[str, object]:
    return {"actor": command.actor, "mutation": command.mutation, "key": command.key}
