"""A transfer booked in one call is the transfer made step by step: row by row, word by word."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import TypeAlias

import asyncpg
import orjson
import pytest

from adapters.postgres import Database
from domain.kernel.failures import Conflict, Failure, Unavailable
from domain.kernel.idempotency import IdempotencyInProgress, IdempotencyKeyReused, digest_of
from domain.kernel.money import plain
from domain.wallets import Transfer, transfers
from domain.wallets.errors import InsufficientFunds, LimitExceeded, OwnWallet, WalletFrozen
from domain.wallets.limits import UNLIMITED, Allowance, EqualLimits
from domain.wallets.model import Hold, JournalEntry, LimitPeriod, available
from tests.wallets.both_ways import (
    ANN,
    BOB,
    KEY,
    LIMITED,
    OTHER_KEY,
    TheLongWay,
    Way,
    World,
    alike,
    going,
    locked,
    world,
)
from tests.wallets.conftest import USDT, Bank
from tests.wallets.test_idempotency import waiting_for_a_lock
from tests.world import DatabaseUrls

__all__ = ["world"]

DAILY = EqualLimits({USDT: Allowance(per_day=Decimal(8))})
MONTHLY = EqualLimits({USDT: Allowance(per_month=Decimal(10))})


@pytest.mark.parametrize("fee", ["0", "0.5"])
@pytest.mark.parametrize("limits", [UNLIMITED, DAILY, MONTHLY, LIMITED])
@pytest.mark.parametrize("amount", ["0.000001", "4.50", "1E+0"])
async def test_both_ways_leave_the_same_rows(
    world: World, monkeypatch: pytest.MonkeyPatch, amount: str, limits: EqualLimits, fee: str
):
    monkeypatch.setattr(transfers, "FEE", Decimal(fee))
    answers, rows = [], []
    for way in (Way.SHORT, Way.LONG):
        bank = await world.anew(limits)
        wish = bank.wish(ANN, BOB, amount, KEY)
        first = await going(bank, way).transfer(wish)
        bank.clock.move(hours=1)

        # What is kept is answered by either, and changes nothing.
        rows.append(await world.rows())
        assert [await going(bank, again).transfer(wish) for again in Way] == [first] * 3
        assert await world.rows() == rows[-1]

        answers.append(alike(first))
        left = Decimal(100) - Decimal(amount) - Decimal(fee)
        assert isinstance(first, Transfer)
        assert first.available == left
        assert await bank.has(ANN) == f"{plain(left)} + 0"
        assert await bank.verification.findings() == []

    assert answers[0] == answers[1]
    assert rows[0] == rows[1]
    # The deposit and the transfer; nobody may find them equal because there is nothing.
    counts = {name: len(found) for name, found in rows[0].items() if found}
    assert counts["wallets.entry"] == 2
    assert counts["wallets.posting"] == 4 + (fee != "0")
    assert counts["idempotency.command"] == 1
    assert counts["events.event"] == 3
    assert counts["events.outbox"] == 6


Obstacle: TypeAlias = Callable[[World, Bank], Awaitable[object]]


async def nothing_to_send(world: World, bank: Bank) -> object:
    await bank.transfers.transfer(bank.wish(ANN, BOB, "99", OTHER_KEY))
    return InsufficientFunds(USDT, Decimal(1))


async def a_frozen_wallet(world: World, bank: Bank) -> object:
    async with bank.works.begin() as work:
        assert await work.ledger.freeze(available(ANN, USDT), frozen=True)
    return WalletFrozen(USDT)


async def a_daily_limit(world: World, bank: Bank) -> object:
    await bank.transfers.transfer(bank.wish(ANN, BOB, "6.000001", OTHER_KEY))
    return LimitExceeded(
        USDT, LimitPeriod.DAY, Decimal(8), Decimal("6.000001"), Decimal("1.999999"),
        bank.clock.now() + timedelta(days=1),
    )  # fmt: skip


async def a_monthly_limit(world: World, bank: Bank) -> object:
    await bank.transfers.transfer(bank.wish(ANN, BOB, "8.000001", OTHER_KEY))
    resets_at = bank.clock.now() + timedelta(days=30)
    bank.clock.move(days=29)
    return LimitExceeded(
        USDT, LimitPeriod.MONTH, Decimal(10), Decimal("8.000001"), Decimal("1.999999"), resets_at
    )


async def a_key_of_another_request(world: World, bank: Bank) -> object:
    await bank.transfers.transfer(bank.wish(ANN, BOB, "2.000001", KEY))
    return IdempotencyKeyReused()


async def a_twin_that_is_at_it(world: World, bank: Bank) -> object:
    """On the connection of ``world``, until the end of its transaction."""
    await world.owner.execute("BEGIN")
    take = "SELECT idempotency.take($1, 'transferFunds', $2, 'body', 1)"
    assert orjson.loads(await world.owner.fetchval(take, ANN, KEY)) == {"mine": True}
    return IdempotencyInProgress()


@pytest.mark.parametrize(
    ("obstacle", "limits"),
    [
        (nothing_to_send, UNLIMITED),
        (a_frozen_wallet, UNLIMITED),
        (a_daily_limit, DAILY),
        (a_monthly_limit, MONTHLY),
        (a_key_of_another_request, UNLIMITED),
        (a_twin_that_is_at_it, UNLIMITED),
    ],
)
async def test_what_is_in_the_way_is_told_by_the_long_way_alone(
    world: World, obstacle: Obstacle, limits: EqualLimits
):
    answers, rows = [], []
    for way in (Way.LONG, Way.EITHER):
        bank = await world.anew(limits)
        expected = await obstacle(world, bank)
        wish = bank.wish(ANN, BOB, "2", KEY)
        before = await world.rows()

        with pytest.raises(TheLongWay):
            await going(bank, Way.SHORT).transfer(wish)
        assert await world.rows() == before

        answers.append(await going(bank, way).transfer(wish))
        assert answers[-1] == expected
        if obstacle is a_twin_that_is_at_it:
            await world.owner.execute("ROLLBACK")
        rows.append(await world.rows())
        assert rows[-1] | {"idempotency.command": []} == before | {"idempotency.command": []}

    assert answers[0] == answers[1]
    assert rows[0] == rows[1]


@pytest.mark.parametrize(
    ("limits", "long_ago", "sent", "days"),
    [(UNLIMITED, "50", "48", 0), (DAILY, "8", "6", 0), (MONTHLY, "10", "8", 29)],
)
async def test_just_enough_is_no_obstacle(
    world: World, limits: EqualLimits, long_ago: str, sent: str, days: int
):
    """One unit less than each of the obstacles above, and more in all than any limit."""
    bank = await world.anew(limits)
    await bank.transfers.transfer(bank.wish(ANN, BOB, long_ago))
    bank.clock.move(days=30)
    await bank.transfers.transfer(bank.wish(ANN, BOB, sent))
    bank.clock.move(days=days)

    answer = await going(bank, Way.SHORT).transfer(bank.wish(ANN, BOB, "2", KEY))

    assert isinstance(answer, Transfer)
    assert answer.available == 98 - Decimal(long_ago) - Decimal(sent)


async def test_a_refusal_that_was_kept_outlives_its_reason_on_either_way(world: World):
    bank = await world.anew()
    wish = bank.wish(ANN, BOB, "101", KEY)
    refused = await bank.transfers.transfer(wish)
    await world.give(bank, "100", KEY)
    before = await world.rows()

    answers = [await going(bank, way).transfer(wish) for way in Way]

    assert refused == InsufficientFunds(USDT, Decimal(100))
    assert answers == [refused] * 3
    assert await world.rows() == before


async def test_twins_on_both_ways_move_once(world: World, database_urls: DatabaseUrls):
    database = Database(database_urls.app, role="test", pool_size=12)
    await world.anew()
    bank = Bank(database)
    ways = [going(bank, way) for way in (Way.EITHER, Way.LONG)] * 8
    wish = bank.wish(ANN, BOB, "10", KEY)
    another = replace(wish, amount=Decimal(11))

    answers = await asyncio.gather(*(way.transfer(wish) for way in ways))
    late = await asyncio.gather(*(way.transfer(another) for way in ways))
    await database.aclose()

    assert isinstance(answers[0], Transfer)
    assert answers == [answers[0]] * 16
    assert late == [IdempotencyKeyReused()] * 16
    assert (await world.bank.has(ANN), await world.bank.has(BOB)) == ("90 + 0", "10 + 0")
    assert len(await world.bank.told(BOB)) == 1


async def test_one_key_at_once_with_two_bodies_is_one_of_them(
    world: World, database_urls: DatabaseUrls
):
    database = Database(database_urls.app, role="test", pool_size=12)
    await world.anew()
    bank = Bank(database)
    wishes = [bank.wish(ANN, BOB, amount, KEY) for amount in ("10", "11")] * 6

    answers = await asyncio.gather(*(bank.transfers.transfer(wish) for wish in wishes))
    await database.aclose()

    (made,) = {each for each in answers if isinstance(each, Transfer)}
    assert answers.count(made) == answers.count(IdempotencyKeyReused()) == 6
    assert await world.bank.has(BOB) == f"{made.amount} + 0"
    assert len(await world.bank.told(BOB)) == 1


@pytest.mark.parametrize("way", [Way.SHORT, Way.LONG])
async def test_a_wallet_that_stays_locked_is_a_conflict_and_leaves_the_key_free(
    world: World, database_urls: DatabaseUrls, way: Way
):
    await world.anew()
    hasty = Database(database_urls.app, role="test", pool_size=1, timeout_seconds=0.6)
    bank = Bank(hasty)
    wish = bank.wish(ANN, BOB, "10", KEY)
    await bank.assets.asset(USDT)
    before = await world.rows()
    async with locked(world):
        with pytest.raises(Conflict):
            await going(bank, way).transfer(wish)
    assert await world.rows() == before

    assert isinstance(await going(bank, way).transfer(wish), Transfer)
    await hasty.aclose()
    assert await world.bank.has(BOB) == "10 + 0"


@pytest.mark.parametrize("way", [Way.SHORT, Way.LONG])
async def test_a_call_whose_backend_dies_leaves_nothing_and_the_key_free(
    world: World, database_urls: DatabaseUrls, way: Way
):
    bank = await world.anew()
    wish = bank.wish(ANN, BOB, "10", KEY)
    before = await world.rows()
    killer = await asyncpg.connect(database_urls.app)
    async with locked(world), asyncio.TaskGroup() as tasks:
        call = tasks.create_task(refused_by_the_world(going(bank, way).transfer(wish)))
        await waiting_for_a_lock(bank)
        killed = await killer.fetch(
            "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity"
            " WHERE wait_event_type = 'Lock' AND datname = current_database()"
        )
    await killer.close()

    assert [row[0] for row in killed] == [True]
    assert isinstance(call.result(), Unavailable)
    assert await world.rows() == before
    assert isinstance(await going(bank, way).transfer(wish), Transfer)
    assert await bank.has(BOB) == "10 + 0"


@pytest.mark.parametrize("way", [Way.SHORT, Way.LONG])
async def test_who_leaves_in_the_middle_and_comes_back_has_sent_once(world: World, way: Way):
    bank = await world.anew()
    wish = bank.wish(ANN, BOB, "10", KEY)
    async with locked(world), asyncio.TaskGroup() as tasks:
        call = tasks.create_task(going(bank, way).transfer(wish))
        await waiting_for_a_lock(bank)
        call.cancel()
    assert call.cancelled()

    # The server may be done with it by now, or may not: the key tells.
    patient = Bank(bank.database)
    answer = await patient.transfers.transfer(wish)

    assert isinstance(answer, Transfer)
    assert [await going(patient, each).transfer(wish) for each in Way] == [answer] * 3
    assert (await bank.has(ANN), await bank.has(BOB)) == ("90 + 0", "10 + 0")
    assert len(await bank.told(BOB)) == 1
    assert await bank.verification.findings() == []


async def refused_by_the_world(call: Awaitable[object]) -> Exception:
    with pytest.raises(Unavailable) as broken:
        await call
    return broken.value


@pytest.mark.parametrize("way", [Way.SHORT, Way.LONG])
async def test_a_twin_of_the_release_before_is_answered_when_asked_again(
    world: World, database_urls: DatabaseUrls, way: Way
):
    """It wrote its key first: at its end, one of the two has to give way."""
    bank = await world.anew()
    wish = bank.wish(ANN, BOB, "10", KEY)
    digest = digest_of(recipient=str(BOB), asset=USDT, amount=Decimal(10))
    before = await bank.has(ANN)
    old = await asyncpg.connect(database_urls.app)
    async with asyncio.TaskGroup() as tasks, old.transaction():
        claimed = await old.fetchval(
            "SELECT idempotency.claim($1, 'transferFunds', $2, $3, now(), 2500)",
            *(ANN, KEY, digest),
        )
        call = tasks.create_task(failure_of(going(bank, way).transfer(wish)))
        await waiting_for_a_lock(bank)
        outcome = '{"kind": "OwnWallet", "values": {}}'
        settle = "SELECT idempotency.settle($1, 'transferFunds', $2, $3)"
        await old.execute(settle, ANN, KEY, outcome)
    await old.close()

    assert orjson.loads(claimed) == {"mine": True}
    assert isinstance(call.result(), Conflict)
    assert await bank.has(ANN) == before
    assert await bank.transfers.transfer(wish) == OwnWallet()


async def failure_of(call: Awaitable[object]) -> Failure:
    with pytest.raises(Failure) as failed:
        await call
    return failed.value


async def test_a_column_more_does_not_end_the_statements_of_running_processes(
    bank: Bank, database_urls: DatabaseUrls
):
    ann = await bank.person("5")
    hold = await bank.holds.reserve(ann, USDT, Decimal(1), reason="order")
    assert isinstance(hold, Hold)
    posted = await bank.give(ann, "1")

    async def looks() -> tuple[Hold | None, JournalEntry | None]:
        async with bank.works.begin() as work:
            return await work.ledger.hold(hold.id), await work.ledger.entry(posted.entry_id)

    before = await looks()
    owner = await asyncpg.connect(database_urls.owner)
    tables = ("hold", "entry", "account")
    try:
        for table in tables:
            await owner.execute(f"ALTER TABLE wallets.{table} ADD COLUMN more int")
        after = await looks()
    finally:
        for table in tables:
            await owner.execute(f"ALTER TABLE wallets.{table} DROP COLUMN more")
        await owner.close()

    assert after == before
    assert before[0] == hold
