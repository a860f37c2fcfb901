"""What every test may ask for.

servers            PostgreSQL and Valkey of this run, shared by all workers: never break them
breakable_servers  servers of the module's own, which its tests may kill
database_urls      this worker's migrated database
database           the same, opened as the product opens it, and empty at the start of each test
redis_prefix       a prefix of this test's own: nothing has to be cleaned
redis_client       Valkey under that prefix
clock              the system's
shared_data        recorded Bybit answers; skips when the checkout stands alone, never in CI
"""

import os
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import asyncpg
import pytest
from hypothesis import HealthCheck, settings

from adapters.clock import SystemClock
from adapters.postgres import Database
from adapters.postgres.tables import METADATA
from adapters.redis import RedisClient
from adapters.sandbox.servers import Servers, ensure
from tests import hearing, world
from tests.leaks import leaks

# A busy machine is slow, which is no finding; deadlines of ours have tests of their own.
settings.register_profile("okd", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("okd")

_data_dir = pytest.StashKey[Path]()


def pytest_configure(config: pytest.Config) -> None:
    """The first process of a run chooses the directory, its workers are told."""
    told = getattr(config, "workerinput", {}).get("okd_data_dir")
    config.stash[_data_dir] = Path(told) if told else world.make_data_dir()
    config.pluginmanager.register(hearing, "hearing")


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:  # an xdist class without types
    node.workerinput["okd_data_dir"] = str(node.config.stash[_data_dir])


def pytest_sessionfinish(session: pytest.Session) -> None:
    if not hasattr(session.config, "workerinput"):
        hearing.EARS.find(list(leaks(session.config.stash[_data_dir])))


def pytest_unconfigure(config: pytest.Config) -> None:
    if not hasattr(config, "workerinput") and _data_dir in config.stash:
        world.remove_data_dir(config.stash[_data_dir])


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What takes minutes is run when it is asked for: ``./dev test --long``."""
    if os.environ.get("OKD_LONG") == "1":
        return
    for item in items:
        if item.get_closest_marker("long"):
            item.add_marker(pytest.mark.skip(reason="takes minutes: ./dev test --long"))


@pytest.fixture(scope="session")
def servers(pytestconfig: pytest.Config) -> Iterator[Servers]:
    with ensure(pytestconfig.stash[_data_dir], grace_seconds=world.GRACE_SECONDS) as servers:
        yield servers


@pytest.fixture(scope="module")
def breakable_servers() -> Iterator[Servers]:
    data_dir = world.make_data_dir()
    with ensure(data_dir, grace_seconds=0.1) as servers:
        yield servers
    world.remove_data_dir(data_dir)


@pytest.fixture(scope="session")
async def database_urls(servers: Servers) -> world.DatabaseUrls:
    worker = os.environ.get("PYTEST_XDIST_WORKER", "gw")
    return await world.create_migrated_database(servers, f"okd_{worker}_{uuid4().hex[:8]}")


@pytest.fixture
async def database(database_urls: world.DatabaseUrls) -> AsyncIterator[Database]:
    owner = await asyncpg.connect(database_urls.owner)
    try:
        tables = ", ".join(str(table) for table in METADATA.sorted_tables)
        await owner.execute(f"TRUNCATE {tables}")
    finally:
        await owner.close()
    database = Database(database_urls.app, role="test", pool_size=4)
    yield database
    await database.aclose()


@pytest.fixture
def redis_prefix() -> str:
    return f"test-{uuid4().hex[:12]}"


@pytest.fixture
async def redis_client(servers: Servers, redis_prefix: str) -> AsyncIterator[RedisClient]:
    # Patient: the server is well, and a disk that is busy for a second is no failure of a test.
    client = RedisClient(servers.redis_url, prefix=redis_prefix, timeout_seconds=10.0)
    yield client
    await client.aclose()


@pytest.fixture
def clock() -> SystemClock:
    return SystemClock()


@pytest.fixture(scope="session")
def shared_data() -> Path:
    if world.SHARED_DATA.is_dir():
        return world.SHARED_DATA
    missing = "the recorded Bybit answers are not beside this checkout (shared/data/bybit)"
    if os.environ.get("CI") == "true":
        pytest.fail(missing)
    pytest.skip(missing)
