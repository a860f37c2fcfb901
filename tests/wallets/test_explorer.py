"""The explorer: everything is found, page by page, and whoever looked is in the log."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from uuid import uuid4

import asyncpg

from domain.kernel.errors import BadInput, NotFound
from domain.kernel.ids import UserId, new_uuid7
from domain.kernel.money import total
from domain.kernel.viewer import Viewer
from domain.wallets import ledger
from domain.wallets.desk.model import LedgerAccount, LedgerEntry
from domain.wallets.desk.ports import AccountQuery, EntryQuery
from domain.wallets.model import (
    AccountId,
    AccountKind,
    EntryId,
    EntryKind,
    JournalEntry,
    available,
    held,
    house,
)
from tests.users.conftest import book
from tests.wallets.conftest import BTC, USDT
from tests.wallets.office import Office, office
from tests.world import DatabaseUrls

__all__ = ["book", "office"]


async def entries(
    office: Office, viewer: Viewer, query: EntryQuery, *, first: int = 3
) -> list[LedgerEntry]:
    """All pages."""
    seen: list[LedgerEntry] = []
    after = None
    while True:
        page = await office.ledger.explorer.entries(viewer, query, first=first, after=after)
        assert not isinstance(page, BadInput), page
        assert len(page.edges) <= first
        seen += [edge.node for edge in page.edges]
        after = page.page_info.end_cursor
        if not page.page_info.has_next_page:
            return seen


async def test_everything_is_found_newest_first(office: Office):
    ann, bob = await office.person(amount="10"), await office.person("uid-bob", amount="5")
    staff = await office.treasurer()
    await office.give(ann, "1", BTC)
    start = office.clock.now()
    office.clock.move(days=1)
    hold = await office.hold(ann, "2")
    sent = [await office.send(ann, bob, "1") for _ in range(4)]
    office.clock.move(days=1)
    back = await office.send(bob, ann, "0.5")
    assert isinstance(back, JournalEntry)

    everything = await entries(office, staff, EntryQuery())

    assert len(everything) == 9
    positions = [each.position for each in everything]
    assert positions == sorted(positions, reverse=True)
    assert everything[0].id == back.id
    for entry in everything:
        for asset in {line.account.asset for line in entry.lines}:
            assert total(line.amount for line in entry.lines if line.account.asset == asset) == 0

    async def count(query: EntryQuery) -> int:
        return len(await entries(office, staff, query))

    assert await count(EntryQuery(owner=bob)) == 6
    assert await count(EntryQuery(owner=ann, asset=BTC)) == 1
    assert await count(EntryQuery(asset=BTC)) == 1
    assert await count(EntryQuery(kinds=frozenset({EntryKind.DEPOSIT}))) == 3
    assert await count(EntryQuery(owner=bob, kinds=frozenset({EntryKind.DEPOSIT}))) == 1
    assert await count(EntryQuery(hold_id=hold.id)) == 1
    assert await count(EntryQuery(account_id=held(ann, USDT).id)) == 1
    assert await count(EntryQuery(account_id=available(ann, USDT).id)) == 7
    assert await count(EntryQuery(account_id=available(ann, USDT).id, owner=bob)) == 0
    assert await count(EntryQuery(account_id=house(AccountKind.FAUCET, USDT).id)) == 2
    assert await count(EntryQuery(account_id=house(AccountKind.FAUCET, USDT).id, asset=BTC)) == 0
    assert await count(EntryQuery(account_id=AccountId(new_uuid7()))) == 0
    assert await count(EntryQuery(owner=UserId(new_uuid7()))) == 0
    assert await count(EntryQuery(since=start + timedelta(days=1))) == 6
    assert await count(EntryQuery(until=start + timedelta(days=1))) == 3
    assert await count(EntryQuery(since=start, until=start + timedelta(days=2))) == 8
    source = everything[-1].source
    assert source is not None
    assert await count(EntryQuery(source=source)) == 1
    assert await count(EntryQuery(source="nothing")) == 0
    assert all(isinstance(each, JournalEntry) for each in sent)


async def test_one_entry_with_all_that_it_moved(office: Office):
    ann, bob = await office.person(amount="10"), await office.person("uid-bob")
    staff = await office.treasurer()
    entry = ledger.transfer(ann, bob, USDT, Decimal(4), at=office.clock.now(), fee=Decimal("0.5"))
    await office.post(entry)

    found = await office.ledger.explorer.entry(staff, entry.id)

    assert isinstance(found, LedgerEntry)
    assert found.actor == ann
    assert found.details == {"sender": str(ann), "recipient": str(bob)}
    assert {(line.account, line.amount, line.sequence, line.balance) for line in found.lines} == {
        (available(ann, USDT), Decimal("-4.5"), 2, Decimal("5.5")),
        (available(bob, USDT), Decimal(4), 1, Decimal(4)),
        (house(AccountKind.FEES, USDT), Decimal("0.5"), None, None),
    }
    missing = await office.ledger.explorer.entry(staff, EntryId(uuid4()))
    assert missing == NotFound("entry", "id")
    viewed = [line.subject_id for line in await office.lines("ledger.viewed")]
    assert sorted(viewed) == sorted([ann, bob])


async def test_pages_do_not_shift_under_who_reads(office: Office):
    ann, bob = await office.person(amount="50"), await office.person("uid-bob")
    staff = await office.treasurer()
    for _ in range(5):
        await office.send(ann, bob, "1")
    whole = await entries(office, staff, EntryQuery(owner=bob), first=100)

    first = await office.ledger.explorer.entries(staff, EntryQuery(owner=bob), first=2, after=None)
    assert not isinstance(first, BadInput)
    await asyncio.gather(*(office.send(ann, bob, "1") for _ in range(5)))
    end = first.page_info.end_cursor
    rest = await office.ledger.explorer.entries(staff, EntryQuery(owner=bob), first=100, after=end)

    assert not isinstance(rest, BadInput)
    assert [e.node.id for e in (*first.edges, *rest.edges)] == [each.id for each in whole]


async def test_cursors_and_sizes_are_looked_at(office: Office):
    staff = await office.treasurer()
    explorer = office.ledger.explorer

    for first in (0, 101):
        assert isinstance(
            await explorer.entries(staff, EntryQuery(), first=first, after=None), BadInput
        )
        assert isinstance(
            await explorer.accounts(staff, AccountQuery(), first=first, after=None), BadInput
        )
    assert isinstance(await explorer.entries(staff, EntryQuery(), first=1, after="A"), BadInput)
    assert isinstance(await explorer.accounts(staff, AccountQuery(), first=1, after="A"), BadInput)


async def test_accounts_of_users_and_of_the_house(office: Office, database_urls: DatabaseUrls):
    ann, bob = await office.person(amount="10"), await office.person("uid-bob", amount="5")
    staff = await office.treasurer()
    await office.give(ann, "1", BTC)
    await office.hold(ann, "3")
    await office.freeze(staff, bob)

    async def accounts(query: AccountQuery) -> list[LedgerAccount]:
        seen: list[LedgerAccount] = []
        after = None
        while True:
            page = await office.ledger.explorer.accounts(staff, query, first=2, after=after)
            assert not isinstance(page, BadInput)
            seen += [edge.node for edge in page.edges]
            after = page.page_info.end_cursor
            if not page.page_info.has_next_page:
                return seen

    everything = await accounts(AccountQuery())

    assert {(each.account, str(each.balance), each.frozen) for each in everything} == {
        (available(ann, USDT), "7", False),
        (held(ann, USDT), "3", False),
        (available(ann, BTC), "1", False),
        (available(bob, USDT), "5", True),
        (house(AccountKind.FAUCET, USDT), "-15", False),
        (house(AccountKind.FAUCET, BTC), "-1", False),
    }
    assert len(await accounts(AccountQuery(owner=ann))) == 3
    assert len(await accounts(AccountQuery(asset=BTC))) == 2
    assert len(await accounts(AccountQuery(kinds=frozenset({AccountKind.FAUCET})))) == 2
    assert [each.owner for each in await accounts(AccountQuery(frozen=True))] == [bob]
    assert len(await accounts(AccountQuery(frozen=False))) == 5
    one = await office.ledger.explorer.account(staff, house(AccountKind.FAUCET, USDT).id)
    assert isinstance(one, LedgerAccount)
    assert one.balance == await summed(database_urls, one.id)
    assert (one.sequence, one.kind) == (None, AccountKind.FAUCET)
    unknown = await office.ledger.explorer.account(staff, AccountId(uuid4()))
    assert unknown == NotFound("account", "id")


async def summed(urls: DatabaseUrls, account_id: AccountId) -> Decimal:
    owner = await asyncpg.connect(urls.owner)
    try:
        query = "SELECT sum(amount) FROM wallets.posting WHERE account_id = $1"
        found: Decimal = await owner.fetchval(query, account_id)
        return found
    finally:
        await owner.close()


async def test_who_looks_leaves_a_trace(office: Office):
    ann, bob = await office.person(amount="10"), await office.person("uid-bob")
    staff = await office.treasurer()
    await office.send(ann, bob, "1")

    await entries(office, staff, EntryQuery(owner=ann, asset=USDT), first=100)

    (searched,) = await office.lines("ledger.searched")
    assert (searched.actor_id, searched.subject_id) == (staff.user_id, ann)
    assert searched.details == {"by": "owner asset", "found": "2"}
    assert subjects(await office.lines("ledger.viewed")) == sorted([ann, bob])
    # Also who finds nothing.
    await entries(office, staff, replace(EntryQuery(), source="nothing"))
    assert len(await office.lines("ledger.searched")) == 2
    account = await office.ledger.explorer.account(staff, available(bob, USDT).id)
    assert isinstance(account, LedgerAccount)
    assert subjects(await office.lines("ledger.viewed")) == sorted([ann, bob, bob])


def subjects(lines: Sequence[object]) -> list[UserId]:
    return sorted(line.subject_id for line in lines)  # type: ignore[attr-defined]
