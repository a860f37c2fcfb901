"""The feed's and the hub's side of one Valkey, under this test's prefix."""

from collections.abc import AsyncIterator

import pytest
from redis.asyncio import Redis

from adapters.redis import RedisClient, RedisFeedPublisher, RedisLiveMarket
from adapters.sandbox.servers import Servers
from domain.kernel.ids import Category
from tests.redis.samples import CLOCK, EVERYTHING, SPOT_TICKER, CountingMetrics, Feed


@pytest.fixture
async def raw(servers: Servers) -> AsyncIterator[Redis]:
    """Valkey without anything of ours in between."""
    async with Redis.from_url(servers.redis_url) as raw:
        yield raw


@pytest.fixture
def publisher(redis_client: RedisClient) -> RedisFeedPublisher:
    return RedisFeedPublisher(redis_client, always_on=[*EVERYTHING, SPOT_TICKER])


@pytest.fixture
def feed(publisher: RedisFeedPublisher) -> Feed:
    return Feed(publisher)


@pytest.fixture
def metrics() -> CountingMetrics:
    return CountingMetrics()


@pytest.fixture
def hub(redis_client: RedisClient, metrics: CountingMetrics) -> RedisLiveMarket:
    return RedisLiveMarket(
        redis_client,
        clock=CLOCK,
        categories=list(Category),
        linger_seconds=0.3,
        metrics=metrics,
    )
