"""What statements are about, and who may have them made."""

import asyncio
import csv
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from hashlib import sha256
from io import StringIO
from itertools import pairwise
from pathlib import Path
from random import Random

import pytest

from adapters.postgres.wallets import PostgresStatementWorks
from domain.kernel.errors import BadInput
from domain.kernel.idempotency import IdempotencyKeyReused
from domain.kernel.money import total
from domain.wallets import ledger
from domain.wallets.errors import UnknownAsset
from domain.wallets.model import AccountKind, house
from domain.wallets.papers import (
    Statement,
    StatementFormat,
    StatementState,
    model,
    requests,
)
from domain.wallets.papers.errors import (
    StatementTooLarge,
    TooManyStatements,
    UnknownStatement,
)
from domain.wallets.recording import record
from tests.users.people import NOW
from tests.wallets.conftest import BTC, USDT, Bank
from tests.wallets.press import SETTLING, Press


@pytest.fixture
def press(bank: Bank, tmp_path: Path) -> Press:
    return Press(bank, tmp_path)


async def rows(press: Press, statement: Statement) -> list[dict[str, str]]:
    data = await press.content(statement)
    return list(csv.DictReader(StringIO(data.decode(), newline=""), strict=True))


# What a statement is about


async def test_a_statement_leads_from_one_balance_to_the_other(press: Press):
    bank = press.bank
    ann, bob = await bank.person("100"), await bank.person()
    bank.clock.move(days=2)
    since = bank.clock.now()
    await bank.transfers.transfer(bank.wish(ann, bob, "30"))
    await bank.give(ann, "0.5", BTC)
    await bank.holds.reserve(ann, USDT, Decimal(20), reason="order")

    built = await press.built(ann, since=since)

    found = await rows(press, built)
    assert [(r["kind"], r["asset"], r["change"], r["total"], r["available"]) for r in found] == [
        ("OPENING_BALANCE", "BTC", "", "0", "0"),
        ("OPENING_BALANCE", "USDT", "", "100", "100"),
        ("TRANSFER", "USDT", "-30", "70", "70"),
        ("DEPOSIT", "BTC", "0.5", "0.5", "0.5"),
        ("HOLD_PLACED", "USDT", "0", "70", "50"),
        ("CLOSING_BALANCE", "BTC", "", "0.5", "0.5"),
        ("CLOSING_BALANCE", "USDT", "", "70", "50"),
    ]
    assert found[2]["counterparty"] == f"user *{str(bob)[-6:]}"
    assert built.lines == built.lines_written == 4
    assert await press.bank.verification.findings() == []


async def test_one_asset_alone_has_no_line_of_another(press: Press):
    ann = await press.bank.person("100")
    await press.bank.give(ann, "0.5", BTC)

    built = await press.built(ann, asset="BTC")

    assert {row["asset"] for row in await rows(press, built)} == {"BTC"}
    assert built.file_name == "okd-statement-BTC-20261121-20261122.csv"


async def test_who_has_nothing_gets_an_empty_paper(press: Press):
    ann = await press.bank.person()

    built = await press.built(ann)

    assert await rows(press, built) == []
    assert built.lines == 0
    assert built.progress == 1.0


async def test_what_is_posted_while_it_is_built_moves_no_line(press: Press):
    ann = await press.bank.person("100")
    asked = await press.asked(ann)
    await press.bank.give(ann, "900")
    await press.bank.give(ann, "1", BTC)

    assert await press.builder.build_all() == 1

    found = await rows(press, await press.now(asked))
    assert [row["total"] for row in found] == ["0", "100", "100"]


async def test_what_is_committed_late_is_not_in_it_by_half(press: Press):
    """Its position was taken before others that are in it: positions alone would let it in."""
    bank = press.bank
    ann = await bank.person("100")
    await bank.give(ann, "1", BTC)
    source = house(AccountKind.FAUCET, BTC)
    late = ledger.deposit(ann, BTC, Decimal(7), origin=source, source="late", at=bank.clock.now())
    async with bank.works.begin() as work:
        await record(work, late)
        await bank.give(ann, "5")
        asked = await press.asked(ann)

    assert await press.builder.build_next()

    found = await rows(press, await press.now(asked))
    assert [row["total"] for row in found if row["kind"] == "DEPOSIT"] == ["100", "1", "105"]
    closing = {row["asset"]: row["total"] for row in found if row["kind"] == "CLOSING_BALANCE"}
    assert closing == {"BTC": "1", "USDT": "105"}


async def test_who_goes_on_where_one_ends_gets_no_line_twice(press: Press):
    """An end is told in milliseconds, and the ledger knows microseconds."""
    bank = press.bank
    ann = await bank.person()
    bank.clock.move(microseconds=123_400)
    await bank.give(ann, "1")
    bank.clock.move(seconds=10, microseconds=300)

    first = await press.mine.request(ann, press.wish())
    assert isinstance(first, Statement)
    told = datetime.fromisoformat(first.until.isoformat(timespec="milliseconds"))
    second = await press.asked(ann, since=told)

    assert (first.lines, second.lines) == (0, 1)
    assert told == first.until == NOW + timedelta(milliseconds=123)


async def test_what_is_in_flight_is_told_of_by_the_next_one(press: Press):
    bank = press.bank
    ann = await bank.person("100")
    bank.clock.move(minutes=1)
    source = house(AccountKind.FAUCET, USDT)
    late = ledger.deposit(ann, USDT, Decimal(7), origin=source, source="late", at=bank.clock.now())
    async with bank.works.begin() as work:
        await record(work, late)
        bank.clock.move(seconds=5)
        first = await press.mine.request(ann, press.wish(until=bank.clock.now()))
    assert isinstance(first, Statement)
    second = await press.asked(ann, since=first.until)

    assert await press.builder.build_all() == 2

    papers = [await rows(press, await press.now(each)) for each in (first, second)]
    lines = [[row["total"] for row in paper if row["kind"] == "DEPOSIT"] for paper in papers]
    assert lines == [["100"], ["107"]]


@pytest.mark.parametrize("seed", range(4))
async def test_periods_side_by_side_tie_whatever_the_clocks_say(press: Press, seed: int):
    """Each opens with what the one before closed with, and every line is in exactly one."""
    dice, bank = Random(seed), press.bank  # noqa: S311  # the same every time
    ann, bob = await bank.person("1000"), await bank.person("1000")
    await bank.give(ann, "1000", BTC)
    for _ in range(40):
        # Servers disagree by moments: what is booked later may say that it was earlier.
        bank.clock.move(seconds=dice.uniform(-20, 60))
        match dice.randrange(4):
            case 0:
                await bank.transfers.transfer(bank.wish(ann, bob, str(dice.randint(1, 9))))
            case 1:
                await bank.give(ann, "1", BTC)
            case _:
                hold = await bank.holds.reserve(ann, USDT, Decimal(2), reason="order")
                bank.clock.move(seconds=dice.uniform(-20, 60))
                fees = house(AccountKind.FEES, USDT)
                await bank.holds.post(hold.id, to=fees)  # type: ignore[union-attr]
    end = bank.clock.now() + timedelta(minutes=5)
    bank.clock.at = end + timedelta(minutes=1)
    cuts = [NOW - timedelta(seconds=1)]
    while cuts[-1] < end:
        cuts.append(cuts[-1] + timedelta(seconds=dice.uniform(50, 300)))

    papers = []
    for since, until in pairwise([*cuts[:-1], end]):
        papers.append(await rows(press, await press.built(ann, since=since, until=until)))

    whole = await rows(press, await press.built(ann, since=cuts[0], until=end))
    for earlier, later in pairwise(papers):
        closing = {r["asset"]: r["total"] for r in earlier if r["kind"] == "CLOSING_BALANCE"}
        opening = {r["asset"]: r["total"] for r in later if r["kind"] == "OPENING_BALANCE"}
        assert {a: t for a, t in opening.items() if a in closing} == closing
    parts = [(r["entry"], r["asset"]) for paper in papers for r in paper if r["entry"]]
    assert sorted(parts) == sorted((r["entry"], r["asset"]) for r in whole if r["entry"])
    assert len(set(parts)) == len(parts) > 40


async def test_a_pdf_is_built_as_well(press: Press):
    ann = await press.bank.person("100")

    built = await press.built(ann, format=StatementFormat.PDF)

    assert (await press.content(built)).startswith(b"%PDF-")
    assert built.file_name.endswith(".pdf")


async def test_what_is_told_of_the_file_is_what_is_downloaded(press: Press):
    built = await press.built(await press.bank.person("100"))

    data = await press.content(built)

    assert built.size == len(data)
    assert built.sha256 == sha256(data).hexdigest()
    assert built.expires_at == built.finished_at + timedelta(days=7)  # type: ignore[operator]


async def test_a_long_account_is_cut_in_few_looks(press: Press):
    """Numbers have no gap, so a border is found by halving, not by looking at every line."""
    bank = press.bank
    ann = await bank.person()
    for number in range(60):
        bank.clock.move(minutes=1)
        await bank.give(ann, str(number + 1))
    since, until = NOW + timedelta(minutes=20, seconds=30), NOW + timedelta(minutes=40)

    async with PostgresStatementWorks(bank.database, clock=bank.clock).begin() as work:
        (found,) = await work.statements.ranges(ann, USDT, since=since, until=until)

    assert (found.after, found.last, found.lines) == (20, 39, 19)
    assert found.opening == total(Decimal(n) for n in range(1, 21))
    assert found.closing == total(Decimal(n) for n in range(1, 40))


# Asking


@pytest.mark.parametrize(
    ("changes", "argument"),
    [
        ({"since": NOW, "until": NOW}, "until"),
        ({"since": NOW, "until": NOW - timedelta(days=1)}, "until"),
        ({"since": NOW - timedelta(days=366, seconds=1), "until": NOW}, "until"),
        ({"since": NOW + timedelta(days=1), "until": NOW + timedelta(days=2)}, "since"),
    ],
)
async def test_a_period_has_to_make_sense(press: Press, changes, argument: str):
    answer = await press.mine.request(await press.bank.person(), press.wish(**changes))

    assert isinstance(answer, BadInput)
    assert answer.argument == argument


async def test_a_period_that_is_not_over_ends_where_all_is_settled(press: Press):
    ann = await press.bank.person("1")

    asked = await press.asked(ann, until=NOW + timedelta(days=30))

    assert asked.requested_at == press.bank.clock.now()
    assert asked.until == asked.requested_at - SETTLING


async def test_an_unknown_asset_is_told(press: Press):
    answer = await press.mine.request(await press.bank.person(), press.wish(asset="DOGE"))

    assert answer == UnknownAsset("DOGE")


async def test_too_many_lines_are_refused_before_anything_is_built(press: Press, monkeypatch):
    ann = await press.bank.person("1")
    await press.bank.give(ann, "1")
    press.bank.clock.move(seconds=11)
    monkeypatch.setitem(model.LINES_MAX, StatementFormat.CSV, 1)

    answer = await press.mine.request(ann, press.wish())

    assert answer == StatementTooLarge(2, 1)
    assert not await press.builder.build_next()


async def test_the_same_key_is_the_same_statement(press: Press):
    ann = await press.bank.person("1")
    wish = press.wish()

    answers = [await press.mine.request(ann, wish) for _ in range(3)]
    other = await press.mine.request(ann, replace(wish, format=StatementFormat.PDF))

    assert len({answer.id for answer in answers}) == 1  # type: ignore[union-attr]
    assert other == IdempotencyKeyReused()
    assert await press.builder.build_all() == 1
    repeated = await press.mine.request(ann, wish)
    assert isinstance(repeated, Statement)
    assert repeated.state is StatementState.READY


async def test_three_at_a_time_also_when_they_come_together(press: Press):
    ann, bob = await press.bank.person("1"), await press.bank.person("1")

    answers = await asyncio.gather(*(press.mine.request(ann, press.wish()) for _ in range(6)))

    taken = [answer for answer in answers if isinstance(answer, Statement)]
    refused = [answer for answer in answers if not isinstance(answer, Statement)]
    assert len(taken) == 3
    assert refused == [TooManyStatements(3, being_built=True)] * 3
    await press.asked(bob)
    assert await press.builder.build_all() == 4
    await press.asked(ann)


async def test_that_there_are_too_many_is_no_answer_for_ever(press: Press):
    ann = await press.bank.person("1")
    for _ in range(3):
        await press.asked(ann)
    wish = press.wish()

    refused = [await press.mine.request(ann, wish) for _ in range(2)]
    await press.builder.build_next()
    answers = [await press.mine.request(ann, wish) for _ in range(2)]

    assert refused == [TooManyStatements(3, being_built=True)] * 2
    taken = [answer for answer in answers if isinstance(answer, Statement)]
    assert len({each.id for each in taken}) == 1
    assert len(taken) == 2
    assert await press.builder.build_all() == 3


async def test_no_more_are_kept_than_one_person_may_have(press: Press, monkeypatch):
    monkeypatch.setattr(requests, "KEPT_MAX", 2)
    ann = await press.bank.person("1")
    for _ in range(2):
        await press.built(ann)

    refused = await press.mine.request(ann, press.wish())
    press.bank.clock.move(days=7)

    assert refused == TooManyStatements(2, being_built=False)
    await press.asked(ann)


async def test_people_see_their_own_newest_first(press: Press):
    ann, bob = await press.bank.person("1"), await press.bank.person("1")
    made = [(await press.built(ann)).id for _ in range(3)]
    others = await press.built(bob)

    first = await press.mine.page(ann, first=2, after=None)
    assert not isinstance(first, BadInput)
    second = await press.mine.page(ann, first=2, after=first.page_info.end_cursor)
    assert not isinstance(second, BadInput)

    assert [edge.node.id for edge in [*first.edges, *second.edges]] == made[::-1]
    assert first.page_info.has_next_page
    assert not second.page_info.has_next_page
    assert await press.mine.one(ann, others.id) == UnknownStatement()
    assert isinstance(await press.mine.page(ann, first=2, after="x"), BadInput)
