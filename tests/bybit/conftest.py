import threading
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest

from tests.bybit.venue import ScriptedVenue


@pytest.fixture(scope="session")
def recordings(shared_data: Path) -> Path:
    """Where the streams were recorded: read where they lie, never copied into the repository."""
    return shared_data / "stream"


@pytest.fixture(scope="session")
def recorded(recordings: Path) -> list[dict[str, Any]]:
    """Every received frame of the recording with its category, in order."""
    lines = (recordings / "bybit_v5_public_BTC_SOL.jsonl").read_bytes().splitlines()
    return [row for row in map(orjson.loads, lines) if row["dir"] == "recv"]


@pytest.fixture
async def venue() -> AsyncIterator[ScriptedVenue]:
    """A venue on loopback that does what the test tells it."""
    async with ScriptedVenue() as scripted:
        yield scripted


@pytest.fixture(autouse=True)
def no_thread_is_left() -> Iterator[None]:
    """Whatever a test did, no thread of ours outlives it."""
    yield
    left = [t.name for t in threading.enumerate() if t.name.startswith("okd-bybit")]
    assert left == []
