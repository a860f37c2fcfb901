from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.front_door.running import DummyRun, Program


@pytest.fixture
def started() -> Iterator[list[Program]]:
    """Programs that end with the test."""
    programs: list[Program] = []
    yield programs
    for program in programs:
        program.discard()


@pytest.fixture
def run_world(tmp_path: Path, started: list[Program]) -> Callable[..., DummyRun]:
    """Start the dummy world; without a data dir on one of the test's own."""

    def start(*words: str, data_dir: Path | None = None, **manners: Any) -> DummyRun:
        program = DummyRun(data_dir or tmp_path / "data", *words, **manners)
        started.append(program)
        return program

    return start
