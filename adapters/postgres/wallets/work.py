"""One command's transaction: the key, the entry, then the events, then the commit."""

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager

from sqlmodel.ext.asyncio.session import AsyncSession

from adapters.postgres.engine import Database
from adapters.postgres.events import PendingEvents
from adapters.postgres.idempotency import (
    PATIENCE_SECONDS,
    PostgresAttempt,
    PostgresIdempotency,
    attempt,
    finish,
)
from adapters.postgres.wallets.journal import PostgresLedger
from domain.kernel.clock import Clock


class PostgresWork:
    """Implements domain.wallets.ports.Work."""

    def __init__(self, session: AsyncSession, *, patience_seconds: float) -> None:
        self._session = session
        self.idempotency = PostgresIdempotency(session, patience_seconds=patience_seconds)
        self.ledger = PostgresLedger(session)
        self.events = PendingEvents()

    def attempt(self) -> AbstractAsyncContextManager[PostgresAttempt]:
        return attempt(self._session, self.events)


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
        async with self._database.direct_work() as session:
            work = PostgresWork(session, patience_seconds=self._patience_seconds)
            yield work
            await finish(session, work.idempotency, work.events, now=self._clock.now())
