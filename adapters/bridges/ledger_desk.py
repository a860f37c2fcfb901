"""What the back office for money asks of users: the log of staff's doings, and who is there.

One transaction holds both domains' rows: what staff did to somebody's money and the line that says
so are committed together (docs/decisions/0037-the-log-commits-with-the-money.md). The day users
are a service of their own, the line becomes an event that they consume.
"""

from collections.abc import AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager

from sqlmodel.ext.asyncio.session import AsyncSession

from adapters.postgres import Database
from adapters.postgres.events import PendingEvents
from adapters.postgres.idempotency import (
    PATIENCE_SECONDS,
    PostgresAttempt,
    PostgresIdempotency,
    attempt,
    finish,
)
from adapters.postgres.users.desk import PendingActivity
from adapters.postgres.users.keys import Keys
from adapters.postgres.wallets.journal import PostgresLedger
from adapters.postgres.wallets.proposals import PostgresProposals
from adapters.vault import KeyRing
from domain.kernel.clock import Clock
from domain.kernel.ids import UserId
from domain.kernel.viewer import Viewer
from domain.users.caller import client_of
from domain.users.model import ActivityResult


class UsersStaffLog:
    """Implements domain.wallets.desk.ports.StaffLog: the one log that all of staff has."""

    def __init__(self, activity: PendingActivity, clock: Clock) -> None:
        self._activity = activity
        self._clock = clock

    def add(
        self,
        viewer: Viewer,
        subject: UserId,
        action: str,
        *,
        denied: bool = False,
        details: Mapping[str, str] | None = None,
    ) -> None:
        self._activity.add(
            actor_id=viewer.user_id,
            subject_id=subject,
            action=action,
            result=ActivityResult.DENIED if denied else ActivityResult.SUCCEEDED,
            now=self._clock.now(),
            client=client_of(viewer),
            details=details,
        )


class KeyHolders:
    """Implements domain.wallets.desk.ports.Owners: who was erased has no key any more."""

    def __init__(self, keys: Keys) -> None:
        self._keys = keys

    async def is_known(self, owner: UserId) -> bool:
        await self._keys.load([owner])
        return self._keys.holds(owner)


class PostgresDeskWork:
    """Implements domain.wallets.desk.ports.DeskWork."""

    def __init__(self, session: AsyncSession, *, ring: KeyRing, clock: Clock) -> None:
        keys = Keys(ring, session)
        self._session = session
        self._activity = PendingActivity(session, keys)
        self.idempotency = PostgresIdempotency(session, patience_seconds=PATIENCE_SECONDS)
        self.ledger = PostgresLedger(session)
        self.proposals = PostgresProposals(session, keys)
        self.owners = KeyHolders(keys)
        self.log = UsersStaffLog(self._activity, clock)
        self.events = PendingEvents()

    def attempt(self) -> AbstractAsyncContextManager[PostgresAttempt]:
        """What is logged stays: a refusal is worth a line, whatever is taken back."""
        return attempt(self._session, self.events)

    async def write_log(self) -> None:
        await self._activity.write()


class PostgresDeskWorks:
    """Implements domain.wallets.desk.ports.DeskWorks."""

    def __init__(self, database: Database, *, ring: KeyRing, clock: Clock) -> None:
        self._database = database
        self._ring = ring
        self._clock = clock

    @asynccontextmanager
    async def begin(self) -> AsyncIterator[PostgresDeskWork]:
        async with self._database.unit_of_work() as session:
            work = PostgresDeskWork(session, ring=self._ring, clock=self._clock)
            yield work
            await work.write_log()
            await finish(session, work.idempotency, work.events, now=self._clock.now())
