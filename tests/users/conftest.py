"""The users domain on a real PostgreSQL; only Firebase, KYC and wallets are answered by doubles."""

from dataclasses import dataclass, field

import pytest

from adapters.postgres import Database, PostgresEventLog
from adapters.postgres.users import PostgresAccounts, PostgresWorks
from adapters.vault import BlindIndex, KeyRing
from domain.kernel.cursor import CursorSigner
from domain.kernel.events import Event, stream_of_user
from domain.kernel.ids import UserId
from domain.kernel.viewer import Viewer
from domain.users import (
    Audit,
    Authentication,
    BackOffice,
    DataExport,
    Erasure,
    InboxConsumer,
    MyAccount,
    MyInbox,
    MySessions,
    Permissions,
    Roles,
    StepUpCheck,
)
from domain.users.model import Activity, Client
from domain.users.ports import ActivityQuery
from tests.users.doubles import Allowances, Grants, Holds, Provider, SetClock, Signals
from tests.users.people import PHONE, sign_in


@dataclass
class Book:
    """The domain, put together."""

    works: PostgresWorks
    accounts: PostgresAccounts
    log: PostgresEventLog
    clock: SetClock = field(default_factory=SetClock)
    firebase: Provider = field(default_factory=Provider)
    signals: Signals = field(default_factory=Signals)
    holds: Holds = field(default_factory=Holds)
    grants: Grants = field(default_factory=Grants)
    allowances: Allowances = field(default_factory=Allowances)

    def __post_init__(self) -> None:
        cursors = CursorSigner(b"c" * 32)
        works, accounts, clock = self.works, self.accounts, self.clock
        self.authentication = Authentication(works=works, accounts=accounts, clock=clock)
        self.sessions = MySessions(
            works=works, accounts=accounts, signals=self.signals, clock=clock
        )
        self.account = MyAccount(
            works=works,
            accounts=accounts,
            identities=self.firebase,
            signals=self.signals,
            holds=self.holds,
            legal=self.holds,
            cursors=cursors,
            clock=clock,
        )
        self.step_up = StepUpCheck(
            accounts=accounts, identities=self.firebase, grants=self.grants, clock=clock
        )
        self.permissions = Permissions(step_up=self.step_up, holds=self.holds, legal=self.holds)
        self.inbox = MyInbox(works=works, accounts=accounts, cursors=cursors, clock=clock)
        self.inbox_consumer = InboxConsumer(works)
        self.back_office = BackOffice(
            works=works,
            accounts=accounts,
            identities=self.firebase,
            signals=self.signals,
            cursors=cursors,
            clock=clock,
        )
        self.roles = Roles(works=works, accounts=accounts, signals=self.signals, clock=clock)
        self.audit = Audit(works=works, accounts=accounts, cursors=cursors, clock=clock)
        self.export = DataExport(works=works, accounts=accounts, clock=clock)
        self.erasure = Erasure(
            works=works,
            accounts=accounts,
            identities=self.firebase,
            signals=self.signals,
            holds=self.holds,
            clock=clock,
        )

    async def arrive(
        self, uid: str = "uid-ann", client: Client = PHONE, **changes: object
    ) -> Viewer:
        """Sign in; fails the test when that is refused."""
        viewer = await self.authentication.viewer(sign_in(uid, **changes), client)
        assert isinstance(viewer, Viewer), viewer
        return viewer

    async def told(self, user_id: UserId | None) -> list[Event]:
        assert user_id is not None
        return list(await self.log.after(stream_of_user(user_id), 0, limit=1000))

    async def lines(self, subject: UserId | None) -> list[Activity]:
        query = ActivityQuery(subject_id=subject)
        return list(await self.accounts.activity(query, first=1000, before=None))


@pytest.fixture
def book(database: Database) -> Book:
    ring, index = KeyRing({"test": b"m" * 32}), BlindIndex(b"i" * 32)
    clock = SetClock()
    return Book(
        PostgresWorks(database, ring=ring, index=index, clock=clock),
        PostgresAccounts(database, ring=ring, index=index),
        PostgresEventLog(database),
        clock,
    )
