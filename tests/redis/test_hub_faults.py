"""Redis dies and comes back, or its packets get lost: watchers notice ``stale`` and no more."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from adapters.redis import RedisClient, RedisFeedPublisher, RedisLeases, RedisLiveMarket
from adapters.sandbox.servers import Servers, ServerStatus
from domain.kernel.failures import Failure
from domain.kernel.ids import Category
from domain.market import LeaseLost
from tests.redis.samples import (
    BTC_TICKER,
    CLOCK,
    CountingMetrics,
    Feed,
    running,
    soon,
    ticker,
    until_stale,
)
from tests.world import Swallower, eventually


@pytest.fixture
async def client(breakable_servers: Servers, redis_prefix: str) -> AsyncIterator[RedisClient]:
    client = RedisClient(breakable_servers.redis_url, prefix=redis_prefix)
    yield client
    await client.aclose()


def hub_over(client: RedisClient, metrics: CountingMetrics) -> RedisLiveMarket:
    return RedisLiveMarket(client, clock=CLOCK, categories=list(Category), metrics=metrics)


def valkey(servers: Servers) -> ServerStatus:
    status = servers.status()
    assert status is not None
    return status.servers["valkey"]


async def test_a_killed_redis_is_staleness_and_then_life_again(
    breakable_servers: Servers, client: RedisClient, metrics: CountingMetrics
) -> None:
    feed = Feed(RedisFeedPublisher(client, always_on=[BTC_TICKER]))
    hub = hub_over(client, metrics)
    pid = valkey(breakable_servers).pid
    assert pid is not None
    async with running(hub.run(), feed.run()):
        await feed.publish(ticker(1))
        values = hub.watch(BTC_TICKER)
        assert not (await soon(values)).stale

        # Not killed yet: stopped, so that its keeper does not bring it back before it is missed.
        os.kill(pid, signal.SIGSTOP)
        assert await soon(values) == ticker(1, stale=True)
        with pytest.raises(Failure):
            await hub.latest([BTC_TICKER.topic])
        os.kill(pid, signal.SIGKILL)

        assert await until_stale(values, stale=False) == ticker(1)
        assert valkey(breakable_servers).pid != pid
        await feed.publish(ticker(2))
        assert await soon(values) == ticker(2)
        assert (await hub.latest([BTC_TICKER.topic]))[BTC_TICKER.topic] == ticker(2)
        await values.aclose()
    assert metrics.lost >= 1


async def test_a_short_restart_is_not_even_noticed(
    breakable_servers: Servers, client: RedisClient, metrics: CountingMetrics
) -> None:
    feed = Feed(RedisFeedPublisher(client, always_on=[BTC_TICKER]))
    hub = hub_over(client, metrics)
    async with running(hub.run(), feed.run()):
        await feed.publish(ticker(1))
        values = hub.watch(BTC_TICKER)
        await soon(values)

        pid = valkey(breakable_servers).pid
        assert pid is not None
        os.kill(pid, signal.SIGKILL)
        await eventually(lambda: valkey(breakable_servers).pid != pid, within_seconds=30)
        await eventually(lambda: valkey(breakable_servers).ready, within_seconds=30)
        await feed.publish(ticker(2))

        # Perhaps stale in between on a busy machine, and never anything older.
        while (value := await soon(values)) != ticker(2):
            assert value in (ticker(1, stale=True), ticker(1), ticker(2, stale=True))
        await values.aclose()


async def test_what_changed_while_deaf_is_read_again(
    breakable_servers: Servers, client: RedisClient, metrics: CountingMetrics
) -> None:
    socket = Path(breakable_servers.redis_url.removeprefix("unix://"))
    feed = Feed(RedisFeedPublisher(client, always_on=[BTC_TICKER]))
    async with Swallower(socket).running() as network:
        far = RedisClient(
            f"redis://127.0.0.1:{network.port}",
            prefix=client.names.prefix,
            timeout_seconds=0.3,
        )
        hub = hub_over(far, metrics)
        async with running(hub.run(), feed.run()):
            await feed.publish(ticker(1))
            values = hub.watch(BTC_TICKER)
            assert not (await soon(values)).stale

            network.swallowing = True
            assert await soon(values) == ticker(1, stale=True)
            await feed.publish(ticker(2))  # nobody there hears it
            await eventually(lambda: metrics.lost > 0)
            network.swallowing = False

            assert await until_stale(values, stale=False) == ticker(2)
            await values.aclose()
        await far.aclose()


async def test_watching_before_redis_is_there(
    breakable_servers: Servers, client: RedisClient, metrics: CountingMetrics
) -> None:
    socket = Path(breakable_servers.redis_url.removeprefix("unix://"))
    feed = Feed(RedisFeedPublisher(client, always_on=[BTC_TICKER]))
    await feed.publish(ticker(1))
    async with Swallower(socket).running() as network:
        network.swallowing = True
        far = RedisClient(
            f"redis://127.0.0.1:{network.port}",
            prefix=client.names.prefix,
            timeout_seconds=0.2,
        )
        hub = hub_over(far, metrics)
        async with running(hub.run(), feed.run()), asyncio.TaskGroup() as tasks:
            values = hub.watch(BTC_TICKER)
            first = tasks.create_task(soon(values))
            await eventually(lambda: metrics.lost > 1)
            assert not first.done()

            network.swallowing = False

            assert await first in (ticker(1), ticker(1, stale=True))
            await values.aclose()
        await far.aclose()


async def test_a_lease_ends_with_the_redis_that_forgot_it(
    breakable_servers: Servers, client: RedisClient
) -> None:
    lease = await RedisLeases(client, ttl_seconds=0.5).try_acquire("feed.LINEAR")
    assert lease is not None
    pid = valkey(breakable_servers).pid
    assert pid is not None

    os.kill(pid, signal.SIGSTOP)
    with pytest.raises(Failure):
        await lease.renew()
    os.kill(pid, signal.SIGKILL)

    async def outcome() -> type[Exception]:
        async with asyncio.timeout(30):
            while True:
                try:
                    await lease.renew()
                except LeaseLost as lost:
                    return type(lost)
                except Failure:
                    await asyncio.sleep(0.01)

    assert await outcome() is LeaseLost
