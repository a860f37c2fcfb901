"""Where the servers can not run, one sentence says why and what to do."""

import os
import pwd
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest

from adapters.sandbox.servers import ServersError, default_data_dir, ensure
from adapters.sandbox.servers.accounts import server_account
from adapters.sandbox.servers.binaries import CHOICE_VARIABLE, _asked, _Unusable, postgres_binary
from adapters.sandbox.servers.layout import Layout, make_data_dir

NewDataDir = Callable[[str], Path]
as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root runs the servers as another user")


class Usage(NamedTuple):
    total: int
    used: int
    free: int


def test_refuses_the_data_of_another_major_version(new_data_dir: NewDataDir) -> None:
    place = make_data_dir(new_data_dir("foreign"), server_account())
    (place.data / "pg16").mkdir()
    (place.data / "pg16/PG_VERSION").write_text("16\n", "utf-8")

    with pytest.raises(
        ServersError, match=r"pg16 holds the data of PostgreSQL 16.*move the folder"
    ):
        ensure(place.data, grace_seconds=0.2)

    assert not (place.data / "pg18").exists()


@as_root
def test_refuses_a_directory_that_the_servers_can_not_enter(tmp_path: Path) -> None:
    tmp_path.chmod(0o700)

    with pytest.raises(ServersError, match="can not enter"):
        ensure(tmp_path / "data", grace_seconds=0.2)


@as_root
def test_root_leaves_the_data_to_its_owner(new_data_dir: NewDataDir) -> None:
    place = make_data_dir(new_data_dir("owned"), server_account())
    (place.data / "pg18").mkdir()
    daemon = pwd.getpwnam("daemon")
    os.chown(place.data / "pg18", daemon.pw_uid, daemon.pw_gid)

    account = server_account(place.data)

    assert (account.name, account.uid, account.gid) == ("daemon", daemon.pw_uid, daemon.pw_gid)
    assert account.client_name == "root"


@as_root
def test_chooses_a_directory_that_the_servers_can_enter(
    tmp_path: Path, new_data_dir: NewDataDir
) -> None:
    tmp_path.chmod(0o700)
    open_clone = new_data_dir("clone")
    open_clone.mkdir(mode=0o755)

    assert default_data_dir(open_clone) == open_clone / ".okd"
    hidden = default_data_dir(tmp_path)
    assert hidden.parent == Path("/var/lib/okd")
    assert hidden == default_data_dir(tmp_path)
    assert hidden != default_data_dir(tmp_path.parent)


@as_root
def test_refuses_when_root_may_not_change_the_user(new_data_dir: NewDataDir) -> None:
    setpriv = shutil.which("setpriv")
    if setpriv is None:
        pytest.skip("no setpriv to drop the capability with")
    data = make_data_dir(new_data_dir("capabilities"), server_account()).data

    done = subprocess.run(  # noqa: S603 - this very package
        [
            *(setpriv, "--bounding-set=-setuid,-setgid", "--inh-caps=-setuid,-setgid"),
            *(sys.executable, "-m", "adapters.sandbox.servers", "keeper", str(data)),
        ],
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )

    assert done.returncode == 1
    assert "CAP_SETUID" in done.stderr
    assert "Traceback" not in done.stderr


def test_refuses_a_user_without_a_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 54321)

    with pytest.raises(ServersError, match="User id 54321 has no entry in /etc/passwd"):
        server_account()


def test_refuses_windows(monkeypatch: pytest.MonkeyPatch, new_data_dir: NewDataDir) -> None:
    monkeypatch.setattr(sys, "platform", "win32")

    with pytest.raises(ServersError, match="on Windows use WSL"):
        ensure(new_data_dir("windows"))


def test_refuses_a_full_disk_before_it_makes_a_database(
    new_data_dir: NewDataDir, monkeypatch: pytest.MonkeyPatch
) -> None:
    from adapters.sandbox.servers.postgres_server import PostgresServer  # noqa: PLC0415

    account = server_account()
    place = make_data_dir(new_data_dir("full"), account)
    binary = postgres_binary(place, account)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: Usage(2**30, 2**30 - 2**20, 2**20))

    with pytest.raises(ServersError, match="has 1 MB left and a new database needs 150"):
        PostgresServer(place, account, binary, place.data / "run").prepare()


def test_refuses_an_unknown_choice_of_programs(
    new_data_dir: NewDataDir, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(CHOICE_VARIABLE, "mine")

    with pytest.raises(ServersError, match="write wheel, system or auto"):
        ensure(new_data_dir("choice"), grace_seconds=0.2)


def test_says_what_to_install_when_nothing_runs(
    new_data_dir: NewDataDir, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = make_data_dir(new_data_dir("none"), server_account())
    monkeypatch.setenv(CHOICE_VARIABLE, "wheel")
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)

    with pytest.raises(ServersError, match=r"none is installed.*or set DATABASE_URL and REDIS_URL"):
        postgres_binary(place, server_account())


@pytest.mark.parametrize(
    ("script", "reason"),
    [
        ("#!/lib/ld-of-another-libc.so\n", "glibc, is missing"),
        ("#!/bin/sh\necho 'GLIBC_2.99 not found' >&2; exit 1\n", "GLIBC_2.99 not found"),
    ],
)
def test_tells_a_wrong_c_library(script: str, reason: str) -> None:
    with tempfile.TemporaryDirectory() as directory:
        Path(directory).chmod(0o755)
        program = Path(directory) / "postgres"
        program.write_text(script, "utf-8")
        program.chmod(0o755)

        with pytest.raises(_Unusable, match=reason):
            _asked(program, server_account())


def test_a_second_keeper_is_refused(warm_dir: Path) -> None:
    with ensure(warm_dir, grace_seconds=0.2):
        done = subprocess.run(  # noqa: S603 - this very package
            [sys.executable, "-m", "adapters.sandbox.servers", "keeper", str(warm_dir)],
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
        )

        assert done.returncode == 1
        assert done.stderr.startswith("Another keeper already keeps")
        assert Layout(warm_dir).state.exists()
