"""Data directories for the servers, in places their demoted user can enter.

pytest's own tmp_path is 0700 and root's, so it would be refused here, rightly.
"""

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from adapters.sandbox.servers import ensure, stopped
from tests.hearing import EARS
from tests.leaks import leaks


def _make_parent() -> Path:
    parent = Path(tempfile.mkdtemp(prefix="okd-servers-")).resolve()
    parent.chmod(0o711)
    return parent


def _remove(parent: Path, used: list[Path]) -> None:
    still_kept = [data for data in used if not stopped(data, timeout_seconds=20)]
    for data in used:
        EARS.find(list(leaks(data)))
    shutil.rmtree(parent)
    assert still_kept == []


@pytest.fixture(autouse=True)
def importable_checkout(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the processes that a test starts import what the test can import."""
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).resolve().parents[3]), prepend=os.pathsep)


@pytest.fixture
def new_data_dir() -> Iterator[Callable[[str], Path]]:
    """Name directories that do not exist yet; at the end their keepers must be gone."""
    parent = _make_parent()
    used: list[Path] = []

    def name(relative: str) -> Path:
        used.append(parent / relative)
        return used[-1]

    try:
        yield name
    finally:
        _remove(parent, used)


@pytest.fixture(scope="session")
def warm_dir() -> Iterator[Path]:
    """One directory with a finished database and nothing running, to save an initdb per test."""
    parent = _make_parent()
    data = parent / "data"
    try:
        ensure(data, grace_seconds=0).release()
        assert stopped(data, timeout_seconds=20)
        yield data
    finally:
        _remove(parent, [data])
