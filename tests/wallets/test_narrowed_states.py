"""Transactions narrowed by what became of them: a plain filter's, at the cost of a page."""

import random
from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from itertools import product

import asyncpg
import pytest

from domain.kernel.ids import UserId
from domain.wallets import ledger
from domain.wallets.model import (
    AccountKind,
    EntryKind,
    Hold,
    JournalEntry,
    Posted,
    Transaction,
    TransactionState,
    house,
)
from domain.wallets.ports import Place, TransactionQuery
from tests.wallets.conftest import BTC, USDT, Bank
from tests.wallets.costs import pages_of
from tests.wallets.long_books import grow
from tests.wallets.proving import tamper
from tests.world import DatabaseUrls

PENDING, REVERSED = TransactionState.PENDING, TransactionState.REVERSED
STATES = (
    *(frozenset({state}) for state in TransactionState),
    frozenset({PENDING, REVERSED}),
    frozenset({TransactionState.POSTED, TransactionState.SETTLED}),
    frozenset(TransactionState),
)
KINDS = (
    frozenset[EntryKind](),
    frozenset({EntryKind.DEPOSIT}),
    frozenset({EntryKind.HOLD_PLACED, EntryKind.HOLD_VOIDED}),
    frozenset({EntryKind.HOLD_PLACED}),
)


async def reverse(bank: Bank, entry: JournalEntry) -> None:
    async with bank.works.begin() as work:
        back = ledger.reversal(entry, at=bank.clock.now())
        assert isinstance(await work.ledger.post(back), Posted)


async def of_every_state(bank: Bank) -> UserId:
    """Somebody with some fifty transactions, of two assets and of all states, mixed."""
    dice = random.Random(7)  # noqa: S311  # the same every time
    ann, bob = await bank.person("50"), await bank.person("5")
    await bank.give(ann, "50", BTC)
    open_holds: list[Hold] = []
    fees: list[JournalEntry] = []
    for _ in range(40):
        bank.clock.move(seconds=dice.randrange(1, 400))
        asset = dice.choice((USDT, BTC))
        match dice.randrange(6):
            case 0 | 1:
                hold = await bank.holds.reserve(ann, asset, Decimal("0.5"), reason="order")
                assert isinstance(hold, Hold)
                open_holds.append(hold)
            case 2:
                fees.append(ledger.fee(ann, asset, Decimal(1), at=bank.clock.now()))
                async with bank.works.begin() as work:
                    assert isinstance(await work.ledger.post(fees[-1]), Posted)
            case 3 if fees:
                await reverse(bank, fees.pop(dice.randrange(len(fees))))
            case 4 if open_holds:
                hold = open_holds.pop(dice.randrange(len(open_holds)))
                where = house(AccountKind.IN_TRANSIT, hold.asset)
                await bank.holds.post(hold.id, to=where, amount=Decimal("0.25"))
            case 5 if open_holds:
                await bank.holds.void(open_holds.pop(dice.randrange(len(open_holds))).id)
            case _:
                await bank.give(ann, "1", asset)
                await bank.give(bob, "1", asset)
    await reverse(bank, fees[-1])
    still_open = await bank.holds.reserve(ann, USDT, Decimal(1), reason="order")
    assert isinstance(still_open, Hold)
    late = await bank.holds.reserve(
        ann, USDT, Decimal(1), reason="order", expires_at=bank.clock.now()
    )
    assert isinstance(late, Hold)
    bank.clock.move(seconds=1)
    assert await bank.holds.expire_due() == 1
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
        if each.state in query.states
        and (query.asset is None or each.asset == query.asset)
        and (not query.kinds or each.kind in query.kinds)
        and (query.since is None or each.at >= query.since)
        and (query.until is None or each.at < query.until)
    ]


async def test_a_statement_of_states_is_a_plain_filters(bank: Bank):
    ann = await of_every_state(bank)
    everything = await bank.books.transactions(TransactionQuery(ann), first=200, before=None)
    assert {each.state for each in everything} == set(TransactionState)
    times = sorted(each.at for each in everything)
    spans = ((None, None), (times[10], times[-10]), (times[20], None))

    for states, kinds, asset, (since, until) in product(STATES, KINDS, (None, USDT, BTC), spans):
        query = TransactionQuery(ann, asset, kinds, since, until, states)
        expected = plainly(everything, query)
        assert await paged(bank, query, 3) == expected, query
        assert await bank.books.transactions(query, first=100, before=None) == expected, query


@pytest.mark.parametrize("states", STATES)
async def test_each_wallets_statement_of_states_is_a_plain_filters(
    bank: Bank, states: frozenset[TransactionState]
):
    ann = await of_every_state(bank)
    everything = await bank.books.transactions(TransactionQuery(ann), first=200, before=None)
    query = TransactionQuery(ann, states=states)

    found = await bank.books.transactions_by_asset(query, [USDT, BTC], first=4, before=None)

    for asset in (USDT, BTC):
        expected = plainly(everything, replace(query, asset=asset))[:4]
        assert list(found.get(asset, ())) == expected


ENTRIES = 4000
DEAR = 800
"""Pages. Twenty-one of each of eight kinds cost half of it; a walk through all that, 12,000."""


@pytest.mark.parametrize("resolved", [True, False])
async def test_a_state_costs_a_page_whatever_the_histories_length(
    bank: Bank, database_urls: DatabaseUrls, resolved: bool
):
    """What is asked for is nearly all there is, or the oldest of it."""
    ann = await of_every_state(bank)
    await grow(database_urls, ann, ENTRIES, resolved=resolved)

    for state, asset in product(TransactionState, (None, USDT)):
        query = TransactionQuery(ann, asset, states=frozenset({state}))

        async def read(query: TransactionQuery = query) -> object:
            return await bank.books.transactions(query, first=21, before=None)

        found = await bank.books.transactions(query, first=21, before=None)
        assert {each.state for each in found} == {state}
        assert await pages_of(bank.database, database_urls, read) < DEAR, query


async def test_a_hold_that_is_placed_elsewhere_is_found(bank: Bank, database_urls: DatabaseUrls):
    ann = await bank.person("5")
    hold = await bank.holds.reserve(ann, USDT, Decimal(1), reason="order")
    assert isinstance(hold, Hold)
    assert await bank.verification.findings() == []

    await tamper(database_urls, "UPDATE wallets.hold SET position = position - 1")

    found = await bank.verification.findings()
    assert [(each.rule, each.subject) for each in found] == [("misplaced_hold", str(hold.id))]


async def test_holds_that_are_made_anew_know_their_place(bank: Bank, database_urls: DatabaseUrls):
    ann = await bank.person("5")
    await bank.holds.reserve(ann, USDT, Decimal(1), reason="order")
    owner = await asyncpg.connect(database_urls.owner)
    try:
        await owner.execute("UPDATE wallets.hold SET position = NULL")
        await owner.execute("UPDATE wallets.hold SET created_at = created_at")
    finally:
        await owner.close()

    assert await bank.verification.findings() == []
