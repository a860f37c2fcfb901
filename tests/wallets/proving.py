"""Days and proofs over the bank of the other tests, and what an owner of the server could do."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from uuid import UUID

import asyncpg
import pytest

from adapters.postgres.wallets import PostgresClosing, PostgresPublishedDays, PostgresVerification
from domain.kernel.ids import AssetCode, UserId
from domain.wallets import Chain, Days, InclusionProof, Proofs
from domain.wallets.proofs import DayRoot
from tests.users.people import NOW
from tests.wallets.conftest import USDT, Bank
from tests.world import DatabaseUrls

TODAY = NOW.date()
GUARDED = ("entry", "posting", "chain_link", "day_root", "liability", "liability_part")


@dataclass
class Ledger:
    """The bank with its days."""

    bank: Bank

    def __post_init__(self) -> None:
        bank = self.bank
        self.closing = PostgresClosing(bank.database)
        self.published = PostgresPublishedDays(bank.database)
        self.days = Days(closing=self.closing, clock=bank.clock)
        self.proofs = Proofs(days=self.published, assets=bank.assets)
        self.chain = Chain(bank.sealing, bank.clock)
        self.verification = PostgresVerification(bank.database, every_tree=True)

    async def end_day(self) -> DayRoot:
        """Seal, let the day pass, close it; the clock is at noon of the next one."""
        day = self.bank.clock.now().date()
        await self.chain.seal_all()
        self.bank.clock.at = datetime.combine(
            day + timedelta(days=1), datetime.min.time(), UTC
        ) + timedelta(hours=12)
        assert await self.days.close_due() >= 1
        return await self.day(day)

    async def day(self, day: date) -> DayRoot:
        found = await self.proofs.day(day)
        assert found is not None
        return found

    async def proof(
        self, owner: UserId, day: date = TODAY, asset: AssetCode = USDT
    ) -> InclusionProof:
        found = await self.proofs.inclusion(owner, day, asset)
        assert isinstance(found, InclusionProof), found
        return found

    async def found(self) -> set[str]:
        """The rules that are broken."""
        return {each.rule for each in await self.verification.findings()}


async def tamper(urls: DatabaseUrls, *changes: str | tuple[str, UUID]) -> None:
    """What only who owns the server can do: change what is kept behind the triggers' back.

    Each change is statements, or one statement about an id.
    """
    owner = await asyncpg.connect(urls.owner)
    try:
        async with owner.transaction():
            for table in GUARDED:
                await owner.execute(f"ALTER TABLE wallets.{table} DISABLE TRIGGER appended_to_only")
            for change in changes:
                await owner.execute(*((change,) if isinstance(change, str) else change))
            for table in GUARDED:
                await owner.execute(f"ALTER TABLE wallets.{table} ENABLE TRIGGER appended_to_only")
    finally:
        await owner.close()


async def only_appended_to(
    app: asyncpg.Connection, owner: asyncpg.Connection, columns: Mapping[str, str]
) -> None:
    """No role changes or deletes a row of these tables, told by one column of each."""
    for table, column in columns.items():
        for statement in (
            f"UPDATE wallets.{table} SET {column} = {column}",  # noqa: S608  # constants
            f"DELETE FROM wallets.{table}",  # noqa: S608
        ):
            with pytest.raises(asyncpg.InsufficientPrivilegeError, match="permission denied"):
                await app.execute(statement)
            with pytest.raises(asyncpg.InsufficientPrivilegeError, match="appended to"):
                await owner.execute(statement)
