"""One command's transaction: the key, the entry, then the events, then the commit."""

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager

import orjson

from adapters.postgres.engine import Database
from adapters.postgres.events import PendingEvents, item_of, ring
from adapters.postgres.idempotency import (
    PATIENCE_SECONDS,
    PostgresAttempt,
    PostgresIdempotency,
    attempt,
    finish,
    named,
)
from adapters.postgres.statements import Unit, call
from adapters.postgres.wallets.journal import PostgresLedger, given_of, outcome_of
from domain.kernel.clock import Clock
from domain.kernel.idempotency import Done
from domain.kernel.money import plain
from domain.wallets.booking import Blanks, Booking
from domain.wallets.model import Posted

_BOOK = "SELECT wallets.book($1, $2, $3, $4, $5::jsonb, $6::jsonb, $7::jsonb, $8::jsonb, $9)"


class PostgresWork:
    """Implements domain.wallets.ports.Work."""

    def __init__(self, unit: Unit, *, patience_seconds: float) -> None:
        self._unit = unit
        self.idempotency = PostgresIdempotency(unit, patience_seconds=patience_seconds)
        self.ledger = PostgresLedger(unit)
        self.events = PendingEvents()

    def attempt(self) -> AbstractAsyncContextManager[PostgresAttempt]:
        return attempt(self._unit, self.events)


class PostgresWorks:
    """Implements domain.wallets.ports.Works."""

    def __init__(
        self, database: Database, *, clock: Clock, patience_seconds: float = PATIENCE_SECONDS
    ) -> None:
        self._database = database
        self._clock = clock
        self._patience_seconds = patience_seconds

    @asynccontextmanager
    async def begin(self) -> AsyncIterator[PostgresWork]:
        async with self._database.direct_work() as unit:
            work = PostgresWork(unit, patience_seconds=self._patience_seconds)
            yield work
            await finish(unit, work.idempotency, work.events, now=self._clock.now())

    async def book(self, booking: Booking) -> Posted | Done | None:
        values = (
            *named(booking.command),
            *map(_json, (given_of(booking.entry), _caps(booking), _told(booking), _kept(booking))),
            self._clock.now(),
        )
        async with self._database.one_call() as unit:
            answer = await call(unit, _BOOK, *values)
            posted = outcome_of(booking.entry, answer) if "states" in answer else None
            if isinstance(posted, Posted):
                ring(unit)
                return posted
        key = answer.get("key")
        # Another request's key, or a twin's that is still at it, takes a transaction to tell of.
        return Done(key["outcome"]) if key and key["same"] and key["outcome"] else None


def _json(value: object) -> str:
    return orjson.dumps(value).decode()


def _caps(booking: Booking) -> list[dict[str, str]]:
    return [
        {"account": str(cap.account.id), "since": cap.since.isoformat(), "most": plain(cap.most)}
        for cap in booking.caps
    ]


def _told(booking: Booking) -> list[dict[str, object]]:
    return [
        item_of(each.event) | {"blanks": _blanks(each.blanks)} for each in booking.announcements
    ]


def _kept(booking: Booking) -> dict[str, object]:
    return {**booking.outcome, "blanks": _blanks(booking.blanks)}


def _blanks(blanks: Blanks) -> dict[str, str]:
    return {name: str(account.id) for name, account in blanks.items()}
