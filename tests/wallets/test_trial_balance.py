"""The trial balance: zero asset by asset, equal to what the journal's entries add up to."""

import asyncio
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal

import asyncpg
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.postgres import Database
from adapters.postgres.wallets import PostgresAssets, PostgresLedgerBooks, PostgresWorks
from adapters.vault import KeyRing
from domain.kernel.ids import AssetCode, UserId, new_uuid7
from domain.kernel.money import total
from domain.wallets import ledger
from domain.wallets.desk.model import TrialBalance, TrialRow, trial_balance
from domain.wallets.model import AccountKind, JournalEntry, house
from domain.wallets.recording import record
from tests.users.conftest import book
from tests.users.doubles import SetClock
from tests.users.people import NOW
from tests.wallets.conftest import ASSETS, BTC, USDT
from tests.wallets.office import Office, office
from tests.wallets.test_ledger import tamper
from tests.world import DatabaseUrls

__all__ = ["book", "office"]

Sums = dict[tuple[AssetCode, AccountKind, str], tuple[Decimal, Decimal]]


def sums_of(found: TrialBalance) -> Sums:
    return {
        (row.asset, row.kind, row.name): (row.debits, row.credits)
        for each in found.assets
        for row in each.rows
    }


async def test_all_accounts_of_an_asset_come_to_zero(office: Office):
    ann, bob = await office.person(amount="10"), await office.person("uid-bob")
    await office.send(ann, bob, "4")
    await office.hold(bob, "1")
    await office.give(ann, "2", BTC)
    moment = office.clock.now()
    office.clock.move(days=1)
    await office.give(bob, "7")

    now = await office.ledger.explorer.trial_balance(None)
    then = await office.ledger.explorer.trial_balance(moment)
    never = await office.ledger.explorer.trial_balance(moment - timedelta(days=1))

    assert now.balanced
    assert now.as_of == office.clock.now()
    assert sums_of(now) == {
        (BTC, AccountKind.AVAILABLE, ""): (Decimal(0), Decimal(2)),
        (BTC, AccountKind.FAUCET, ""): (Decimal(2), Decimal(0)),
        (USDT, AccountKind.AVAILABLE, ""): (Decimal(5), Decimal(21)),
        (USDT, AccountKind.FAUCET, ""): (Decimal(17), Decimal(0)),
        (USDT, AccountKind.HELD, ""): (Decimal(0), Decimal(1)),
    }
    (usdt,) = [each for each in now.assets if each.asset == USDT]
    assert (usdt.debits, usdt.credits, usdt.balance) == (Decimal(22), Decimal(22), Decimal(0))
    (row,) = [each for each in usdt.rows if each.kind is AccountKind.AVAILABLE]
    assert (row.accounts, row.balance) == (2, Decimal(16))
    assert then.balanced
    assert then.as_of == moment
    assert sums_of(then)[USDT, AccountKind.FAUCET, ""] == (Decimal(10), Decimal(0))
    assert then.position is not None
    assert now.position is not None
    assert then.position < now.position
    assert (never.balanced, never.assets, never.position) == (True, (), None)
    assert await office.verification.findings() == []


async def test_books_that_are_wrong_are_not_balanced(office: Office, database_urls: DatabaseUrls):
    await office.person(amount="10")
    await tamper(
        database_urls, "UPDATE wallets.posting SET amount = amount * 2 WHERE owner IS NULL"
    )

    found = await office.ledger.explorer.trial_balance(None)

    assert not found.balanced
    assert [each.balance for each in found.assets] == [Decimal(-10)]
    rules = {finding.rule for finding in await office.verification.findings()}
    assert rules == {"unbalanced_entry"}


def test_balanced_is_reckoned_and_not_said():
    def row(asset: str, out: str, into: str) -> TrialRow:
        code = AssetCode(asset)
        return TrialRow(code, AccountKind.FEES, "", 1, Decimal(out), Decimal(into))

    even = [row("A", "5", "3"), row("A", "1", "3"), row("B", "1", "1")]
    odd = [*even, row("C", "0", "0.000000000000000001")]

    assert trial_balance(even, as_of=NOW, position=1).balanced
    assert not trial_balance(odd, as_of=NOW, position=1).balanced


def test_sums_are_told_without_zeros_at_the_end():
    def row(out: str, into: str) -> TrialRow:
        return TrialRow(BTC, AccountKind.FEES, "", 1, Decimal(out), Decimal(into))

    (asset,) = trial_balance([row("0.5", "1.5"), row("1.5", "0.5")], as_of=NOW, position=1).assets

    assert [str(each.balance) for each in asset.rows] == ["1", "-1"]
    assert (str(asset.debits), str(asset.credits), str(asset.balance)) == ("2", "2", "0")


# One step: what it is, who and whom, how much in units of the asset.
steps = st.lists(
    st.tuples(
        st.sampled_from(["deposit", "transfer", "fee", "adjust", "named"]),
        st.integers(0, 2),
        st.integers(0, 2),
        st.sampled_from([USDT, BTC]),
        st.integers(1, 3_000_000),
    ),
    max_size=12,
)


@dataclass
class Journal:
    """The same entries in a dictionary."""

    people: list[UserId] = field(default_factory=lambda: [UserId(new_uuid7()) for _ in range(3)])
    debits: dict[tuple[AssetCode, AccountKind, str], Decimal] = field(
        default_factory=lambda: defaultdict(Decimal)
    )
    credits: dict[tuple[AssetCode, AccountKind, str], Decimal] = field(
        default_factory=lambda: defaultdict(Decimal)
    )

    def add(self, entry: JournalEntry) -> None:
        for each in entry.postings:
            account = each.account
            key = (account.asset, account.kind, "" if account.owner else account.name)
            side = self.debits if each.amount < 0 else self.credits
            side[key] = total((side[key], each.amount.copy_abs()))

    @property
    def sums(self) -> Sums:
        keys = self.debits.keys() | self.credits.keys()
        return {key: (self.debits[key], self.credits[key]) for key in keys}

    def entry(self, step: tuple[str, int, int, AssetCode, int], number: int) -> JournalEntry | None:
        kind, one, other, asset, units = step
        ann, bob, amount = self.people[one], self.people[other], Decimal(units).scaleb(-6)
        match kind:
            case "deposit":
                origin = house(AccountKind.FAUCET, asset)
            case "named":
                origin = house(AccountKind.VENUE, asset, f"SUB:{one}:FUND")
            case "transfer":
                if ann == bob:
                    return None
                return ledger.transfer(ann, bob, asset, amount, at=NOW, fee=amount)
            case "fee":
                return ledger.fee(ann, asset, amount, at=NOW)
            case _:
                signed = amount if one else amount.copy_negate()
                source = f"adjustment:{new_uuid7()}"
                return ledger.adjustment(ann, asset, signed, by=bob, source=source, at=NOW)
        source = f"{number}:{new_uuid7()}"
        return ledger.deposit(ann, asset, amount, origin=origin, source=source, at=NOW)


def test_it_is_what_the_entries_add_up_to(database_urls: DatabaseUrls):
    """Whatever was posted; what the ledger refused is not in it."""
    with asyncio.Runner() as runner:
        journal, position = Journal(), 0
        runner.run(emptied(database_urls))

        async def agree(given: list[tuple[str, int, int, AssetCode, int]]) -> None:
            nonlocal position
            database = Database(database_urls.app, role="test", pool_size=1)
            works = PostgresWorks(database, clock=SetClock())
            books = PostgresLedgerBooks(database, ring=KeyRing({"test": b"m" * 32}))
            try:
                for number, step in enumerate(given):
                    entry = journal.entry(step, number)
                    if entry is None:
                        continue
                    async with works.begin() as work:
                        posted = await record(work, entry)
                    if place := getattr(posted, "position", None):
                        journal.add(entry)
                        position = place
                found = await books.trial_balance(until=None, now=NOW)
            finally:
                await database.aclose()
            assert sums_of(found) == journal.sums
            assert found.balanced
            assert (found.position or 0) == position

        @settings(max_examples=25)
        @given(steps)
        def whatever(given: list[tuple[str, int, int, AssetCode, int]]) -> None:
            runner.run(agree(given))

        whatever()


async def emptied(urls: DatabaseUrls) -> None:
    owner = await asyncpg.connect(urls.owner)
    try:
        await owner.execute(
            "TRUNCATE wallets.entry, wallets.posting, wallets.account, wallets.balance,"
            " wallets.asset, wallets.hold, wallets.unsealed, wallets.chain_link"
        )
    finally:
        await owner.close()
    database = Database(urls.app, role="test", pool_size=1)
    for asset in ASSETS:
        await PostgresAssets(database, clock=SetClock()).add(asset)
    await database.aclose()
