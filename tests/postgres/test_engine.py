"""Sessions, transactions, and what becomes of them when the database misbehaves."""

import asyncio
import os
import signal
import time
from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import asyncpg
import pytest
from sqlalchemy import text
from sqlmodel.ext.asyncio.session import AsyncSession

from adapters.postgres import Database, engine
from adapters.postgres.statements import after_commit
from adapters.sandbox.servers import Servers, ServerStatus
from domain.kernel.failures import Conflict, Failure, TimedOut, Unavailable
from tests.world import DatabaseUrls, Swallower, eventually

ADD = (
    "INSERT INTO market.instrument VALUES ('SPOT', 'XUSDT', 'X', 'USDT', NULL, 'TRADING',"
    " 1, 1, 1, 1, NULL, NULL, NULL, NULL, true, now(), now())"
)


async def run(session: AsyncSession, statement: str) -> object:
    connection = await session.connection()
    result = await connection.execute(text(statement))
    return result.scalar_one() if result.returns_rows else None


async def read(database: Database, statement: str) -> object:
    async with database.read() as session:
        return await run(session, statement)


async def work(database: Database, *statements: str, then: Exception | None = None) -> None:
    async with database.unit_of_work() as session:
        for statement in statements:
            await run(session, statement)
        if then is not None:
            raise then


async def count(database: Database) -> object:
    return await read(database, "SELECT count(*) FROM market.instrument")


@pytest.fixture
async def hasty(
    database_urls: DatabaseUrls, database: Database
) -> AsyncIterator[Database]:  # it empties the tables
    """One connection and little patience."""
    hasty = Database(database_urls.app, role="test", pool_size=1, timeout_seconds=0.6)
    yield hasty
    await hasty.aclose()


async def test_says_who_it_is_and_lives_in_utc(database: Database) -> None:
    async with database.read() as session:
        assert await run(session, "SELECT current_setting('application_name')") == "okd-test"
        assert await run(session, "SELECT current_setting('timezone')") == "UTC"
        assert await run(session, "SELECT current_setting('statement_timeout')") == "4s"
        assert await run(session, "SELECT current_setting('lock_timeout')") == "2500ms"


async def test_reading_cannot_write(database: Database) -> None:
    with pytest.raises(Exception, match="read-only transaction"):
        await read(database, ADD)

    assert await count(database) == 0


async def test_work_is_committed_whole(database: Database) -> None:
    async with database.unit_of_work() as session:
        await run(session, ADD)
        assert await count(database) == 0

    assert await count(database) == 1


async def test_what_follows_a_commit_follows_no_other_end(
    database: Database, database_urls: DatabaseUrls
) -> None:
    heard: list[object] = []
    listener = await asyncpg.connect(database_urls.app)
    await listener.add_listener("ring", lambda *told: heard.append(told[3]))

    async def ring(word: str, *, then: Exception | None = None) -> None:
        async with database.unit_of_work() as session:
            await run(session, ADD if word == "committed" else "SELECT 1")
            for _ in range(2):
                after_commit(session, f"NOTIFY ring, '{word}'")
            assert heard == []
            if then is not None:
                raise then

    with pytest.raises(KeyError):
        await ring("taken back", then=KeyError())
    await ring("committed")
    await eventually(lambda: bool(heard))
    await listener.execute("SELECT 1")
    await listener.close()

    assert heard == ["committed"]
    assert await count(database) == 1


async def test_what_follows_a_commit_cannot_spoil_it(database: Database) -> None:
    async with database.unit_of_work() as session:
        await run(session, ADD)
        after_commit(session, "SELECT 1 / 0")

    assert await count(database) == 1


async def test_work_that_raises_leaves_nothing(database: Database) -> None:
    with pytest.raises(KeyError):
        await work(database, ADD, then=KeyError())

    assert await count(database) == 0


async def test_readers_at_the_same_time_have_sessions_of_their_own(database: Database) -> None:
    async def backend() -> object:
        async with database.read() as session:
            await run(session, "SELECT pg_sleep(0.05)")
            return await run(session, "SELECT pg_backend_pid()")

    assert len(set(await asyncio.gather(*(backend() for _ in range(4))))) == 4


async def test_a_slow_statement_times_out_and_keeps_its_connection(hasty: Database) -> None:
    before = await read(hasty, "SELECT pg_backend_pid()")

    with pytest.raises(TimedOut, match="database"):
        await read(hasty, "SELECT pg_sleep(5)")

    assert await read(hasty, "SELECT pg_backend_pid()") == before


async def test_slow_work_between_statements_times_out(hasty: Database) -> None:
    async def dawdle() -> None:
        async with hasty.unit_of_work() as session:
            await run(session, ADD)
            await asyncio.Event().wait()

    with pytest.raises(TimedOut, match="database"):
        await dawdle()

    assert await count(hasty) == 0


async def test_waiting_for_a_lock_is_a_conflict(hasty: Database, database: Database) -> None:
    async with database.unit_of_work() as holder:
        await run(holder, "SELECT pg_advisory_xact_lock(1)")
        with pytest.raises(Conflict):
            await work(hasty, "SELECT pg_advisory_xact_lock(1)")


async def test_a_busy_pool_is_unavailable(hasty: Database) -> None:
    async with hasty.read():
        with pytest.raises(Unavailable, match="database"):
            await hasty.ping()

    await hasty.ping()


async def test_cancelling_a_reader_gives_its_connection_back(hasty: Database) -> None:
    began = asyncio.Event()

    async def read() -> None:
        async with hasty.read() as session:
            began.set()
            await run(session, "SELECT pg_sleep(5)")

    async with asyncio.TaskGroup() as tasks:
        reader = tasks.create_task(read())
        await began.wait()
        reader.cancel()

    await hasty.ping()


async def test_nobody_at_the_address_is_unavailable(tmp_path: Path) -> None:
    nowhere = Database(f"postgresql://okd_app@/okd?host={tmp_path}&port=1", role="test")

    with pytest.raises(Unavailable, match="database"):
        await nowhere.ping()
    await nowhere.aclose()


async def test_a_wrong_database_name_is_unavailable_not_a_bug(servers: Servers) -> None:
    wrong = Database(servers.database_url.replace("/okd?", "/nonesuch?"), role="test")

    with pytest.raises(Unavailable, match="database"):
        await wrong.ping()
    await wrong.aclose()


async def test_lost_packets_cost_the_deadline_and_no_more(database_urls: DatabaseUrls) -> None:
    address = parse_qs(urlsplit(database_urls.app).query)
    socket = Path(address["host"][0]) / f".s.PGSQL.{address['port'][0]}"
    async with Swallower(socket).running() as network:
        name = urlsplit(database_urls.app).path
        url = f"postgresql://okd_app@127.0.0.1:{network.port}{name}?sslmode=disable"
        database = Database(url, role="test", pool_size=1, timeout_seconds=0.5)
        await database.ping()

        network.swallowing = True
        for _ in range(3):
            began = time.monotonic()
            with pytest.raises((TimedOut, Unavailable)):
                await database.ping()
            assert time.monotonic() - began < 1

        network.swallowing = False
        await database.ping()
        await database.aclose()


@pytest.mark.parametrize("trusted_seconds", [0.0, 60.0])
async def test_a_restart_between_two_calls_is_not_noticed(
    breakable_servers: Servers, monkeypatch: pytest.MonkeyPatch, trusted_seconds: float
) -> None:
    """Neither by a connection that is asked whether it lives, nor by one that is trusted."""
    monkeypatch.setattr(engine, "_TRUSTED_SECONDS", trusted_seconds)
    database = Database(breakable_servers.database_url, role="test", pool_size=3)
    await asyncio.gather(*(database.ping() for _ in range(3)))

    pid = kill(breakable_servers)
    await eventually(lambda: postgres(breakable_servers).pid != pid, within_seconds=30)
    await eventually(lambda: postgres(breakable_servers).ready, within_seconds=30)

    await asyncio.gather(*(database.ping() for _ in range(3)))
    await database.aclose()


async def test_calls_while_the_server_is_down_are_unavailable(breakable_servers: Servers) -> None:
    database = Database(breakable_servers.database_url, role="test", pool_size=1)
    await database.ping()

    kill(breakable_servers)
    refused = [outcome async for outcome in until_it_answers(database)]

    assert refused
    assert set(refused) == {Unavailable}
    await database.aclose()


def postgres(servers: Servers) -> ServerStatus:
    status = servers.status()
    assert status is not None
    return status.servers["postgres"]


def kill(servers: Servers) -> int:
    pid = postgres(servers).pid
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    return pid


async def until_it_answers(database: Database) -> AsyncIterator[type[Failure]]:
    """Call until it works again, after it has failed at least once."""
    failed = False
    end = time.monotonic() + 30
    while time.monotonic() < end:
        try:
            await database.ping()
        except Failure as failure:
            failed = True
            yield type(failure)
        else:
            if failed:
                return
        await asyncio.sleep(0.01)
    pytest.fail("it never came back")
