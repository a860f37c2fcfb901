"""Building statements and keeping their files: one worker at a time, whoever it is."""

import asyncio
from pathlib import Path

import asyncpg
import pytest
from structlog.testing import capture_logs

from adapters.files import LocalFolder, SealedFiles
from domain.kernel.failures import Unavailable
from domain.kernel.ids import UserId
from domain.wallets.papers import (
    StatementFormat,
    StatementProblem,
    StatementState,
    building,
)
from tests.wallets.conftest import Bank
from tests.wallets.press import Keys, Pages, Press
from tests.world import DatabaseUrls


@pytest.fixture
def press(bank: Bank, tmp_path: Path) -> Press:
    return Press(bank, tmp_path)


def files_in(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()} - {"place"}


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
    *progressed, (end, _) = await press.told(ann)
    written = [body["linesWritten"] for _, body in progressed]
    assert written == sorted(set(written))
    assert end == "statement.ready"


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


@pytest.mark.provokes("DoesNotTie")
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


@pytest.mark.provokes("KeyError: <StatementFormat.CSV")
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
