"""Closing balances: whatever is booked whenever, they are what the journal says, and cheap."""

import asyncio
from collections.abc import Awaitable, Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any, TypeVar
from uuid import uuid4

import asyncpg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from adapters.postgres import Database
from adapters.postgres.wallets import PostgresClosings
from adapters.postgres.wallets.closings import _CLOSINGS
from domain.kernel.ids import UserId, new_uuid7
from domain.kernel.money import plain
from domain.wallets import BalanceHistory, HistoryAsked
from domain.wallets.daily import DailyBalance, Days
from domain.wallets.model import Hold, available, held
from domain.wallets.ports import Finding
from tests.users.people import NOW
from tests.wallets.conftest import ASSETS, BTC, USDT, Bank
from tests.world import DatabaseUrls

T = TypeVar("T")
TODAY = NOW.date()
JOURNAL = """
    SELECT k.kind, e.at, p.balance FROM wallets.posting p
    JOIN wallets.entry e ON e.position = p.position
    JOIN wallets.account k ON k.id = p.account_id
    WHERE p.owner = $1 AND p.asset = $2 ORDER BY p.seq
"""


class CountedClosings(PostgresClosings):
    """Counts questions."""

    def __init__(self, database: Database) -> None:
        super().__init__(database)
        self.asked: list[int] = []

    async def closings(self, accounts: Any, days: Days) -> Any:
        self.asked.append(len(accounts))
        return await super().closings(accounts, days)


def history_of(bank: Bank) -> tuple[BalanceHistory, CountedClosings]:
    closings = CountedClosings(bank.database)
    return BalanceHistory(closings=closings, clock=bank.clock), closings


async def days_of(bank: Bank, owner: UserId, days: Days) -> list[DailyBalance]:
    history, _ = history_of(bank)
    (rows,) = await history.of([HistoryAsked(owner, USDT, days)])
    return list(rows)


def told(rows: list[DailyBalance]) -> list[str]:
    """``22: 5 -> 9 + 1`` is of the 22nd: 5 at its beginning, 9 available and 1 held at its end."""
    return [
        f"{row.day.day}: {plain(row.opening_total)} -> {plain(row.available)} + {plain(row.held)}"
        for row in rows
    ]


async def test_each_day_ends_with_what_there_was(bank: Bank):
    ann, bob = await bank.person("10"), await bank.person()
    bank.clock.move(days=2)
    hold = await bank.holds.reserve(ann, USDT, Decimal(4), reason="order")
    assert isinstance(hold, Hold)
    await bank.transfers.transfer(bank.wish(ann, bob, "1"))
    bank.clock.move(days=1)
    await bank.holds.void(hold.id)
    bank.clock.move(days=2)

    assert told(await days_of(bank, ann, Days(date(2026, 11, 21), date(2026, 11, 27)))) == [
        "21: 0 -> 0 + 0",
        "22: 0 -> 10 + 0",
        "23: 10 -> 10 + 0",
        "24: 10 -> 5 + 4",
        "25: 9 -> 9 + 0",
        "26: 9 -> 9 + 0",
        "27: 9 -> 9 + 0",
    ]
    # What was before the window is known in it.
    assert told(await days_of(bank, ann, Days(date(2026, 11, 26), date(2026, 11, 26)))) == [
        "26: 9 -> 9 + 0"
    ]
    assert told(await days_of(bank, bob, Days(date(2026, 11, 23), date(2026, 11, 24)))) == [
        "23: 0 -> 0 + 0",
        "24: 0 -> 1 + 0",
    ]


async def test_a_day_is_one_of_utc(bank: Bank):
    bank.clock.at = datetime(2026, 11, 22, 23, 59, 59, 999_999, tzinfo=UTC)
    ann = await bank.person("1")
    bank.clock.move(microseconds=1)
    await bank.give(ann, "2")

    rows = await days_of(bank, ann, Days(date(2026, 11, 22), date(2026, 11, 23)))

    assert told(rows) == ["22: 0 -> 1 + 0", "23: 1 -> 3 + 0"]


async def test_of_two_clocks_around_midnight_the_later_booking_is_of_the_later_day(bank: Bank):
    bank.clock.at = datetime(2026, 11, 23, 0, 0, 0, 1000, tzinfo=UTC)
    ann = await bank.person("1")
    bank.clock.move(milliseconds=-2)
    await bank.give(ann, "2")

    rows = await days_of(bank, ann, Days(date(2026, 11, 22), date(2026, 11, 23)))

    # A day that was told as over is not changed any more.
    assert told(rows) == ["22: 0 -> 0 + 0", "23: 0 -> 3 + 0"]
    assert await bank.verification.findings() == []


async def test_any_number_of_wallets_is_one_question(bank: Bank):
    ann, bob = await bank.person("1"), await bank.person("2")
    await bank.give(ann, "3", BTC)
    history, closings = history_of(bank)
    today = Days(TODAY, TODAY)

    found = await history.of(
        [HistoryAsked(owner, asset, today) for owner in (ann, bob) for asset in (USDT, BTC)]
    )

    assert [plain(rows[0].total) for rows in found] == ["1", "3", "2", "0"]
    assert closings.asked == [8]


moves = st.lists(
    st.tuples(
        st.integers(-3, 40),  # hours that pass; clocks run back, too
        st.sampled_from(["give", "send", "hold", "void", "post"]),
        st.integers(1, 9).map(Decimal),
    ),
    min_size=1,
    max_size=12,
)


@contextmanager
def _loop() -> Iterator[asyncio.Runner]:
    # Hypothesis is not asynchronous: a loop beside the one of the fixtures.
    with asyncio.Runner() as runner:
        yield runner


def test_history_is_what_the_journal_makes_it(database_urls: DatabaseUrls, database: Database):
    with _loop() as runner:

        def do(awaited: Awaitable[T]) -> T:
            async def waiting() -> T:
                return await awaited

            return runner.run(waiting())

        bank = Bank(Database(database_urls.app, role="test", pool_size=1))
        for asset in ASSETS:
            do(bank.assets.add(asset))

        @settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))
        @given(moves)
        def check(plan: list[tuple[int, str, Decimal]]) -> None:
            do(_compared(bank, database_urls, plan))

        try:
            check()
            assert do(bank.verification.findings()) == []
        finally:
            do(bank.database.aclose())


async def _compared(bank: Bank, urls: DatabaseUrls, plan: list[tuple[int, str, Decimal]]) -> None:
    bank.clock.at = NOW
    people = [UserId(new_uuid7()) for _ in range(2)]
    holds: list[Hold] = []
    for hours, act, amount in plan:
        bank.clock.move(hours=hours)
        await _act(bank, people, holds, act, amount)
    days = Days(TODAY - timedelta(days=3), bank.clock.now().date() + timedelta(days=3))
    for owner in people:
        assert await days_of(bank, owner, days) == await _recomputed(urls, owner, days)


async def _act(
    bank: Bank, people: list[UserId], holds: list[Hold], act: str, amount: Decimal
) -> None:
    ann, bob = people
    match act:
        case "give":
            await bank.give(ann, str(amount))
        case "send":  # or not, when there is too little
            await bank.transfers.transfer(bank.wish(ann, bob, str(amount)))
        case "hold":
            hold = await bank.holds.reserve(ann, USDT, amount, reason="order")
            holds += [hold] if isinstance(hold, Hold) else []
        case "void" if holds:
            await bank.holds.void(holds.pop().id)
        case "post" if holds:
            await bank.holds.post(holds.pop().id, to=available(bob, USDT), amount=Decimal(1))


async def _recomputed(urls: DatabaseUrls, owner: UserId, days: Days) -> list[DailyBalance]:
    """From the journal alone, one posting after the other."""
    closings: dict[str, dict[date, Decimal]] = {"AVAILABLE": {}, "HELD": {}}
    connection = await asyncpg.connect(urls.owner)
    try:
        for kind, at, balance in await connection.fetch(JOURNAL, owner, USDT):
            booked = max([at.astimezone(UTC).date(), *closings[kind]])
            closings[kind][booked] = balance
    finally:
        await connection.close()

    def at_end(kind: str, day: date) -> Decimal:
        known = [each for each in closings[kind] if each <= day]
        return closings[kind][max(known)] if known else Decimal(0)

    rows = []
    for n in range((days.last - days.first).days + 1):
        day = days.first + timedelta(days=n)
        before = day - timedelta(days=1)
        opening = at_end("AVAILABLE", before) + at_end("HELD", before)
        rows.append(DailyBalance(day, opening, at_end("AVAILABLE", day), at_end("HELD", day)))
    return rows


async def test_a_day_is_written_when_it_is_over(bank: Bank, database_urls: DatabaseUrls):
    ann, bob = await bank.person("10"), await bank.person("5")
    for days in (0, 1, 3):
        bank.clock.move(days=days)
        await bank.transfers.transfer(bank.wish(ann, bob, "1"))
        await bank.holds.reserve(bob, USDT, Decimal(1), reason="order")
    bank.clock.move(hours=-30)
    # Of the newest day it has, whatever this clock says.
    await bank.give(ann, "0.5")

    owner = await asyncpg.connect(database_urls.owner)
    try:
        over = await owner.fetch("SELECT account_id, day, balance FROM wallets.closed_day")
        ends = await owner.fetch("SELECT account_id, day, balance FROM wallets.closing")
    finally:
        await owner.close()

    first, second, last = (NOW.date() + timedelta(days=n) for n in (0, 1, 4))
    told = {
        available(ann, USDT).id: {first: "9", second: "8", last: "7.5"},
        available(bob, USDT).id: {first: "5", second: "5", last: "5"},
        held(bob, USDT).id: {first: "1", second: "2", last: "3"},
    }
    assert sorted(map(tuple, ends)) == sorted(
        (account, day, Decimal(balance))
        for account, days in told.items()
        for day, balance in days.items()
    )
    assert sorted(map(tuple, over)) == sorted(row for row in map(tuple, ends) if row[1] != last)
    assert await bank.verification.findings() == []


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE wallets.closed_day SET balance = balance + 1",
        "UPDATE wallets.closed_day SET day = day - 1",
        "DELETE FROM wallets.closed_day",
        "UPDATE wallets.balance SET day = day + 1",
        "UPDATE wallets.balance SET day = NULL",
        "INSERT INTO wallets.closed_day VALUES (gen_random_uuid(), '2026-11-22', 5)",
    ],
)
async def test_a_changed_closing_is_found_and_the_product_cannot_change_one(
    bank: Bank, database_urls: DatabaseUrls, change: str
):
    ann = await bank.person("10")
    bank.clock.move(days=1)
    await bank.give(ann, "1")
    app, owner = (
        await asyncpg.connect(database_urls.app),
        await asyncpg.connect(database_urls.owner),
    )
    try:
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await app.execute(change)
        assert await bank.verification.findings() == []
        await owner.execute(change)
    finally:
        await app.close()
        await owner.close()

    found = await bank.verification.findings()
    assert {finding.rule for finding in found} == {"wrong_closing"}
    if change.startswith("DELETE"):
        account = str(available(ann, USDT).id)
        details = "2026-11-22 kept nothing, journal 10.000000000000000000"
        assert found == [Finding("wrong_closing", account, details)]


async def test_the_cost_is_that_of_the_days_and_not_of_the_history(
    bank: Bank, database_urls: DatabaseUrls
):
    owners = [UserId(uuid4()) for _ in range(10)]
    accounts = [make(each, USDT).id for each in owners for make in (available, held)]
    owner = await asyncpg.connect(database_urls.owner)
    try:
        await owner.execute(
            "INSERT INTO wallets.closed_day SELECT account, DATE '2018-01-01' + n, n"
            " FROM unnest($1::uuid[]) AS account, generate_series(0, 2999) AS n",
            accounts,
        )
        await owner.execute("ANALYZE wallets.closed_day")
    finally:
        await owner.close()

    values = {"accounts": accounts[:2], "first": date(2025, 1, 1), "last": date(2025, 1, 31)}
    async with bank.database.read() as session:
        connection = await session.connection()
        explained = await connection.execute(
            text(f"EXPLAIN (ANALYZE, FORMAT JSON) {_CLOSINGS.text}"), values
        )
        (plan,) = explained.scalar_one()

    scans = [node for node in nodes(plan["Plan"]) if node.get("Relation Name") == "closed_day"]
    assert {node["Node Type"] for node in scans} <= {
        "Index Scan", "Index Only Scan", "Bitmap Heap Scan",
    }  # fmt: skip
    read = sum((node["Actual Rows"] + removed(node)) * node["Actual Loops"] for node in scans)
    assert read == 2 * (31 + 1)


def nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for each in plan.get("Plans", ()):
        yield from nodes(each)


def removed(node: dict[str, Any]) -> int:
    return sum(node.get(f"Rows Removed by {by}", 0) for by in ("Filter", "Index Recheck"))
