"""Transactions narrowed by asset, kind and time: the same as a plain filter over all of them."""

import random
from collections.abc import Sequence
from datetime import timedelta
from decimal import Decimal
from itertools import product

import asyncpg
import pytest

from domain.kernel.ids import UserId, new_uuid7
from domain.wallets import ledger
from domain.wallets.model import EntryKind, Hold, Posted, Transaction, available
from domain.wallets.ports import Place, TransactionQuery
from tests.users.people import NOW
from tests.wallets.conftest import BTC, USDT, Bank
from tests.world import DatabaseUrls

KINDS = (
    frozenset[EntryKind](),
    frozenset({EntryKind.DEPOSIT}),
    frozenset({EntryKind.HOLD_PLACED, EntryKind.HOLD_VOIDED}),
    frozenset({EntryKind.FEE}),
)
MINUTES = (None, -500, 20, 31, 60, 500)


async def busy(bank: Bank) -> UserId:
    """Somebody with some thirty entries, a few of them late: their time was taken before."""
    dice = random.Random(5)  # noqa: S311  # the same every time
    ann, bob = await bank.person("5"), await bank.person("5")
    for _ in range(14):
        bank.clock.move(minutes=5)
        await bank.give(ann, "1", dice.choice((USDT, BTC)))
        await bank.give(bob, "1")
        bank.clock.move(seconds=-dice.randrange(50))
        hold = await bank.holds.reserve(ann, USDT, Decimal("0.5"), reason="order")
        assert isinstance(hold, Hold)
        if dice.random() < 0.5:
            await bank.holds.void(hold.id)
    return ann


async def paged(bank: Bank, query: TransactionQuery, first: int) -> list[Transaction]:
    found: list[Transaction] = []
    while True:
        last = found[-1] if found else None
        before = None if last is None else Place(last.position, last.asset)
        page = await bank.books.transactions(query, first=first, before=before)
        found += page
        if len(page) < first:
            return found


def plainly(everything: Sequence[Transaction], query: TransactionQuery) -> list[Transaction]:
    return [
        each
        for each in everything
        if (query.asset is None or each.asset == query.asset)
        and (not query.kinds or each.kind in query.kinds)
        and (query.since is None or each.at >= query.since)
        and (query.until is None or each.at < query.until)
    ]


async def test_a_narrowed_statement_is_a_plain_filters(bank: Bank):
    ann = await busy(bank)
    everything = await bank.books.transactions(TransactionQuery(ann), first=200, before=None)
    assert len(everything) > 28

    moments = [None if m is None else NOW + timedelta(minutes=m, seconds=-20) for m in MINUTES]
    for asset, kinds, since, until in product((None, USDT, BTC), KINDS, moments, moments):
        query = TransactionQuery(ann, asset, kinds, since, until)
        expected = plainly(everything, query)
        assert await paged(bank, query, 3) == expected, query
        assert await bank.books.transactions(query, first=100, before=None) == expected, query


async def test_a_moment_has_its_place(bank: Bank, database_urls: DatabaseUrls):
    app = await asyncpg.connect(database_urls.app)
    place = "SELECT wallets.position_at($1)"
    try:
        assert await app.fetchval(place, NOW) == 0
        positions = [(await bank.give(await bank.person(), "1")).position]
        for _ in range(5):
            bank.clock.move(hours=1)
            positions.append((await bank.give(await bank.person(), "1")).position)

        for hours, position in enumerate(positions):
            moment = NOW + timedelta(hours=hours)
            assert await app.fetchval(place, moment) == position
            assert await app.fetchval(place, moment - timedelta(minutes=30)) == position
        assert await app.fetchval(place, NOW + timedelta(days=1)) == positions[-1] + 1
    finally:
        await app.close()


async def test_lines_cannot_have_another_kind_than_their_entry(
    bank: Bank, database_urls: DatabaseUrls
):
    await bank.person("5")
    owner = await asyncpg.connect(database_urls.owner)
    try:
        await owner.execute("ALTER TABLE wallets.posting DISABLE TRIGGER appended_to_only")
        await owner.execute("UPDATE wallets.posting SET kind = 'FEE' WHERE owner IS NULL")
        await owner.execute("ALTER TABLE wallets.posting ENABLE TRIGGER appended_to_only")
    finally:
        await owner.close()

    found = await bank.verification.findings()

    assert [finding.rule for finding in found] == ["posting_of_another_kind"]


@pytest.mark.parametrize("first", [1, 2])
async def test_no_kind_is_lost_between_kinds(bank: Bank, first: int):
    ann = await busy(bank)
    kinds = frozenset(EntryKind)

    found = await paged(bank, TransactionQuery(ann, kinds=kinds), first)

    assert found == await paged(bank, TransactionQuery(ann), 50)


async def test_what_was_sent_is_a_plain_sum(bank: Bank, database_urls: DatabaseUrls):
    """Whatever the moment, also with lines whose times are in another order than their numbers."""
    dice = random.Random(6)  # noqa: S311  # the same every time
    ann, bob = await bank.person("1000"), await bank.person()
    for _ in range(40):
        bank.clock.move(seconds=dice.choice((1, 20, 3600, 86_400)))
        late = dice.randrange(55)
        bank.clock.move(seconds=-late)
        if dice.random() < 0.6:
            entry = ledger.transfer(
                ann, bob, USDT, Decimal(dice.randrange(1, 9)), at=bank.clock.now()
            )
        else:
            entry = ledger.fee(ann, USDT, Decimal(1), at=bank.clock.now())
        async with bank.works.begin() as work:
            assert isinstance(await work.ledger.post(entry), Posted)
        bank.clock.move(seconds=late)
    lines = await bank.books.transactions(TransactionQuery(ann, USDT), first=200, before=None)
    sent = {t.at: -t.available_change for t in lines if t.kind is EntryKind.TRANSFER}
    assert len(sent) > 15

    app = await asyncpg.connect(database_urls.app)
    try:
        for line in lines:
            for nudge in (-61, -1, 0, 1, 30, 61):
                bound = line.at + timedelta(seconds=nudge)
                row = await app.fetchrow(
                    "SELECT * FROM wallets.sent_since($1, $2)", available(ann, USDT).id, bound
                )
                within = {at: amount for at, amount in sent.items() if at > bound}
                assert row["amount"] == sum(within.values()), bound
                assert (row["oldest_at"] is None) == (not within)
                if within:
                    # By number the first, by time at most as late as commands are.
                    assert min(within) <= row["oldest_at"] <= min(within) + timedelta(minutes=1)
    finally:
        await app.close()


async def test_who_never_sent_sent_nothing(bank: Bank, database_urls: DatabaseUrls):
    ann = await bank.person("5")
    app = await asyncpg.connect(database_urls.app)
    try:
        for owner in (ann, UserId(new_uuid7())):
            row = await app.fetchrow(
                "SELECT * FROM wallets.sent_since($1, $2)", available(owner, USDT).id, NOW
            )
            assert (row["amount"], row["oldest_at"]) == (0, None)
    finally:
        await app.close()
