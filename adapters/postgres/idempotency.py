"""Keys and outcomes of commands, and parts of a transaction that can be taken back."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import datetime, timedelta

import orjson
from sqlalchemy import text

from adapters.postgres.engine import Database
from adapters.postgres.events import PendingEvents
from adapters.postgres.statements import Unit, call, do
from domain.kernel.idempotency import DAYS_KEPT, Busy, Claimed, Command, Done, Reused

# A claim is tried twice: together what a twin is promised to be waited for.
PATIENCE_SECONDS = 2.5

_TAKE = "SELECT idempotency.take($1, $2, $3, $4, $5)"
_KEEP = "idempotency.keep($1, $2, $3, $4, $5::jsonb, $6)"
_KEPT = f"SELECT {_KEEP}"
_KEPT_AND_TOLD = f"SELECT {_KEEP}, events.append($7::jsonb, $6)"


class PostgresIdempotency:
    """Implements domain.kernel.idempotency.Idempotency. An outcome is written by ``finish``."""

    def __init__(self, unit: Unit, *, patience_seconds: float) -> None:
        self._unit = unit
        self._patience_seconds = patience_seconds
        self.settled: tuple[object, ...] | None = None
        """What has to be written of the command that was settled."""

    async def claim(self, command: Command) -> Claimed | Done | Busy | Reused:
        patience = int(self._patience_seconds * 1000)
        found = await call(self._unit, _TAKE, *named(command), patience)
        if found is None:
            return Busy()
        if found["mine"]:
            return Claimed()
        if not found["same"]:
            return Reused()
        return Busy() if found["outcome"] is None else Done(found["outcome"])

    async def settle(self, command: Command, outcome: Mapping[str, object]) -> None:
        self.settled = (*named(command), orjson.dumps(outcome).decode())


class PostgresAttempt:
    """Implements domain.kernel.idempotency.Attempt."""

    def __init__(self, unit: Unit, events: PendingEvents) -> None:
        self._unit = unit
        self._events = events
        self._mark = events.mark()

    async def take_back(self) -> None:
        await do(self._unit, "ROLLBACK TO SAVEPOINT attempt")
        self._events.take_back(self._mark)


@asynccontextmanager
async def attempt(unit: Unit, events: PendingEvents) -> AsyncIterator[PostgresAttempt]:
    """A savepoint, and the events appended since; the newest is meant by their common name."""
    await do(unit, "SAVEPOINT attempt")
    # Never released: the commit does that, and others wait for every round trip before it.
    yield PostgresAttempt(unit, events)


async def finish(
    unit: Unit, idempotency: PostgresIdempotency, events: PendingEvents, *, now: datetime
) -> None:
    """The last statement of a work: the outcome and the events, in one call. Commit right after."""
    settled = idempotency.settled
    if settled is None:
        await events.write(unit, now=now)
    elif events:
        await call(unit, _KEPT_AND_TOLD, *settled, now, events.taken(unit))
    else:
        await call(unit, _KEPT, *settled, now)


async def forget_commands(database: Database, *, now: datetime) -> None:
    """Forget keys nobody may ask about any more. Raises Unavailable, TimedOut."""
    async with database.unit_of_work() as session:
        connection = await session.connection()
        before = now - timedelta(days=DAYS_KEPT)
        await connection.execute(text("SELECT idempotency.forget(:before)"), {"before": before})


def named(command: Command) -> tuple[object, ...]:
    """The first arguments of the functions that take or keep a key."""
    return command.actor, command.mutation, command.key, command.digest
