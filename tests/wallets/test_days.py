"""Days of the ledger: closed once, one after the other, by the chain's numbers."""

import asyncio
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from itertools import pairwise

import asyncpg
import pytest

from adapters.postgres import Database
from domain.kernel.ids import UserId, new_uuid7
from domain.wallets import ledger, proofs
from domain.wallets.errors import UnknownAsset
from domain.wallets.model import Hold
from domain.wallets.proofs import digest_of_liabilities, root_of_day
from domain.wallets.recording import record
from schema._ids import encode_id
from tests.users.people import NOW
from tests.verifying import as_answered, why_not
from tests.wallets.conftest import BTC, USDT, Bank
from tests.wallets.proving import TODAY, Ledger, only_appended_to, tamper
from tests.world import DatabaseUrls

MIDNIGHT = datetime(2026, 11, 23, tzinfo=UTC)


@pytest.fixture
def books(bank: Bank) -> Ledger:
    return Ledger(bank)


def me(owner: UserId) -> str:
    return str(encode_id("User", owner))


async def test_a_day_is_closed_when_it_is_over_and_sealed(books: Ledger):
    await books.bank.person("5")
    await books.chain.seal_all()

    for too_early in (NOW, MIDNIGHT, MIDNIGHT + timedelta(seconds=59)):
        books.bank.clock.at = too_early
        assert await books.days.close_due() == 0
    assert await books.proofs.day(TODAY) is None
    assert await books.proofs.liabilities(TODAY) is None
    books.bank.clock.at = MIDNIGHT + timedelta(minutes=1)
    assert await books.days.close_due() == 1
    assert await books.days.close_due() == 0

    day = await books.day(TODAY)
    assert (day.first_number, day.last_number, day.entries) == (1, 1, 1)
    assert (day.previous_root, day.sealed_at) == (None, books.bank.clock.now())
    assert await books.found() == set()


async def test_a_day_waits_for_its_last_entries(books: Ledger):
    await books.bank.person("5")
    await books.chain.seal_all()
    await books.bank.person("6")
    books.bank.clock.at = MIDNIGHT + timedelta(hours=1)
    await books.bank.person("7")

    assert await books.days.close_due() == 0
    # One entry of the day is enough; that of today need not be sealed.
    assert await books.bank.sealing.seal(now=books.bank.clock.now(), limit=1) == 1
    assert await books.days.close_due() == 1

    assert (await books.day(TODAY)).last_number == 2


async def test_without_entries_there_are_no_days(books: Ledger):
    books.bank.clock.move(days=30)

    assert await books.days.close_due() == 0
    assert await books.closing.first_day() is None


async def test_roots_are_one_line_over_quiet_days_too(books: Ledger):
    await books.bank.person("5")
    first = await books.end_day()
    books.bank.clock.move(days=3)  # three days of nothing
    await books.bank.person("6")
    fifth = await books.end_day()

    days = [await books.day(TODAY + timedelta(days=n)) for n in range(5)]
    assert days[0] == first
    assert [day.entries for day in days] == [1, 0, 0, 0, 1]
    assert [day.first_number for day in days] == [1, 2, 2, 2, 2]
    assert fifth == days[4]
    for before, day in pairwise(days):
        assert day.previous_root == before.root
        assert day.first_number == before.last_number + 1
    for day in days:
        owed = await books.proofs.liabilities(day.day)
        assert owed is not None
        assert day.liabilities == digest_of_liabilities(owed)
        assert day.root == root_of_day(
            day.day,
            first_number=day.first_number,
            last_number=day.last_number,
            link=day.link,
            liabilities=day.liabilities,
            previous_root=day.previous_root,
        )
    assert len({day.root for day in days}) == 5
    assert days[0].link == days[3].link != days[4].link
    assert await books.found() == set()


async def test_what_was_committed_late_belongs_to_the_next_day(books: Ledger):
    """Money that was committed after its day was closed belongs to the next day, whole."""
    ann, bob = await books.bank.person("5"), await books.bank.person()
    await books.end_day()
    late = ledger.transfer(ann, bob, USDT, Decimal(2), at=NOW)
    async with books.bank.works.begin() as work:
        await record(work, late)

    second = await books.end_day()

    assert (second.first_number, second.entries) == (2, 1)
    assert (await books.proof(ann)).leaf.balance == 5
    assert await books.proofs.inclusion(bob, TODAY, USDT) is None
    assert (await books.proof(bob, second.day)).leaf.balance == 2
    assert (await books.proof(ann, second.day)).leaf.balance == 3
    assert await books.found() == set()


async def test_what_was_sealed_between_belongs_to_the_day(books: Ledger):
    """Two entries around midnight, sealed the wrong way round: the number decides, not the time."""
    ann = await books.bank.person("100")
    books.bank.clock.at = MIDNIGHT + timedelta(seconds=1)
    await books.bank.give(ann, "1")
    books.bank.clock.at = MIDNIGHT - timedelta(seconds=1)
    await books.bank.give(ann, "10")
    books.bank.clock.at = MIDNIGHT + timedelta(seconds=2)
    await books.bank.give(ann, "1000")

    await books.chain.seal_all()
    books.bank.clock.at = MIDNIGHT + timedelta(hours=12)
    assert await books.days.close_due() == 1

    assert (await books.day(TODAY)).last_number == 3
    assert (await books.proof(ann)).leaf.balance == 111
    assert await books.found() == set()


async def test_many_at_once_close_each_day_once(database_urls: DatabaseUrls, books: Ledger):
    await books.bank.person("5")
    await books.chain.seal_all()
    database = Database(database_urls.app, role="test", pool_size=6)
    many = [Ledger(Bank(database)) for _ in range(6)]
    for each in many:
        each.bank.clock.at = NOW + timedelta(days=3)

    closed = await asyncio.gather(*(each.days.close_due() for each in many))

    assert sum(closed) == 3
    await database.aclose()
    books.bank.clock.at = NOW + timedelta(days=3)
    assert await books.found() == set()


async def test_what_is_owed_is_what_everybody_has(books: Ledger):
    bank = books.bank
    ann, bob, eve = await bank.person("10"), await bank.person("2.5"), await bank.person("1")
    await bank.give(ann, "0.000000000000000001", BTC)
    hold = await bank.holds.reserve(ann, USDT, Decimal(4), reason="order")
    assert isinstance(hold, Hold)
    await bank.transfers.transfer(bank.wish(eve, bob, "1"))
    day = await books.end_day()
    await bank.transfers.transfer(bank.wish(ann, bob, "6"))  # tomorrow: changes nothing of today

    owed = await books.proofs.liabilities(day.day)

    assert owed is not None
    assert [(each.asset, each.total_liabilities, each.leaves) for each in owed] == [
        (BTC, Decimal("0.000000000000000001"), 16),
        (USDT, Decimal("13.5"), 16),
    ]
    roots = {each.asset: each.root for each in owed}
    for owner, asset, balance in (
        (ann, USDT, "10"),
        (bob, USDT, "3.5"),
        (eve, USDT, "0"),
        (ann, BTC, "0.000000000000000001"),
    ):
        proof = await books.proof(owner, day.day, asset)
        assert proof.leaf.balance == Decimal(balance)
        assert why_not(as_answered(proof), roots[asset], me(owner)) is None
        assert why_not(as_answered(proof), roots[asset], me(UserId(new_uuid7()))) is not None


async def test_who_is_not_in_a_tree_is_told_so(books: Ledger):
    ann, bob = await books.bank.person("10"), await books.bank.person()

    assert await books.proofs.inclusion(ann, TODAY, USDT) is None
    day = await books.end_day()
    assert await books.proofs.inclusion(bob, day.day, USDT) is None
    assert await books.proofs.inclusion(ann, day.day, BTC) is None
    assert await books.proofs.inclusion(ann, day.day + timedelta(days=1), USDT) is None
    assert await books.proofs.inclusion(ann, date.min, USDT) is None
    assert await books.proofs.inclusion(ann, day.day, "NOPE") == UnknownAsset("NOPE")


async def test_everybody_is_found_in_a_tree_of_many_parts(
    books: Ledger, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(proofs, "PART", 4)
    people = [await books.bank.person(f"{n + 1}") for n in range(37)]

    day = await books.end_day()

    (owed,) = await books.published.liabilities(day.day)
    assert (owed.leaves, owed.total_liabilities) == (64, Decimal(37 * 38 // 2))
    found = [await books.proof(person) for person in people]
    assert [proof.leaf.balance for proof in found] == list(range(1, 38))
    for person, proof in zip(people, found, strict=True):
        assert why_not(as_answered(proof), owed.root, me(person)) is None
    assert await books.found() == set()


async def test_a_path_that_leads_elsewhere_is_not_given_out(
    books: Ledger, database_urls: DatabaseUrls
):
    ann, bob = await books.bank.person("10"), await books.bank.person("3")
    await books.end_day()
    await tamper(
        database_urls,
        "UPDATE wallets.liability_part SET leaves = overlay(leaves PLACING '\\x01' FROM 64)",
    )

    with pytest.raises(LookupError, match="does not come to its root"):
        await books.proof(ann)
    with pytest.raises(LookupError, match="does not come to its root"):
        await books.proof(bob)


async def test_a_day_that_goes_below_zero_is_not_closed(books: Ledger, database_urls: DatabaseUrls):
    await books.bank.person("10")
    await books.chain.seal_all()
    await tamper(database_urls, "UPDATE wallets.posting SET amount = -amount")
    books.bank.clock.at = MIDNIGHT + timedelta(hours=1)

    with pytest.raises(proofs.BelowZero):
        await books.days.close_due()

    assert await books.proofs.day(TODAY) is None
    assert await books.published.liabilities(TODAY) == []


async def test_only_functions_write_days_and_nothing_changes_them(
    books: Ledger, database_urls: DatabaseUrls
):
    await books.bank.person("10")
    await books.end_day()
    app = await asyncpg.connect(database_urls.app)
    owner = await asyncpg.connect(database_urls.owner)
    try:
        columns = {"day_root": "root", "liability": "root", "liability_part": "leaves"}
        await only_appended_to(app, owner, columns)
        for table in columns:
            with pytest.raises(asyncpg.InsufficientPrivilegeError, match="permission denied"):
                await app.execute(f"INSERT INTO wallets.{table} SELECT * FROM wallets.{table}")  # noqa: S608
        for forged in (
            "SELECT wallets.close_day('2026-11-22', 1, sha256('')::bytea, now())",
            "SELECT wallets.close_day('2026-11-24', 1, sha256('')::bytea, now())",
            "SELECT wallets.close_day('2026-11-23', 0, sha256('')::bytea, now())",
            "SELECT wallets.keep_tree('2026-11-22', 'BTC', 0, 16, sha256(''), '', '{}')",
        ):
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await app.execute(forged)
        with pytest.raises(asyncpg.NoDataFoundError):
            await app.execute("SELECT wallets.close_day('2026-11-23', 7, sha256(''), now())")
    finally:
        await app.close()
        await owner.close()
    assert await books.found() == set()


async def test_a_proof_says_what_only_its_owner_is_told(books: Ledger):
    ann, bob = await books.bank.person("10"), await books.bank.person("10")
    first = await books.end_day()
    second = await books.end_day()

    proof = await books.proof(ann, first.day)
    others = [await books.proof(ann, second.day), await books.proof(bob, first.day)]

    for other in others:
        assert proof.leaf.nonce != other.leaf.nonce
        assert proof.leaf.id != other.leaf.id
