"""npm packages of tests, installed once per lock file, outside the tree."""

import fcntl
import functools
import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path

import pytest

_PACKAGE = ("package.json", "package-lock.json", ".npmrc")
_INSTALL_SECONDS_MAX = 240


def demand_node() -> None:
    """Skip where there is no Node; never in CI."""
    if shutil.which("node") and shutil.which("npm"):
        return
    if os.environ.get("CI") == "true":
        pytest.fail("CI has to have node and npm")
    pytest.skip("node and npm are not installed")


@functools.cache
def installed(folder: Path) -> Path:
    """The ``node_modules`` of the package in ``folder``; the first to ask installs, others wait."""
    demand_node()
    place = _cache() / _digest(folder)
    with _one_at_a_time(place.with_suffix(".lock")):
        if not place.is_dir():
            _install(folder, place)
    return place / "node_modules"


def _cache() -> Path:
    told = os.environ.get("XDG_CACHE_HOME")
    cache = (Path(told) if told else Path.home() / ".cache") / "okd-finance" / "test-packages"
    cache.mkdir(parents=True, exist_ok=True)
    return cache


def _digest(folder: Path) -> str:
    content = b"".join((folder / name).read_bytes() for name in _PACKAGE)
    return sha256(content + f"{sys.platform} {platform.machine()}".encode()).hexdigest()[:16]


def _install(folder: Path, place: Path) -> None:
    # Renamed when it is complete, so that an interrupted installation is not taken for one.
    unfinished = place.with_suffix(".unfinished")
    shutil.rmtree(unfinished, ignore_errors=True)
    unfinished.mkdir()
    for name in _PACKAGE:
        shutil.copy(folder / name, unfinished)
    ran = subprocess.run(
        ["npm", "ci", "--ignore-scripts"],  # noqa: S607  # the person's own npm
        cwd=unfinished,
        capture_output=True,
        text=True,
        timeout=_INSTALL_SECONDS_MAX,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    unfinished.rename(place)


@contextmanager
def _one_at_a_time(lock: Path) -> Iterator[None]:
    with lock.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
