"""The whole world with dummy children, as a person or a machine meets it."""

import os
import signal
import socket
import stat
import urllib.request
from collections.abc import Callable
from pathlib import Path

import pytest

from adapters.supervisor import instance
from tests.front_door.running import DummyRun, await_end_of

RunWorld = Callable[..., DummyRun]


def ask(url: str) -> int:
    with urllib.request.urlopen(url, timeout=20) as answer:  # noqa: S310 - our own address
        return int(answer.read())


def test_starts_in_order_and_stops_in_reverse(run_world: RunWorld):
    world = run_world().up()

    assert world.stop() == 0

    names = [(name, word) for name, word, _ in world.entries()]
    assert {("exchange", "started"), ("migrate", "started")} == set(names[:2])
    assert names[2:] == [
        ("web", "started"),
        ("worker", "started"),
        ("worker", "ended"),
        ("web", "ended"),
        ("exchange", "ended"),
    ]
    assert "Stopped." in world.said


def test_publishes_addresses_for_the_owner_only_and_removes_them(run_world: RunWorld):
    world = run_world().up()

    path = world.data_dir / "addresses.json"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    pids = world.addresses()["pids"]
    assert pids.keys() == {"supervisor", "exchange", "web", "worker"}
    assert ask(world.addresses()["graphql"]) == pids["web"]

    world.stop()
    assert not path.exists()
    assert not instance.is_running(world.data_dir)


def test_a_killed_child_comes_back_on_the_same_address(run_world: RunWorld):
    world = run_world().up()
    before = world.addresses()

    os.kill(before["pids"]["web"], signal.SIGKILL)
    await_end_of([before["pids"]["web"]])
    # Nobody serves at this moment: the request waits in the backlog and is not refused.
    answered_by = ask(before["graphql"])

    assert "SIGKILL" in world.until("web was ended")
    world.until("web        back in")
    after = world.addresses()
    assert after["graphql"] == before["graphql"]
    assert after["pids"]["web"] == answered_by != before["pids"]["web"]
    assert after["pids"]["exchange"] == before["pids"]["exchange"]


def test_a_killed_child_takes_its_own_processes_along(run_world: RunWorld):
    world = run_world(manners={"web": ["parent"]}).up()
    (napping,) = (word for _, word, _ in world.entries() if word.startswith("parent-of-"))

    os.kill(world.addresses()["pids"]["web"], signal.SIGKILL)

    await_end_of([int(napping.removeprefix("parent-of-"))])
    world.until("web        back in")


def test_nothing_survives_a_killed_supervisor(run_world: RunWorld, tmp_path: Path):
    world = run_world(manners={"web": ["parent"], "worker": ["stubborn"]}).up()
    pids = [pid for _, _, pid in world.entries()]
    pids += [int(word[10:]) for _, word, _ in world.entries() if word.startswith("parent-of-")]

    world.process.kill()

    await_end_of(pids)
    # The traces of the dead one do not stop the next.
    assert run_world(data_dir=tmp_path / "data").up().stop() == 0


def test_a_taken_port_is_a_sentence_that_names_the_holder(run_world: RunWorld):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        world = run_world(f"--port={port}")

        assert world.end() == 1

    assert f"Port {port} is taken by" in world.said
    assert f"pid {os.getpid()}" in world.said
    assert "--port" in world.said
    assert "Traceback" not in world.said
    assert world.entries() == []


def test_a_second_instance_is_refused_and_the_first_untouched(run_world: RunWorld):
    first = run_world().up()

    second = run_world(data_dir=first.data_dir)
    assert second.end() == 1

    assert "already runs" in second.said
    assert first.addresses()["graphql"] in second.said
    assert str(first.process.pid) in second.said
    assert "--data-dir" in second.said
    assert ask(first.addresses()["graphql"]) == first.addresses()["pids"]["web"]


def test_two_instances_run_side_by_side(run_world: RunWorld, tmp_path: Path):
    first = run_world(data_dir=tmp_path / "a").up()
    second = run_world(data_dir=tmp_path / "b").up()

    assert first.addresses()["graphql"] != second.addresses()["graphql"]
    assert first.stop() == 0
    assert ask(second.addresses()["graphql"]) == second.addresses()["pids"]["web"]


def test_what_is_built_beside_keeps_nobody_waiting(run_world: RunWorld):
    world = run_world(manners={"page": ["parent", "chatty"]}).up()
    if "page | " not in world.said:
        world.until("page | ")
    pids = [pid for _, _, pid in world.entries()]
    pids += [int(word[10:]) for _, word, _ in world.entries() if word.startswith("parent-of-")]

    assert world.addresses()["pids"]["page"] in pids  # It still builds, and the world is ready.
    assert world.stop() == 0
    await_end_of(pids)


def test_what_is_built_beside_says_when_it_is_done(run_world: RunWorld):
    world = run_world(manners={"page": ["once"]}).up()

    if "page " not in world.said:
        world.until("page       done in")
    assert "page" not in world.addresses()["pids"]
    assert world.stop() == 0


def test_what_can_not_be_built_beside_is_one_line(run_world: RunWorld):
    world = run_world(manners={"page": ["crash"]}).up()
    if "  page | ValueError: born to fail" not in world.said:
        world.until("  page | ValueError: born to fail")

    assert "page" not in world.addresses()["pids"]
    assert world.stop() == 0

    assert [word for name, word, _ in world.entries() if name == "page"] == ["started"]


def test_web_processes_share_one_address(run_world: RunWorld):
    world = run_world("--web-processes=2").up()
    pids = world.addresses()["pids"]

    # Whoever waits longest accepts next.
    answered_by = {ask(world.addresses()["graphql"]) for _ in range(20)}

    assert answered_by == {pids["web-1"], pids["web-2"]}


@pytest.mark.parametrize(
    ("manners", "sentence"),
    [
        ({"exchange": ["silent", "chatty"]}, "exchange is not ready after 1 s"),
        pytest.param(
            {"exchange": ["crash"]},
            "exchange ended with exit code 1, 3 times before it was ready",
            marks=pytest.mark.provokes("born to fail"),
        ),
        ({"exchange": ["misled"]}, "exchange cannot do what it was told"),
        pytest.param(
            {"migrate": ["crash"]},
            "migrate ended with exit code 1",
            marks=pytest.mark.provokes("born to fail"),
        ),
    ],
)
def test_a_start_that_fails_says_why(
    run_world: RunWorld, manners: dict[str, list[str]], sentence: str
):
    world = run_world(manners=manners, ready_seconds=1)

    assert world.end() == 1

    assert sentence in world.said
    assert "born to fail" in world.said or "venue_slow" in world.said  # the tail of its log
    assert f"{world.data_dir / 'logs'}" in world.said
    assert "web" not in {name for name, _, _ in world.entries()}
    assert not (world.data_dir / "addresses.json").exists()


def test_goes_on_without_a_child_that_is_not_required(run_world: RunWorld):
    world = run_world(manners={"worker": ["silent"]}, ready_seconds=1).up()

    assert "worker is not ready after 1 s" in world.said
    assert ask(world.addresses()["graphql"]) == world.addresses()["pids"]["web"]
    assert world.stop() == 0


def test_a_child_that_ignores_the_request_is_killed(run_world: RunWorld):
    world = run_world(manners={"web": ["stubborn"]}).up()
    pid = world.addresses()["pids"]["web"]

    assert world.stop() == 0

    assert "web did not end within 2 s: killed" in world.said
    await_end_of([pid])


def test_a_second_interrupt_is_quick(run_world: RunWorld):
    world = run_world("--grace=60", manners={"worker": ["stubborn"]}).up()

    world.process.send_signal(signal.SIGINT)
    world.until("once more for quick")
    world.process.send_signal(signal.SIGINT)

    assert world.end() == 0


def test_warnings_reach_the_terminal_and_the_rest_the_log(run_world: RunWorld):
    world = run_world(manners={"web": ["chatty"]})
    assert "venue_slow" in world.until("web | ")
    world.up().stop()

    assert "price_moved" not in world.said
    log = (world.data_dir / "logs" / "web.log").read_text(encoding="utf-8")
    assert "price_moved" in log
    assert "venue_slow" in log


def test_a_wrong_option_is_a_sentence(run_world: RunWorld):
    world = run_world("--web-processes=0")

    assert world.end() == 2
    assert "'0' is not a whole number from 1 to 64" in world.said
    assert "Traceback" not in world.said
