"""Holds: placed once, resolved once, whoever comes first."""

import asyncio
from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import event
from sqlalchemy.util import await_only

from adapters.postgres import Database
from domain.kernel.ids import UserId
from domain.wallets.errors import (
    BadAmount,
    HoldNotOpen,
    HoldTooSmall,
    InsufficientFunds,
    UnknownAsset,
    UnknownHold,
    WalletFrozen,
)
from domain.wallets.model import AccountKind, Hold, HoldId, HoldState, available, house
from tests.users.people import NOW
from tests.wallets.conftest import USDT, Bank
from tests.world import DatabaseUrls

OUT = house(AccountKind.IN_TRANSIT, USDT)


async def held(bank: Bank, owner: UserId, amount: str, *, minutes: int | None = None) -> Hold:
    expires_at = None if minutes is None else bank.clock.now() + timedelta(minutes=minutes)
    hold = await bank.holds.reserve(
        owner, USDT, Decimal(amount), reason="withdrawal", expires_at=expires_at
    )
    assert isinstance(hold, Hold), hold
    return hold


async def open_holds(bank: Bank, owner: UserId) -> tuple[Hold, ...]:
    return (await bank.books.explanations(owner, [USDT], first=1))[USDT].holds


async def sound(bank: Bank) -> None:
    assert await bank.verification.findings() == []


async def test_what_is_held_cannot_be_used(bank: Bank):
    ann, bob = await bank.person("10"), await bank.person()

    hold = await held(bank, ann, "7")

    assert await bank.has(ann) == "3 + 7"
    refused = await bank.transfers.transfer(bank.wish(ann, bob, "3.1"))
    assert refused == InsufficientFunds(USDT, Decimal(3))
    too_much = await bank.holds.reserve(ann, USDT, Decimal(4), reason="order")
    assert too_much == InsufficientFunds(USDT, Decimal(3))
    assert [each.id for each in await open_holds(bank, ann)] == [hold.id]
    told = (await bank.told(ann))[-1]
    assert (told.type, told.body["available"], told.body["held"]) == (
        "wallet.hold_placed", "3", "7",
    )  # fmt: skip
    assert told.body["holdId"] == str(hold.id)
    await sound(bank)


@pytest.mark.parametrize(
    ("taken", "left"),
    [(None, "3 + 0"), ("7", "3 + 0"), ("2.5", "7.5 + 0"), ("0.000001", "9.999999 + 0")],
)
async def test_a_post_takes_all_or_a_part_and_frees_the_rest(
    bank: Bank, taken: str | None, left: str
):
    ann, bob = await bank.person("10"), await bank.person()
    hold = await held(bank, ann, "7")

    amount = None if taken is None else Decimal(taken)
    after = await bank.holds.post(hold.id, to=available(bob, USDT), amount=amount)

    assert isinstance(after, Hold)
    assert (after.state, after.posted) == (HoldState.POSTED, Decimal(taken or "7"))
    assert await bank.has(ann) == left
    assert (await bank.balance(bob)).available == after.posted
    assert await open_holds(bank, ann) == ()
    await sound(bank)


async def test_a_void_gives_everything_back(bank: Bank):
    ann = await bank.person("10")
    hold = await held(bank, ann, "10")

    after = await bank.holds.void(hold.id)

    assert isinstance(after, Hold)
    assert await bank.has(ann) == "10 + 0"
    assert await bank.holds.void(hold.id) == HoldNotOpen(HoldState.VOIDED)
    assert await bank.holds.post(hold.id, to=OUT) == HoldNotOpen(HoldState.VOIDED)
    assert (await bank.told(ann))[-1].type == "wallet.hold_voided"
    await sound(bank)


async def test_more_than_is_held_is_not_taken(bank: Bank):
    ann = await bank.person("10")
    hold = await held(bank, ann, "5")

    assert await bank.holds.post(hold.id, to=OUT, amount=Decimal(6)) == HoldTooSmall(
        USDT, Decimal(5)
    )
    for amount in ("0", "-1", "0.0000001"):
        problem = await bank.holds.post(hold.id, to=OUT, amount=Decimal(amount))
        assert problem == BadAmount(USDT, 6)
    assert await bank.holds.void(HoldId(uuid4())) == UnknownHold()
    assert await bank.holds.post(HoldId(uuid4()), to=OUT, amount=Decimal(1)) == UnknownHold()
    nope = await bank.holds.reserve(ann, "NOPE", Decimal(1), reason="order")
    assert nope == UnknownAsset("NOPE")
    assert await bank.has(ann) == "5 + 5"
    await sound(bank)


async def test_time_is_up_by_the_clock(bank: Bank):
    ann = await bank.person("10")
    short, long = await held(bank, ann, "4", minutes=5), await held(bank, ann, "1", minutes=60)
    await held(bank, ann, "2")
    assert await bank.holds.expire_due() == 0

    bank.clock.move(minutes=5)

    # Due and not swept yet: what could be taken is decided by the clock, not by the sweeper.
    assert await bank.holds.post(short.id, to=OUT) == HoldNotOpen(HoldState.EXPIRED)
    assert await bank.holds.expire_due() == 1
    assert await bank.holds.expire_due() == 0
    assert await bank.has(ann) == "7 + 3"
    assert isinstance(await bank.holds.post(long.id, to=OUT), Hold)
    assert await bank.has(ann) == "7 + 2"
    assert [e.type for e in await bank.told(ann)][-2:] == [
        "wallet.hold_expired", "wallet.hold_posted",
    ]  # fmt: skip
    await sound(bank)


async def test_a_frozen_wallet_keeps_what_is_under_way(bank: Bank):
    ann = await bank.person("10")
    hold = await held(bank, ann, "4")
    async with bank.works.begin() as work:
        await work.ledger.freeze(available(ann, USDT), frozen=True)

    refused = await bank.holds.reserve(ann, USDT, Decimal(1), reason="order")

    assert refused == WalletFrozen(USDT)
    assert isinstance(await bank.holds.post(hold.id, to=OUT, amount=Decimal(1)), Hold)
    assert await bank.has(ann) == "9 + 0"
    await sound(bank)


@pytest.mark.parametrize("turn", range(3))
async def test_a_hold_is_resolved_once_whoever_comes_first(bank: Bank, turn: int):
    ann, bob = await bank.person("100"), await bank.person()
    hold = await held(bank, ann, "60", minutes=5)
    bank.clock.at = NOW + timedelta(minutes=4)
    resolutions = [
        bank.holds.post(hold.id, to=available(bob, USDT)),
        bank.holds.post(hold.id, to=available(bob, USDT), amount=Decimal(20)),
        bank.holds.void(hold.id),
    ]
    resolutions += [
        way
        for _ in range(4)
        for way in (bank.holds.post(hold.id, to=OUT), bank.holds.void(hold.id))
    ]

    answers = await asyncio.gather(*resolutions[turn:], *resolutions[:turn])

    (winner,) = [each for each in answers if isinstance(each, Hold)]
    losers = [each for each in answers if each is not winner]
    assert losers == [HoldNotOpen(winner.state)] * 10
    mine = await bank.balance(ann)
    assert mine.held == 0
    assert mine.available == Decimal(100) - winner.posted
    assert len(await bank.told(ann)) == 3
    await sound(bank)


async def test_taking_a_part_waits_for_no_second_connection(
    bank: Bank, database_urls: DatabaseUrls
):
    ann, bob = await bank.person("10"), await bank.person()
    hold = await held(bank, ann, "4")
    database = Database(database_urls.app, role="test", pool_size=1)
    narrow = Bank(database)  # which knows no asset yet
    try:
        posted = await narrow.holds.post(hold.id, to=available(bob, USDT), amount=Decimal(1))
    finally:
        await database.aclose()

    assert isinstance(posted, Hold)
    assert await bank.has(ann) == "9 + 0"


async def test_a_balance_is_explained_by_entries_and_holds(bank: Bank):
    ann, bob = await bank.person("10"), await bank.person()
    await bank.transfers.transfer(bank.wish(ann, bob, "1.5"))
    hold = await held(bank, ann, "2", minutes=9)

    why = await bank.statements.explain(ann, "USDT")

    assert not isinstance(why, UnknownAsset)
    assert (why.balance.available, why.balance.held) == (Decimal("6.5"), Decimal(2))
    assert [each.available_change for each in why.transactions] == [
        Decimal(-2), Decimal("-1.5"), Decimal(10),
    ]  # fmt: skip
    assert why.transactions[0].hold_id == hold.id
    assert why.transactions[2].source is not None
    assert [(each.id, each.reason) for each in why.holds] == [(hold.id, "withdrawal")]
    assert await bank.statements.explain(ann, "NOPE") == UnknownAsset("NOPE")


async def test_a_balance_is_explained_as_of_one_moment(bank: Bank):
    """Whatever is placed between two looks at it: what is held is what the holds come to."""
    ann = await bank.person("10")
    await held(bank, ann, "2")
    looks: list[str] = []

    def place(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        if "wallets.hold" in statement or "wallets.balance" in statement:
            looks.append(statement)
            if len(looks) == 1:
                await_only(held(bank, ann, "3"))

    event.listen(bank.database._engine.sync_engine, "after_cursor_execute", place)
    why = await bank.statements.explain(ann, "USDT")

    assert not isinstance(why, UnknownAsset)
    assert (why.held, [each.amount for each in why.holds]) == (Decimal(2), [Decimal(2)])
    assert [each.held_change for each in why.transactions] == [Decimal(2), Decimal(0)]
    after = await bank.statements.explain(ann, "USDT")
    assert not isinstance(after, UnknownAsset)
    assert (after.held, len(after.holds)) == (Decimal(5), 2)
