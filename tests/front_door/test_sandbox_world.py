"""Who is told what in the sandbox's world: nobody knows more than their work needs."""

import socket
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from adapters.supervisor.children import Child, waves
from adapters.supervisor.databases import Databases
from adapters.supervisor.listening import listen
from adapters.supervisor.options import RunOptions
from adapters.supervisor.world import Place, World, sandbox_world

KEYS = {"OKD_VAULT_KEYS", "OKD_BLIND_INDEX_KEY"}
EMULATOR = "FIREBASE_AUTH_EMULATOR_HOST"
OURS = (*KEYS, EMULATOR, "OKD_FIREBASE_PROJECT", "OKD_FIREBASE_SERVICE_ACCOUNT")


@pytest.fixture(autouse=True)
def bare(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in OURS:
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    with listen("127.0.0.1", 0) as web:
        databases = Databases("owner", "app", "redis", tmp_path)
        place = Place(RunOptions(), tmp_path, web, databases)
        yield place
        for bound in place.sockets:
            bound.close()


def told(world: World) -> dict[str, Child]:
    return {child.name: child for child in world.children}


def test_only_who_has_to_do_with_people_knows_their_keys(place: Place):
    children = told(sandbox_world(place))

    for name, child in children.items():
        knows = name in {"web", "worker"}
        assert (child.environment.keys() >= KEYS) is knows, name
        assert (EMULATOR in child.environment) is knows, name


def test_identity_is_there_before_who_needs_it(place: Place):
    world = sandbox_world(place)

    first, *_ = waves(world.children)
    assert set(first) == {"exchange", "identity", "migrate"}
    child = told(world)["identity"]
    assert child.environment["OKD_IDENTITY_FILE"] == str(place.data_dir / "identity.sqlite3")
    (listener,) = child.sockets.values()
    address = f"http://127.0.0.1:{port_of(listener)}"
    web = told(world)["web"].environment
    assert web[EMULATOR] == address.removeprefix("http://")
    assert web["OKD_FIREBASE_CERTIFICATES_URL"].startswith(f"{address}/robot/v1/metadata/x509/")
    assert web["OKD_FIREBASE_PROJECT"] == child.environment["OKD_FIREBASE_PROJECT"] == "demo-okd"
    assert world.addresses["identity"] == address
    assert world.addresses["mailbox"] == f"{address}/mailbox"


def test_keys_are_made_once_and_for_their_owner_only(place: Place):
    first = told(sandbox_world(place))["web"].environment
    second = told(sandbox_world(place))["worker"].environment

    assert {name: first[name] for name in KEYS} == {name: second[name] for name in KEYS}
    for name in ("vault.keys", "blind-index.key", "secret.key"):
        assert stat.S_IMODE((place.data_dir / name).stat().st_mode) == 0o600


def test_a_project_of_ones_own_is_used(place: Place, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("OKD_FIREBASE_PROJECT", "my-project")
    monkeypatch.setenv("OKD_FIREBASE_SERVICE_ACCOUNT", "/account.json")
    monkeypatch.setenv(EMULATOR, "evil.example:80")

    children = told(sandbox_world(place))

    web = children["web"].environment
    assert web["OKD_FIREBASE_PROJECT"] == "my-project"
    assert web["OKD_FIREBASE_SERVICE_ACCOUNT"] == "/account.json"
    assert "OKD_FIREBASE_CERTIFICATES_URL" not in web
    for child in children.values():
        assert EMULATOR not in child.environment
    assert "OKD_FIREBASE_SERVICE_ACCOUNT" not in children["feed"].environment
    assert children["identity"].environment["OKD_FIREBASE_PROJECT"] == "demo-okd"


def port_of(listener: socket.socket) -> int:
    return int(listener.getsockname()[1])
