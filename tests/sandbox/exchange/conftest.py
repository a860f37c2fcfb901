from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import httpx
import orjson
import pytest

from adapters.clock import SystemClock
from adapters.sandbox.exchange import create_exchange
from tests.sandbox.exchange.support import TOKEN, Json, Served, served, small_exchange


@pytest.fixture(scope="session")
def recording_path(shared_data: Path) -> Path:
    return shared_data / "stream" / "bybit_v5_public_BTC_SOL.jsonl"


@pytest.fixture(scope="session")
def recorded(recording_path: Path) -> list[Json]:
    """Every line of the recording that holds a message."""
    rows = [orjson.loads(line) for line in recording_path.read_bytes().splitlines()]
    return [row for row in rows if "msg" in row]


@pytest.fixture(scope="session")
def exchange() -> Iterator[Served]:
    """A simulated exchange that no test breaks."""
    app = create_exchange(seed=11, clock=SystemClock(), recording=None, control_token=TOKEN)
    with served(app) as server:
        yield server


@pytest.fixture
def breakable() -> Iterator[Served]:
    """A simulated exchange for one test to break."""
    app = small_exchange(SystemClock(), seed=12)
    with served(app) as server:
        yield server


@pytest.fixture(scope="session")
async def http(exchange: Served) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=exchange.http, trust_env=False) as client:
        yield client
