import io
import json
import os
import socket
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from adapters.supervisor import Backoff, Child, RunOptions, StartError, instance, sandbox_world
from adapters.supervisor.children import waves
from adapters.supervisor.databases import Databases, opened
from adapters.supervisor.listening import holder_of, listen
from adapters.supervisor.logs import ChildLog
from adapters.supervisor.options import parse
from adapters.supervisor.run import run
from adapters.supervisor.terminal import sentence_for
from adapters.supervisor.world import Place
from tests.front_door.running import CLONE


def child(name: str, *after: str) -> Child:
    return Child(name=name, argv=("true",), environment={}, after=after)


def test_backoff_doubles_up_to_its_limit():
    delays = [Backoff().delay(failures) for failures in (1, 2, 3, 6, 7, 1000)]

    assert delays == [0.2, 0.4, 0.8, 6.4, 10.0, 10.0]


def test_waves_follow_the_needs():
    children = (child("web", "keeper", "migrate"), child("migrate", "keeper"), child("keeper"))

    assert waves(children) == [["keeper"], ["migrate"], ["web"]]


@pytest.mark.parametrize("children", [(child("a", "b"), child("b", "a")), (child("a", "nobody"),)])
def test_children_that_wait_in_vain_are_a_bug(children: tuple[Child, ...]):
    with pytest.raises(ValueError, match="wait in vain"):
        waves(children)


def test_a_log_is_bounded(tmp_path: Path):
    path = tmp_path / "logs" / "web.log"
    log = ChildLog(path, show=lambda _: None, bytes_max=10_000)

    log.pump(io.BytesIO(b"".join(b"%06d %s\n" % (i, b"x" * 92) for i in range(1000))))
    log.close()

    kept = [path.with_name("web.log.1"), path]
    assert [file.stat().st_size for file in kept] == [10_000, 10_000]
    assert path.read_bytes().splitlines()[-1].startswith(b"000999")
    assert set(path.parent.iterdir()) == set(kept)


def test_a_log_survives_endless_lines_and_foreign_bytes(tmp_path: Path):
    log = ChildLog(tmp_path / "web.log", show=lambda _: None)

    log.pump(io.BytesIO(b"\xff" * 100_000))
    log.close()

    assert (tmp_path / "web.log").stat().st_size > 100_000


def test_a_full_disk_does_not_stop_the_reader(tmp_path: Path):
    (tmp_path / "logs").touch()  # the folder can not be made, as nothing can on a full disk
    shown: list[str] = []

    ChildLog(tmp_path / "logs" / "web.log", show=shown.append).pump(io.BytesIO(b"ERROR no space\n"))

    assert shown == ["ERROR no space"]


def test_only_what_is_worth_it_reaches_the_terminal(tmp_path: Path):
    shown: list[str] = []
    log = ChildLog(tmp_path / "web.log", show=shown.append)

    log.pump(
        io.BytesIO(
            b'{"event": "a", "level": "info"}\n'
            b'{"event": "b", "level":"warning"}\n'
            b"2026-11-22 [error    ] c\n"
            b"Traceback (most recent call last):\n"
            b'  File "x.py", line 1, in <module>\n'
            b"ValueError: d\n"
            b"harmless\n"
        )
    )
    log.close()

    assert shown == [
        '{"event": "b", "level":"warning"}',
        "2026-11-22 [error    ] c",
        "ValueError: d",
    ]


def test_a_storm_of_warnings_is_cut_short(tmp_path: Path):
    shown: list[str] = []
    log = ChildLog(tmp_path / "web.log", show=shown.append)

    log.pump(io.BytesIO(b"WARNING again\n" * 500))
    log.close()

    assert len(shown) == 11
    assert shown[-1] == f"... more in {tmp_path / 'web.log'}"


def test_addresses_are_never_half_written(tmp_path: Path):
    long = {"graphql": "x" * 100_000}
    instance.publish(tmp_path, long)
    done = threading.Event()

    def write() -> None:
        for _ in range(100):
            instance.publish(tmp_path, long)
        done.set()

    writer = threading.Thread(target=write)
    writer.start()
    while not done.is_set():
        assert json.loads((tmp_path / "addresses.json").read_text(encoding="utf-8")) == long
    writer.join()
    assert os.listdir(tmp_path) == ["addresses.json"]  # noqa: PTH208 - names


def test_options_survive_the_way_through_words(tmp_path: Path):
    options = RunOptions(
        port=0, data_dir=tmp_path, recording=tmp_path, seed=7, web_processes=3, build_web=False
    )

    assert parse(options.as_arguments()) == options


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--port", "99999"], "'99999' is not a whole number from 0 to 65535"),
        (["--recording", "/nowhere/at-all"], "there is no recording at /nowhere/at-all"),
        (["--prot", "1"], "Unrecognized arguments: --prot 1"),
        (["--seed", "x"], "'x' is not a whole number"),
    ],
)
def test_wrong_options_are_sentences(words: list[str], sentence: str):
    with pytest.raises(StartError, match=r"\./dev run --help") as refused:
        parse(words)
    assert sentence in str(refused.value)


def test_names_the_holder_of_a_port():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        holder = holder_of(taken.getsockname()[1])

    assert holder is not None
    assert f"pid {os.getpid()}" in holder


def test_a_foreign_address_is_a_sentence():
    with pytest.raises(StartError, match="not an address of this machine"):
        listen("192.0.2.1", 0)


def test_half_of_a_database_is_refused(tmp_path: Path):
    with pytest.raises(StartError, match="DATABASE_URL is set but DATABASE_OWNER_URL is not"):
        opened(tmp_path, {"DATABASE_URL": "postgresql://x", "REDIS_URL": "redis://x"})


def test_a_full_disk_is_a_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    monkeypatch.setattr("adapters.supervisor.instance._FREE_BYTES_MIN", 1 << 60)

    assert run(RunOptions(data_dir=tmp_path / "data")) == 1

    assert "Free some space" in capsys.readouterr().err
    assert "The disk is full" in (sentence_for(OSError(28, "No space left on device")) or "")


def test_each_role_is_told_only_its_own_secrets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("DATABASE_OWNER_URL", "postgresql://owner")
    monkeypatch.setenv("OKD_OPERATIONS_FD", "7")
    databases = Databases("postgresql://owner", "postgresql://app", "redis://x", tmp_path)
    with listen("127.0.0.1", 0) as web:
        place = Place(RunOptions(seed=42, web_processes=2), tmp_path, web, databases)
        world = sandbox_world(place)
        for bound in place.sockets:
            bound.close()

    by_name = {child.name: child.environment for child in world.children}
    page = by_name.pop("graphiql")  # Built by other people's programs: they are told nothing.
    assert page.keys().isdisjoint({"DATABASE_URL", "DATABASE_OWNER_URL", "OKD_SECRET_KEY"})
    assert page["PATH"] == os.environ["PATH"]
    webs = {"web-1", "web-2"}
    assert by_name.keys() == {"exchange", "identity", "migrate", "feed", "worker"} | webs
    assert [n for n, e in by_name.items() if "DATABASE_OWNER_URL" in e] == ["migrate"]
    controlled = {n for n, e in by_name.items() if "OKD_CONTROL_TOKEN" in e}
    assert controlled == {"exchange", "identity"}
    assert not [n for n, e in by_name.items() if "OKD_OPERATIONS_FD" in e]  # not another's
    assert {e["DATABASE_URL"] for e in by_name.values()} == {"postgresql://app"}
    assert {e["OKD_BYBIT_ENVIRONMENT"] for e in by_name.values()} == {"sandbox"}
    assert {e["OKD_SEED"] for e in by_name.values()} == {"42"}


def test_importing_the_supervisor_is_lean():
    # What costs tens of milliseconds each, and what only a role needs. Time itself is measured by
    # hand (docs/performance.md): a timed test fails on a busy machine.
    heavy = ["asyncio", "ssl", "http.client", "email", "urllib.request", "multiprocessing"]
    probe = (
        "import sys, adapters.supervisor;"
        f"print(*[m for m in {heavy} if m in sys.modules], sep=',');"
        "print('site-packages' in repr(sorted("
        "getattr(m, '__file__', '') or '' for m in sys.modules.values())))"
    )

    asked = subprocess.run(  # noqa: S603 - our own interpreter
        [sys.executable, "-S", "-c", probe], cwd=CLONE, capture_output=True, text=True, check=True
    )

    assert asked.stdout.splitlines() == ["", "False"]
