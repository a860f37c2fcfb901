"""The back office for money over real people and a real ledger, asked as clients ask it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest

from adapters.bridges.ledger_desk import PostgresDeskWork, PostgresDeskWorks
from adapters.postgres import Database
from adapters.postgres.wallets import (
    PostgresAssets,
    PostgresBooks,
    PostgresLedgerBooks,
    PostgresVerification,
    PostgresWorks,
)
from adapters.vault import KeyRing
from domain.kernel.cursor import CursorSigner
from domain.kernel.failures import Unavailable
from domain.kernel.ids import AssetCode, UserId
from domain.kernel.money import plain
from domain.kernel.viewer import Role, Viewer
from domain.users.model import Activity
from domain.users.ports import ActivityQuery
from domain.wallets import Deposits, Holds, ledger
from domain.wallets.desk.decisions import DecideProposal
from domain.wallets.desk.freezes import AboutWallet
from domain.wallets.desk.model import LedgerProposal
from domain.wallets.desk.proposals import ProposeAdjustment, ProposeReversal
from domain.wallets.errors import Refusal
from domain.wallets.model import EntryId, Hold, JournalEntry, Posted, available
from domain.wallets.recording import record
from resolvers.ledger_desk_services import LedgerDeskServices
from tests.users.api import Api
from tests.users.conftest import Book
from tests.wallets.conftest import ASSETS, USDT

WHY = "ticket 4711: paid twice"


class Office(Api):
    """Staff, people with money, and the books."""

    def __init__(self, book: Book, database: Database) -> None:
        super().__init__(book)
        ring, clock = KeyRing({"test": b"m" * 32}), book.clock
        self.clock = clock
        self.works = PostgresWorks(database, clock=clock)
        self.desk_works = PostgresDeskWorks(database, ring=ring, clock=clock)
        self.assets = PostgresAssets(database, clock=clock)
        self.books = PostgresLedgerBooks(database, ring=ring)
        self.deposits = Deposits(works=self.works, assets=self.assets, clock=clock)
        self.holds = Holds(
            works=self.works, assets=self.assets, books=PostgresBooks(database), clock=clock
        )
        self.verification = PostgresVerification(database)
        self.ledger = LedgerDeskServices.over(
            works=self.desk_works,
            books=self.books,
            assets=self.assets,
            cursors=CursorSigner(b"c" * 32),
            clock=clock,
        )
        self.services = replace(self.services, ledger=self.ledger)

    async def person(self, uid: str = "uid-ann", amount: str = "0") -> UserId:
        """Somebody with an account, and so much USDT."""
        viewer = await self.book.arrive(uid, email=f"{uid}@example.org")
        assert viewer.user_id is not None
        if Decimal(amount):
            await self.give(viewer.user_id, amount)
        return viewer.user_id

    async def give(self, owner: UserId, amount: str, asset: AssetCode = USDT) -> Posted:
        posted = await self.deposits.faucet(owner, asset, Decimal(amount), key=uuid4())
        assert isinstance(posted, Posted), posted
        return posted

    async def post(self, entry: JournalEntry) -> Posted | Refusal:
        async with self.works.begin() as work:
            return await record(work, entry)

    async def send(self, sender: UserId, recipient: UserId, amount: str) -> JournalEntry | Refusal:
        """A transfer; the entry, or why not."""
        entry = ledger.transfer(sender, recipient, USDT, Decimal(amount), at=self.clock.now())
        posted = await self.post(entry)
        return entry if isinstance(posted, Posted) else posted

    async def hold(
        self, owner: UserId, amount: str, *, minutes: int | None = None, reason: str = "order"
    ) -> Hold:
        expires_at = None if minutes is None else self.clock.now() + timedelta(minutes=minutes)
        hold = await self.holds.reserve(
            owner, USDT, Decimal(amount), reason=reason, expires_at=expires_at
        )
        assert isinstance(hold, Hold), hold
        return hold

    async def treasurer(self, uid: str = "uid-treasury") -> Viewer:
        return await self.staff(uid, Role.TREASURY)

    async def admin(self, uid: str = "uid-admin") -> Viewer:
        return await self.staff(uid, Role.ADMIN)

    async def propose(
        self, by: Viewer, owner: UserId, amount: str, asset: str = USDT
    ) -> LedgerProposal:
        wish = adjustment(owner, amount, asset)
        proposal = await self.ledger.proposals.adjustment(by, wish)
        assert isinstance(proposal, LedgerProposal), proposal
        return proposal

    async def decide(self, by: Viewer, proposal: LedgerProposal, *, approve: bool = True) -> Any:
        decision = DecideProposal(proposal.id, approve)
        return await self.ledger.decisions.decide(by, decision)

    async def freeze(self, by: Viewer, owner: UserId, asset: str = USDT) -> Any:
        return await self.ledger.freezes.freeze(by, AboutWallet(owner, asset, WHY))

    async def has(self, owner: UserId, asset: AssetCode = USDT) -> str:
        """What is available."""
        found = await self.books.account(available(owner, asset).id)
        return "0" if found is None else plain(found.balance)

    async def sound(self) -> None:
        assert await self.verification.findings() == []
        found = await self.ledger.explorer.trial_balance(None)
        assert found.balanced

    async def told(self, owner: UserId) -> list[str]:
        """Types of what the owner was told of their money, oldest first."""
        types = [event.type for event in await self.book.told(owner)]
        return [each for each in types if each.startswith("wallet.")]

    async def lines(self, action: str) -> list[Activity]:
        query = ActivityQuery(action=action)
        return list(await self.book.accounts.activity(query, first=1000, before=None))


def adjustment(
    owner: UserId, amount: str, asset: str = USDT, *, reason: str = WHY, key: Any = None
) -> ProposeAdjustment:
    return ProposeAdjustment(owner, asset, Decimal(amount), reason, key or uuid4())


def reversal(entry_id: EntryId, *, reason: str = WHY, key: Any = None) -> ProposeReversal:
    return ProposeReversal(entry_id, reason, key or uuid4())


class CutOff:
    """Works whose process dies when all is done but the commit."""

    def __init__(self, works: PostgresDeskWorks) -> None:
        self._works = works

    @asynccontextmanager
    async def begin(self) -> AsyncIterator[PostgresDeskWork]:
        async with self._works.begin() as work:
            yield work
            await work.write_log()
            raise Unavailable("database")


@pytest.fixture
async def office(book: Book, database: Database) -> Office:
    office = Office(book, database)
    for asset in ASSETS:
        await office.assets.add(asset)
    return office
