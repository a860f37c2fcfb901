"""The JavaScript clients of the field, installed once per lock file, outside the tree.

`package.json` pins them. @graphql-codegen/cli stays at 5: 6 and 7 do not start on Node 18, which is
what Debian 12 has and `.ci/run` installs. npm warns of engines there; all of it runs (tried).
"""

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

HERE = Path(__file__).parent
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
def node_modules() -> Path:
    """The folder of the packages; the first to ask installs, the other workers wait."""
    demand_node()
    place = _cache() / _digest()
    with _one_at_a_time(place.with_suffix(".lock")):
        if not place.is_dir():
            _install(place)
    return place / "node_modules"


def workplace(place: Path, *scripts: str) -> Path:
    """``place`` with scripts of this folder, and their packages beside them."""
    (place / "node_modules").symlink_to(node_modules())
    for script in scripts:
        shutil.copy(HERE / script, place)
    return place


def run_script(place: Path, script: str, *arguments: str) -> str:
    """What a script of the workplace prints; its failure is the test's."""
    ran = subprocess.run(  # noqa: S603  # our own script
        ["node", script, *arguments],  # noqa: S607  # the person's own node
        cwd=place,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    return ran.stdout


def _cache() -> Path:
    told = os.environ.get("XDG_CACHE_HOME")
    cache = (Path(told) if told else Path.home() / ".cache") / "okd-finance" / "client-tests"
    cache.mkdir(parents=True, exist_ok=True)
    return cache


def _digest() -> str:
    content = b"".join((HERE / name).read_bytes() for name in _PACKAGE)
    return sha256(content + f"{sys.platform} {platform.machine()}".encode()).hexdigest()[:16]


def _install(place: Path) -> None:
    # Renamed when it is complete, so that an interrupted installation is not taken for one.
    unfinished = place.with_suffix(".unfinished")
    shutil.rmtree(unfinished, ignore_errors=True)
    unfinished.mkdir()
    for name in _PACKAGE:
        shutil.copy(HERE / name, unfinished)
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
