"""kill -9 of anything, while somebody writes: nothing acknowledged is lost, nobody has to help."""

import asyncio
import os
import signal
import sys
from asyncio.subprocess import Process
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import asyncpg
import pytest
import redis.asyncio

from adapters.sandbox.servers import Servers, State, ensure, stopped
from adapters.sandbox.servers.layout import Layout
from adapters.sandbox.servers.state import read

_ENOUGH = 50
_PATIENCE_SECONDS = 40


class Acknowledged:
    """What a writer process says it was promised."""

    def __init__(self, process: Process) -> None:
        self.process = process
        self.rows: set[int] = set()
        self.keys: set[int] = set()

    async def read_more(self) -> None:
        """Wait until both servers have acknowledged more than they had."""
        rows, keys = len(self.rows) + _ENOUGH, len(self.keys) + _ENOUGH
        async with asyncio.timeout(_PATIENCE_SECONDS):
            while len(self.rows) < rows or len(self.keys) < keys:
                assert await self._read_line(), "the writer ended"

    async def kill(self) -> None:
        self.process.kill()
        async with asyncio.timeout(_PATIENCE_SECONDS):
            while await self._read_line():
                pass
            await self.process.wait()

    async def _read_line(self) -> bool:
        assert self.process.stdout is not None
        line = await self.process.stdout.readline()
        if not line.endswith(b"\n"):
            return False
        kind, number = line.split()
        (self.rows if kind == b"row" else self.keys).add(int(number))
        return True


@asynccontextmanager
async def writing(data_dir: Path) -> AsyncIterator[Acknowledged]:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        str(Path(__file__).with_name("writer.py")),
        str(data_dir),
        stdout=asyncio.subprocess.PIPE,
    )
    acknowledged = Acknowledged(process)
    try:
        await acknowledged.read_more()
        yield acknowledged
    finally:
        if process.returncode is None:
            await acknowledged.kill()


def told(data_dir: Path) -> State:
    state = read(Layout(data_dir).state)
    assert state is not None
    return state


def kill(state: State, victims: str) -> None:
    for victim in victims.split():
        pid = state.keeper_pid if victim == "keeper" else state.servers[victim].pid
        assert pid is not None
        os.kill(pid, signal.SIGKILL)


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(_PATIENCE_SECONDS):
        while not condition():  # noqa: ASYNC110 - what is waited for happens in another process
            await asyncio.sleep(0.02)


def spoil(configuration: Path, *, again: bool = True) -> None:
    configuration.write_text("no such setting" if again else "", "utf-8")


async def assert_all_found(servers: Servers, acknowledged: Acknowledged) -> None:
    connection = await asyncpg.connect(servers.database_url_owner)
    rows = {row["number"] for row in await connection.fetch("SELECT number FROM written")}
    await connection.execute("DROP TABLE written")
    await connection.close()
    async with redis.asyncio.from_url(servers.redis_url) as client:
        keys = {int(key) for key in await client.smembers("written")}
        await client.delete("written")
    assert acknowledged.rows - rows == set()
    assert acknowledged.keys - keys == set()


@pytest.mark.parametrize(
    "victims", ["postgres", "valkey", "postgres valkey", "keeper", "keeper postgres valkey"]
)
async def test_comes_back_in_place_and_loses_nothing(warm_dir: Path, victims: str) -> None:
    async with writing(warm_dir) as acknowledged:
        before = told(warm_dir)
        kill(before, victims)
        await acknowledged.read_more()
        await acknowledged.read_more()

        after = told(warm_dir)
        assert (after.database_url, after.redis_url) == (before.database_url, before.redis_url)
        assert (after.keeper_pid != before.keeper_pid) == ("keeper" in victims)
        await acknowledged.kill()
        with ensure(warm_dir, grace_seconds=0.2) as servers:
            await assert_all_found(servers, acknowledged)


async def test_tells_of_a_restart_and_its_reason(warm_dir: Path) -> None:
    async with writing(warm_dir) as acknowledged:
        kill(told(warm_dir), "valkey")
        await acknowledged.read_more()

        valkey, postgres = told(warm_dir).servers["valkey"], told(warm_dir).servers["postgres"]
    assert (valkey.restarts, valkey.last_exit) == (1, "was ended by SIGKILL")
    assert (postgres.restarts, postgres.last_exit) == (0, None)
    assert stopped(warm_dir, timeout_seconds=20)


async def test_goes_on_trying_until_a_server_can_start_again(warm_dir: Path) -> None:
    configuration = warm_dir / "pg18/postgresql.auto.conf"
    async with writing(warm_dir) as acknowledged:
        spoil(configuration)
        kill(told(warm_dir), "postgres")
        await until(lambda: told(warm_dir).servers["postgres"].restarts >= 3)
        spoil(configuration, again=False)
        await acknowledged.read_more()

        assert told(warm_dir).servers["postgres"].last_exit == "exited with status 1"
        assert told(warm_dir).servers["valkey"].restarts == 0


async def test_makes_a_lost_socket_again(warm_dir: Path) -> None:
    async with writing(warm_dir) as acknowledged:
        for socket in ("valkey.sock", ".s.PGSQL.5432"):
            (warm_dir / "run" / socket).unlink()
        await until(lambda: all(server.restarts for server in told(warm_dir).servers.values()))
        await acknowledged.read_more()


async def test_starts_again_after_everything_and_everybody_was_killed(warm_dir: Path) -> None:
    async with writing(warm_dir) as acknowledged:
        kill(told(warm_dir), "keeper postgres valkey")
        await acknowledged.kill()

    with ensure(warm_dir, grace_seconds=0.2) as servers:
        await assert_all_found(servers, acknowledged)


async def test_ends_when_its_last_user_is_killed(warm_dir: Path) -> None:
    async with writing(warm_dir) as acknowledged:
        await acknowledged.kill()

    assert await asyncio.to_thread(stopped, warm_dir, 20)
    assert not Layout(warm_dir).state.exists()
    with ensure(warm_dir, grace_seconds=0.2) as servers:
        await assert_all_found(servers, acknowledged)
