"""Statements from the wish to the file: what they are about, who builds them, what is told."""

import asyncio
import csv
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from hashlib import sha256
from io import StringIO
from itertools import pairwise
from pathlib import Path
from random import Random

import asyncpg
import pytest
from structlog.testing import capture_logs

from adapters.files import LocalFolder, SealedFiles
from adapters.postgres.wallets import PostgresStatementWorks
from domain.kernel.errors import BadInput
from domain.kernel.failures import Unavailable
from domain.kernel.idempotency import IdempotencyKeyReused
from domain.kernel.ids import UserId
from domain.kernel.money import total
from domain.wallets import ledger
from domain.wallets.errors import UnknownAsset
from domain.wallets.model import AccountKind, house
from domain.wallets.papers import (
    Statement,
    StatementFormat,
    StatementProblem,
    StatementState,
    building,
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
from tests.wallets.press import Keys, Pages, Press
from tests.world import DatabaseUrls


@pytest.fixture
def press(bank: Bank, tmp_path: Path) -> Press:
    return Press(bank, tmp_path)


async def rows(press: Press, statement: Statement) -> list[dict[str, str]]:
    data = await press.content(statement)
    return list(csv.DictReader(StringIO(data.decode(), newline=""), strict=True))


def files_in(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()} - {"place"}


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


async def test_a_period_that_is_not_over_ends_now(press: Press):
    ann = await press.bank.person("1")

    asked = await press.asked(ann, until=NOW + timedelta(days=30))

    assert asked.until == asked.requested_at == press.bank.clock.now()


async def test_an_unknown_asset_is_told(press: Press):
    answer = await press.mine.request(await press.bank.person(), press.wish(asset="DOGE"))

    assert answer == UnknownAsset("DOGE")


async def test_too_many_lines_are_refused_before_anything_is_built(press: Press, monkeypatch):
    ann = await press.bank.person("1")
    await press.bank.give(ann, "1")
    press.bank.clock.move(seconds=1)
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


# Building


@pytest.fixture
def small_pages(monkeypatch) -> None:
    monkeypatch.setattr(building, "PAGE", 2)


async def somebody_with(press: Press, deposits: int) -> UserId:
    ann = await press.bank.person()
    for number in range(deposits):
        await press.bank.give(ann, str(number + 1))
    return ann


async def test_progress_is_told_step_by_step_and_then_the_end(press: Press, small_pages):
    ann = await somebody_with(press, 7)
    asked = await press.asked(ann)

    assert await press.worker(shelf=Pages(press)).build_next()

    built = await press.now(asked)
    assert await press.told(ann) == [
        ("statement.progressed", {"linesWritten": 0, "lines": 7}),
        ("statement.progressed", {"linesWritten": 2, "lines": 7}),
        ("statement.progressed", {"linesWritten": 4, "lines": 7}),
        ("statement.progressed", {"linesWritten": 7, "lines": 7}),
        ("statement.ready", {"size": built.size}),
    ]


async def test_fast_pages_are_not_told_one_by_one(press: Press, small_pages):
    ann = await somebody_with(press, 20)
    await press.asked(ann)

    assert await press.worker(shelf=Pages(press, seconds=0.3)).build_next()

    written = [body["linesWritten"] for _, body in (await press.told(ann))[:-1]]
    assert written == sorted(set(written))
    assert 2 <= len(written) <= 4


async def test_another_worker_finishes_what_a_killed_one_began(press: Press, small_pages):
    """The killed one hangs where it was, as a process does that is gone; then it comes back."""
    ann = await somebody_with(press, 7)
    asked = await press.asked(ann)
    pages = Pages(press, hold_from=3)
    async with asyncio.TaskGroup() as tasks:
        hanging = tasks.create_task(press.worker(shelf=pages).build_next())
        await pages.held.wait()
        assert not await press.builder.build_next()  # its time is not up
        press.bank.clock.move(seconds=61)

        assert await press.worker(shelf=Pages(press)).build_next()
        built = await press.now(asked)
        content = await press.content(built)
        pages.release.set()

    assert hanging.result() is True
    assert await press.now(asked) == built
    assert await press.content(built) == content
    assert files_in(press.folder) == {str(built.file)}
    told = await press.told(ann)
    written = [body["linesWritten"] for what, body in told if what == "statement.progressed"]
    assert written == [0, 2, 4, 7]  # the second began anew, and told nothing twice
    assert [what for what, _ in told].count("statement.ready") == 1


async def test_a_worker_that_comes_back_changes_nothing_of_what_another_does(
    press: Press, small_pages
):
    ann = await somebody_with(press, 9)
    asked = await press.asked(ann)
    first, second = Pages(press, hold_from=3), Pages(press, hold_from=3)
    second_worker = press.worker(shelf=second)
    async with asyncio.TaskGroup() as tasks:
        back = tasks.create_task(press.worker(shelf=first).build_next())
        await first.held.wait()
        press.bank.clock.move(seconds=61)
        second.seconds = 0.9  # its first page is not told yet, its second one is
        taken_over = tasks.create_task(second_worker.build_next())
        await second.held.wait()
        between = await press.now(asked)

        first.release.set()
        assert await back
        assert await press.now(asked) == between
        second.release.set()
        assert await taken_over

    # The second had written as much as the first, and never less is told than was.
    assert (between.state, between.lines_written) == (StatementState.BUILDING, 4)
    assert (await press.now(asked)).state is StatementState.READY
    written = [body.get("linesWritten") for _, body in await press.told(ann)]
    assert written == [*sorted({*written} - {None}), None]


async def test_what_is_kept_of_progress_never_goes_back(press: Press, small_pages):
    ann = await somebody_with(press, 9)
    asked = await press.asked(ann)
    first, second = Pages(press, hold_from=4), Pages(press, hold_from=2)
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(press.worker(shelf=first).build_next())
        await first.held.wait()
        press.bank.clock.move(seconds=61)
        tasks.create_task(press.worker(shelf=second).build_next())
        await second.held.wait()

        assert (await press.now(asked)).lines_written == 6  # and the second has written 2
        second.release.set()
        first.release.set()

    assert (await press.now(asked)).state is StatementState.READY


async def test_a_worker_that_is_told_to_end_leaves_no_file(press: Press, small_pages):
    ann = await somebody_with(press, 7)
    asked = await press.asked(ann)
    pages = Pages(press, hold_from=2)
    task = asyncio.ensure_future(press.worker(shelf=pages).build_next())
    await pages.held.wait()

    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task

    assert files_in(press.folder) == set()
    assert (await press.now(asked)).state is StatementState.BUILDING
    press.bank.clock.move(seconds=61)
    assert await press.builder.build_next()
    assert (await press.now(asked)).state is StatementState.READY


async def test_two_workers_never_build_the_same(press: Press):
    ann, bob = await press.bank.person("1"), await press.bank.person("1")
    for owner in (ann, bob, ann, bob):
        await press.asked(owner)

    built = await asyncio.gather(*(press.worker().build_all() for _ in range(3)))

    assert sum(built) == 4
    assert len(files_in(press.folder)) == 4
    for owner in (ann, bob):
        assert [what for what, _ in await press.told(owner)].count("statement.ready") == 2


async def forge(urls: DatabaseUrls, statement: str, *values: object) -> None:
    """As the owner of the server, past every trigger."""
    owner = await asyncpg.connect(urls.owner)
    try:
        await owner.execute("ALTER TABLE wallets.posting DISABLE TRIGGER USER")
        await owner.execute(statement, *values)
        await owner.execute("ALTER TABLE wallets.posting ENABLE TRIGGER USER")
    finally:
        await owner.close()


async def test_a_paper_that_does_not_tie_is_given_to_nobody(
    press: Press, database_urls: DatabaseUrls
):
    ann = await press.bank.person("100")
    await press.bank.give(ann, "11")
    asked = await press.asked(ann)
    await forge(
        database_urls,
        "UPDATE wallets.posting SET amount = 12 WHERE owner = $1 AND amount = 11",
        ann,
    )

    with capture_logs() as logs:
        assert await press.builder.build_next()

    failed = await press.now(asked)
    assert (failed.state, failed.problem) == (StatementState.FAILED, StatementProblem.DOES_NOT_TIE)
    assert press.mine.link(failed) is None
    assert files_in(press.folder) == set()
    assert (await press.told(ann))[-1] == ("statement.failed", {"problem": "DOES_NOT_TIE"})
    (line,) = [entry for entry in logs if entry["event"] == "statement_failed"]
    assert line["log_level"] == "error"
    assert "112 by the lines, 111 in the ledger" in str(line["exc_info"])


async def test_a_statement_that_cannot_be_built_holds_up_nobody_else(press: Press):
    ann, bob = await press.bank.person("1"), await press.bank.person("1")
    bad, good = await press.asked(ann), await press.asked(bob, format=StatementFormat.PDF)
    worker = press.worker()
    worker._papers = {StatementFormat.PDF: worker._papers[StatementFormat.PDF]}

    with capture_logs() as logs:
        assert await worker.build_all() == 2

    assert (await press.now(bad)).problem is StatementProblem.BUILD_FAILED
    assert (await press.now(good)).state is StatementState.READY
    assert [entry["event"] for entry in logs] == ["statement_failed"]


async def test_what_fails_again_and_again_is_given_up(press: Press):
    asked = await press.asked(await press.bank.person("1"))

    class Broken(SealedFiles):
        def writing(self, owner, file):
            raise Unavailable("file storage")

    worker = press.worker(files=Broken(LocalFolder(press.folder), Keys()))
    for _ in range(building.ATTEMPTS_MAX):
        with pytest.raises(Unavailable):
            await worker.build_all()
        assert await worker.build_all() == 0  # still theirs
        press.bank.clock.move(seconds=61)
    with capture_logs():
        assert await worker.build_all() == 1

    assert (await press.now(asked)).problem is StatementProblem.BUILD_FAILED


async def test_for_who_was_erased_nothing_is_written(press: Press):
    ann = await press.bank.person("1")
    asked = await press.asked(ann)
    press.keys.gone.add(ann)  # type: ignore[attr-defined]

    with capture_logs() as logs:
        assert await press.builder.build_next()

    assert (await press.now(asked)).problem is StatementProblem.OWNER_ERASED
    assert files_in(press.folder) == set()
    assert logs == []


# Keeping


async def test_a_file_is_kept_for_a_week_and_then_deleted(press: Press):
    built = await press.built(await press.bank.person("1"))
    press.bank.clock.move(days=7, seconds=-1)
    assert await press.builder.tidy() == 0
    assert files_in(press.folder) == {str(built.file)}
    press.bank.clock.move(seconds=1)

    assert press.mine.link(built) is None  # before anybody tidied
    assert await press.builder.tidy() == 1
    assert await press.builder.tidy() == 0

    assert files_in(press.folder) == set()
    expired = await press.now(built)
    assert expired.state is StatementState.EXPIRED
    assert expired.progress == 1.0


async def test_the_file_of_another_hosts_folder_is_left_to_it(press: Press, tmp_path: Path):
    built = await press.built(await press.bank.person("1"))
    elsewhere = SealedFiles(LocalFolder(tmp_path / "elsewhere"), press.keys)
    press.downloads._files = elsewhere

    with pytest.raises(Unavailable, match="file storage"):
        await press.opened(built)
    press.bank.clock.move(days=7)
    assert await press.worker(files=elsewhere).tidy() == 1

    assert str(built.file) in files_in(press.folder)


async def test_the_runtime_role_cannot_change_what_a_statement_is_about(
    press: Press, database_urls: DatabaseUrls
):
    await press.asked(await press.bank.person("1"))
    app = await asyncpg.connect(database_urls.app)
    try:
        for change in ("owner = gen_random_uuid()", "ranges = '[]'", "until = now()"):
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await app.execute(f"UPDATE wallets.statement SET {change}")  # noqa: S608  # constants
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await app.execute("DELETE FROM wallets.statement")
    finally:
        await app.close()


async def test_a_long_account_is_cut_in_few_looks(press: Press, database_urls: DatabaseUrls):
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
