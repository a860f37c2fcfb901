"""One command's transaction: rows, then the log, then the events, then the commit."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from sqlmodel.ext.asyncio.session import AsyncSession

from adapters.postgres.engine import Database
from adapters.postgres.events import PendingEvents
from adapters.postgres.users.desk import PendingActivity, PostgresDesk, PostgresInbox
from adapters.postgres.users.keys import Keys
from adapters.postgres.users.writing import PostgresSessions, PostgresUsers
from adapters.vault import BlindIndex, KeyRing
from domain.kernel.clock import Clock


class PostgresWork:
    """Implements domain.users.ports.Work."""

    def __init__(
        self, session: AsyncSession, *, ring: KeyRing, index: BlindIndex, clock: Clock
    ) -> None:
        keys = Keys(ring, session)
        self.users = PostgresUsers(session, keys, index)
        self.sessions = PostgresSessions(session, keys)
        self.activity = PendingActivity(session, keys)
        self.inbox = PostgresInbox(session)
        self.desk = PostgresDesk(session, keys, clock)
        self.events = PendingEvents()


class PostgresWorks:
    """Implements domain.users.ports.Works."""

    def __init__(
        self, database: Database, *, ring: KeyRing, index: BlindIndex, clock: Clock
    ) -> None:
        self._database = database
        self._ring = ring
        self._index = index
        self._clock = clock

    @asynccontextmanager
    async def begin(self) -> AsyncIterator[PostgresWork]:
        async with self._database.unit_of_work() as session:
            work = PostgresWork(session, ring=self._ring, index=self._index, clock=self._clock)
            yield work
            await work.activity.write()
            await work.events.write(session, now=self._clock.now())
