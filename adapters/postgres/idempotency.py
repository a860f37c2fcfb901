"""Keys and outcomes of commands, and parts of a transaction that can be taken back."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import datetime, timedelta

import orjson
from sqlalchemy import text
from sqlmodel.ext.asyncio.session import AsyncSession

from adapters.postgres.engine import Database, call, do
from adapters.postgres.events import PendingEvents
from domain.kernel.idempotency import DAYS_KEPT, Busy, Claimed, Command, Done, Reused

# A claim is tried twice: together what a twin is promised to be waited for.
PATIENCE_SECONDS = 2.5
_ATTEMPTS = "okd_attempts"

_CLAIM = "SELECT idempotency.claim($1, $2, $3, $4, $5, $6)"
_SETTLE = "idempotency.settle($1, $2, $3, $4::jsonb)"
_SETTLED = f"SELECT {_SETTLE}"
_SETTLED_AND_TOLD = f"SELECT {_SETTLE}, events.append($5::jsonb, $6)"


class PostgresIdempotency:
    """Implements domain.kernel.idempotency.Idempotency. An outcome is written by ``finish``."""

    def __init__(self, session: AsyncSession, *, patience_seconds: float) -> None:
        self._session = session
        self._patience_seconds = patience_seconds
        self.settled: tuple[object, ...] | None = None
        """What has to be written of the command that was settled: its name, and its outcome."""

    async def claim(self, command: Command, *, now: datetime) -> Claimed | Done | Busy | Reused:
        patience = int(self._patience_seconds * 1000)
        values = (*_name(command), command.digest, now, patience)
        found = await call(self._session, _CLAIM, *values)
        if found is None:
            return Busy()
        if found["mine"]:
            return Claimed()
        if not found["same"]:
            return Reused()
        return Busy() if found["outcome"] is None else Done(found["outcome"])

    async def settle(self, command: Command, outcome: Mapping[str, object]) -> None:
        self.settled = (*_name(command), orjson.dumps(outcome).decode())


class PostgresAttempt:
    """Implements domain.kernel.idempotency.Attempt."""

    def __init__(self, session: AsyncSession, savepoint: str, events: PendingEvents) -> None:
        self._session = session
        self._savepoint = savepoint
        self._events = events
        self._mark = events.mark()

    async def take_back(self) -> None:
        await do(self._session, f"ROLLBACK TO SAVEPOINT {self._savepoint}")
        self._events.take_back(self._mark)


@asynccontextmanager
async def attempt(session: AsyncSession, events: PendingEvents) -> AsyncIterator[PostgresAttempt]:
    """A savepoint, and the events appended since."""
    number = session.info[_ATTEMPTS] = session.info.get(_ATTEMPTS, 0) + 1
    savepoint = f"attempt_{number}"
    await do(session, f"SAVEPOINT {savepoint}")
    # Never released: the commit does that, and others wait for every round trip before it.
    yield PostgresAttempt(session, savepoint, events)


async def finish(
    session: AsyncSession, idempotency: PostgresIdempotency, events: PendingEvents, *, now: datetime
) -> None:
    """The last statement of a work: the outcome and the events, in one call. Commit right after."""
    settled = idempotency.settled
    if settled is None:
        await events.write(session, now=now)
    elif events:
        await call(session, _SETTLED_AND_TOLD, *settled, events.taken(session), now)
    else:
        await call(session, _SETTLED, *settled)


async def forget_commands(database: Database, *, now: datetime) -> None:
    """Forget keys nobody may ask about any more. Raises Unavailable, TimedOut."""
    async with database.unit_of_work() as session:
        connection = await session.connection()
        before = now - timedelta(days=DAYS_KEPT)
        await connection.execute(text("SELECT idempotency.forget(:before)"), {"before": before})


def _name(command: Command) -> tuple[object, ...]:
    return command.actor, command.mutation, command.key
