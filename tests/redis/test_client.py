"""Calls end in time and in the domain's words, whatever Redis does."""

import asyncio
import time
from pathlib import Path

import pytest
from redis.asyncio import Redis

from adapters.redis import RedisClient
from adapters.sandbox.servers import Servers
from domain.kernel.failures import TimedOut, Unavailable
from tests.world import Swallower


def socket_of(servers: Servers) -> Path:
    return Path(servers.redis_url.removeprefix("unix://"))


async def test_lost_packets_cost_the_deadline_and_no_more(servers: Servers) -> None:
    async with Swallower(socket_of(servers)).running() as network:
        client = RedisClient(
            f"redis://127.0.0.1:{network.port}", prefix="test", timeout_seconds=0.3
        )
        script = client.script("return 1")
        await client.ping()

        network.swallowing = True
        for call in (client.ping(), client.values(["a"]), script(keys=[], args=[])):
            began = time.monotonic()
            with pytest.raises(TimedOut, match="cache"):
                await call
            assert time.monotonic() - began < 0.8

        network.swallowing = False
        await client.ping()
        await client.aclose()


async def test_nobody_at_the_address_is_unavailable(tmp_path: Path) -> None:
    client = RedisClient(f"unix://{tmp_path}/none.sock", prefix="test")

    with pytest.raises(Unavailable, match="cache"):
        await client.ping()
    await client.aclose()


async def test_more_callers_than_connections_wait(servers: Servers, raw: Redis) -> None:
    client = RedisClient(servers.redis_url, prefix="test", connections_max=2)
    before = int((await raw.info("clients"))["connected_clients"])

    await asyncio.gather(*(client.ping() for _ in range(50)))

    assert int((await raw.info("clients"))["connected_clients"]) <= before + 10
    assert client._pool.max_connections == 2
    await client.aclose()


async def test_no_connection_in_time_is_a_failure(servers: Servers) -> None:
    client = RedisClient(servers.redis_url, prefix="test", connections_max=1, timeout_seconds=0.2)
    script = client.script("return 1")
    held = await client._pool.get_connection()  # type: ignore[no-untyped-call]  # redis-py's

    with pytest.raises((Unavailable, TimedOut)):
        await script(keys=[], args=[])

    await client._pool.release(held)
    assert await script(keys=[], args=[]) == 1
    await client.aclose()


async def test_a_cancelled_call_does_not_mix_up_the_next(redis_client: RedisClient) -> None:
    echo = redis_client.script("return ARGV[1]")

    for n in range(50):
        async with asyncio.TaskGroup() as tasks:
            call = tasks.create_task(echo(keys=[], args=[f"cancelled {n}"]))
            for _ in range(n % 7):
                await asyncio.sleep(0)
            call.cancel()
        assert await echo(keys=[], args=[n]) == str(n).encode()


async def test_scripts_survive_a_server_that_forgot_them(
    redis_client: RedisClient, raw: Redis
) -> None:
    script = redis_client.script("return 42")
    await script(keys=[], args=[])

    await raw.script_flush()

    assert await script(keys=[], args=[]) == 42


async def test_no_keys_need_no_call(tmp_path: Path) -> None:
    client = RedisClient(f"unix://{tmp_path}/none.sock", prefix="test")

    assert await client.values([]) == []
    await client.aclose()
