"""Works on the driver itself, and the bells that follow them: what becomes of each in any end."""

import asyncio
import itertools
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, suppress
from pathlib import Path
from typing import TypeAlias
from urllib.parse import parse_qs, urlsplit
from uuid import UUID, uuid4

import asyncpg
import pytest

from adapters.postgres import Database
from adapters.postgres.statements import DirectWork, after_commit, call, do, rows
from domain.kernel.failures import Conflict, TimedOut, Unavailable
from tests.world import DatabaseUrls, Swallower, eventually

KEEP = "SELECT idempotency.keep($1, 'test', $2, 'body', '{}', now())"
# The product may not read keys; their owner may.
COUNT = "SELECT count(*) FROM idempotency.command WHERE actor = $1"
PID = "SELECT pg_backend_pid()"
KILL = "SELECT pg_terminate_backend($1, 5000)"
BELL = "direct_work_rang"

Begin: TypeAlias = Callable[[], AbstractAsyncContextManager[DirectWork]]


class Refused(Exception):
    """Something of the domain's own."""


@pytest.fixture
async def one(database_urls: DatabaseUrls, database: Database) -> AsyncIterator[Database]:
    """One connection, so that whoever spoils it spoils it for all; the tables are empty."""
    one = Database(database_urls.app, role="test", pool_size=1, timeout_seconds=1.0)
    yield one
    await one.aclose()


@pytest.fixture
async def owner(database_urls: DatabaseUrls) -> AsyncIterator[asyncpg.Connection]:
    owner = await asyncpg.connect(database_urls.owner)
    yield owner
    await owner.close()


@pytest.fixture
async def bells(database_urls: DatabaseUrls) -> AsyncIterator[list[str]]:
    """What rang."""
    heard: list[str] = []
    listener = await asyncpg.connect(database_urls.app)
    await listener.add_listener(BELL, lambda *told: heard.append(str(told[3])))
    yield heard
    await listener.close()


async def keep(work: DirectWork, actor: UUID, times: int = 1) -> None:
    for _ in range(times):
        await call(work, KEEP, actor, uuid4())


async def refused_work(database: Database, actor: UUID) -> None:
    async with database.direct_work() as work:
        await keep(work, actor, times=2)
        raise Refused


async def pid(database: Database) -> int:
    """The backend of the only connection; it is not in the middle of anything."""
    async with database.one_call() as work:
        assert not work.driver.is_in_transaction()
        found: int = await call(work, PID)
    return found


async def test_a_work_is_kept_whole_or_not_at_all(one: Database, owner: asyncpg.Connection):
    done, undone = uuid4(), uuid4()
    before = await pid(one)

    async with one.direct_work() as work:
        await keep(work, done, times=2)
        assert await owner.fetchval(COUNT, done) == 0
        assert await rows(work, "SELECT 1 AS one, 'x' AS two") == [{"one": 1, "two": "x"}]
    with pytest.raises(Refused):
        await refused_work(one, undone)

    assert await owner.fetchval(COUNT, done) == 2
    assert await owner.fetchval(COUNT, undone) == 0
    assert await pid(one) == before


async def test_a_call_is_kept_by_itself(one: Database, owner: asyncpg.Connection):
    somebody = uuid4()

    async with one.one_call() as work:
        await keep(work, somebody)
        assert await owner.fetchval(COUNT, somebody) == 1

    assert await owner.fetchval(COUNT, somebody) == 1


async def test_a_work_that_failed_is_not_left_as_if_it_were_done(
    one: Database, owner: asyncpg.Connection, bells: list[str]
):
    somebody = uuid4()
    before = await pid(one)

    async def failed() -> None:
        async with one.direct_work() as work:
            await keep(work, somebody)
            after_commit(work, f"NOTIFY {BELL}, 'undone'")
            with suppress(asyncpg.DivisionByZeroError):
                await do(work, "SELECT 1 / 0")

    with pytest.raises(RuntimeError, match="as if it were done"):
        await failed()
    async with one.direct_work() as work:
        after_commit(work, f"NOTIFY {BELL}, 'done'")
    await eventually(lambda: bool(bells))

    assert await owner.fetchval(COUNT, somebody) == 0
    assert bells == ["done"]
    assert await pid(one) == before


@pytest.mark.parametrize("begin", ["direct_work", "one_call"])
async def test_an_error_of_a_statement_costs_no_connection(
    one: Database, owner: asyncpg.Connection, begin: str
):
    somebody = uuid4()
    work_of: Begin = getattr(one, begin)
    before = await pid(one)
    await owner.execute("BEGIN")
    await owner.execute("LOCK TABLE wallets.balance")

    with pytest.raises(asyncpg.DivisionByZeroError):
        async with work_of() as work:
            await call(work, f"{KEEP}, 1 / (random() * 0)::int", somebody, uuid4())
    with pytest.raises(TimedOut):  # of the server's own saying: there is time for a goodbye
        async with work_of() as work:
            await call(work, "SELECT pg_sleep(9)")
    with pytest.raises(Conflict):
        async with work_of() as work:
            await call(work, "SELECT count(*) FROM wallets.balance")

    await owner.execute("ROLLBACK")
    assert await owner.fetchval(COUNT, somebody) == 0
    assert await pid(one) == before


@pytest.mark.parametrize("begin", ["direct_work", "one_call"])
async def test_whose_backend_dies_has_nothing_and_the_next_gets_another(
    one: Database, owner: asyncpg.Connection, database_urls: DatabaseUrls, begin: str
):
    somebody = uuid4()
    work_of: Begin = getattr(one, begin)
    before = await pid(one)
    killer = await asyncpg.connect(database_urls.app)

    async def broken() -> None:
        async with work_of() as work:
            assert await killer.fetchval(KILL, before)
            await keep(work, somebody)

    with pytest.raises(Unavailable):
        await broken()
    await killer.close()

    assert await owner.fetchval(COUNT, somebody) == 0
    assert await pid(one) != before


async def test_whose_backend_dies_before_the_commit_has_nothing(
    one: Database, owner: asyncpg.Connection, database_urls: DatabaseUrls, bells: list[str]
):
    somebody = uuid4()
    killer = await asyncpg.connect(database_urls.app)

    async def broken() -> None:
        async with one.direct_work() as work:
            await keep(work, somebody, times=2)
            after_commit(work, f"NOTIFY {BELL}, 'undone'")
            assert await killer.fetchval(KILL, await call(work, PID))

    with pytest.raises(Unavailable):
        await broken()
    await killer.close()
    async with one.one_call() as work:
        after_commit(work, f"NOTIFY {BELL}, 'done'")
    await eventually(lambda: bool(bells))

    assert await owner.fetchval(COUNT, somebody) == 0
    assert bells == ["done"]


async def test_a_refusal_over_a_dead_connection_is_no_trap(
    one: Database, database_urls: DatabaseUrls
):
    """The rollback it asks for meets nobody, and nothing of that is handed on."""
    killer = await asyncpg.connect(database_urls.app)

    before = await pid(one)

    async def broken() -> None:
        async with one.direct_work():
            assert await killer.fetchval(KILL, before)
            raise Refused

    with pytest.raises(Unavailable):
        await broken()
    await killer.close()

    assert await pid(one) != before


@pytest.mark.parametrize("begin", ["direct_work", "one_call"])
async def test_a_deadline_in_the_middle_drops_the_connection(
    one: Database, owner: asyncpg.Connection, begin: str
):
    somebody = uuid4()
    work_of: Begin = getattr(one, begin)
    before = await pid(one)

    async def slow() -> None:
        async with work_of() as work:
            if begin == "direct_work":
                await keep(work, somebody)
            await asyncio.Event().wait()

    with pytest.raises(TimedOut):
        await slow()

    assert await owner.fetchval(COUNT, somebody) == 0
    assert await pid(one) != before


@pytest.mark.parametrize("begin", ["direct_work", "one_call"])
async def test_whoever_is_cancelled_anywhere_harms_nobody_else(
    one: Database, owner: asyncpg.Connection, begin: str
):
    """Later by some turns of the loop each time, until it is too late: no await is left out."""
    work_of: Begin = getattr(one, begin)
    whole = 2 if begin == "direct_work" else 1

    async def work_as(actor: UUID) -> None:
        async with work_of() as work:
            await keep(work, actor, times=whole)

    for turns in itertools.count(step=3):
        actor = uuid4()
        async with asyncio.TaskGroup() as tasks:
            task = tasks.create_task(work_as(actor))
            for _ in range(turns):
                await asyncio.sleep(0)
            task.cancel()

        # The pool has one connection: it is free, and not in the middle of anything.
        await pid(one)
        await dropped_ones_are_gone(owner)
        kept = await owner.fetchval(COUNT, actor)
        assert kept in ((0, whole) if turns else (0,)), turns
        if not task.cancelled():
            assert kept == whole
            return


async def dropped_ones_are_gone(owner: asyncpg.Connection) -> None:
    """Wait until nobody writes any more: a server finishes what it is at before it looks up."""
    query = """
        SELECT count(*) FROM pg_locks l JOIN pg_class c ON c.oid = l.relation
        WHERE c.relname = 'command' AND l.mode = 'RowExclusiveLock'
    """

    async def nobody() -> bool:
        writing: int = await owner.fetchval(query)
        return writing == 0

    await eventually(nobody)


async def test_many_commits_are_few_bells_and_the_last_is_heard(
    database: Database, bells: list[str]
):
    async def ring(number: int) -> None:
        async with database.direct_work() as work:
            after_commit(work, f"NOTIFY {BELL}, 'news'")
            assert not work.driver.is_closed(), number

    await asyncio.gather(*(ring(number) for number in range(64)))
    await database.aclose()
    await eventually(lambda: bool(bells))

    assert set(bells) == {"news"}
    assert 1 <= len(bells) < 64


async def test_a_bell_that_cannot_ring_spoils_neither_works_nor_bells(
    one: Database, owner: asyncpg.Connection, bells: list[str]
):
    somebody = uuid4()
    before = await pid(one)

    async with one.direct_work() as work:
        await keep(work, somebody)
        after_commit(work, "SELECT 1 / 0")
        after_commit(work, f"NOTIFY {BELL}, 'heard'")
    await eventually(lambda: bool(bells))

    assert bells == ["heard"]
    assert await owner.fetchval(COUNT, somebody) == 1
    assert await pid(one) == before


@pytest.mark.parametrize("begin", ["direct_work", "one_call"])
async def test_nothing_rings_for_a_work_that_raised(one: Database, bells: list[str], begin: str):
    work_of: Begin = getattr(one, begin)

    async def refused() -> None:
        async with work_of() as work:
            after_commit(work, f"NOTIFY {BELL}, 'undone'")
            raise Refused

    with pytest.raises(Refused):
        await refused()
    async with work_of() as work:
        after_commit(work, f"NOTIFY {BELL}, 'done'")
    await eventually(lambda: bool(bells))
    await one.aclose()

    assert bells == ["done"]


async def test_closing_rings_first(database_urls: DatabaseUrls, bells: list[str]):
    closing = Database(database_urls.app, role="test", pool_size=1)
    async with closing.direct_work() as work:
        after_commit(work, f"NOTIFY {BELL}, 'last'")

    await closing.aclose()
    await eventually(lambda: bool(bells))

    assert bells == ["last"]


async def test_closing_does_not_wait_for_a_network_that_is_gone(database_urls: DatabaseUrls):
    address = parse_qs(urlsplit(database_urls.app).query)
    socket = Path(address["host"][0]) / f".s.PGSQL.{address['port'][0]}"
    async with Swallower(socket).running() as network:
        name = urlsplit(database_urls.app).path
        url = f"postgresql://okd_app@127.0.0.1:{network.port}{name}?sslmode=disable"
        database = Database(url, role="test", pool_size=1, timeout_seconds=0.5)
        async with database.direct_work() as work:
            after_commit(work, f"NOTIFY {BELL}, 'lost'")

        network.swallowing = True
        began = time.monotonic()
        await database.aclose()

        assert time.monotonic() - began < 2


async def test_nobody_starves_while_others_come_back_again_and_again(database_urls: DatabaseUrls):
    """Two connections, eight who never let go for longer than a moment: all of them have turns."""
    database = Database(database_urls.app, role="test", pool_size=2)
    turns = [0] * 8

    async def insist(number: int) -> None:
        while min(turns) < 20:
            async with database.one_call() as unit:
                await call(unit, "SELECT 1")
            turns[number] += 1

    await asyncio.gather(*(insist(number) for number in range(8)))
    await database.aclose()

    # Not the same, because one statement takes longer than another; thousands for some and none
    # for others, where a connection goes to whoever asks in the moment it comes back.
    assert max(turns) < 10 * min(turns)


@pytest.mark.parametrize("ask", ["one_call", "direct_work", "read", "unit_of_work"])
async def test_who_waits_for_a_turn_too_long_is_told_when_to_come_again(
    database_urls: DatabaseUrls, ask: str
):
    database = Database(database_urls.app, role="test", pool_size=1, timeout_seconds=0.4)
    async with database.one_call():
        with pytest.raises(Unavailable) as refused:
            async with getattr(database, ask)():
                raise AssertionError("there was nothing left")
    async with database.read() as session:
        assert await call(session, "SELECT 1") == 1
    await database.aclose()

    assert refused.value.retry_after_seconds == 1.0
