"""What one person does is counted once, whichever process they do it through."""

import asyncio

from redis.asyncio import Redis

from adapters.redis import RedisClient
from adapters.redis.allowances import RedisAllowances
from adapters.sandbox.servers import Servers
from domain.kernel.ids import UserId, new_uuid7
from domain.kernel.policy import Rate

ANN, BOB = UserId(new_uuid7()), UserId(new_uuid7())
SLOW = Rate("account", per_minute=5)


async def test_of_many_at_once_as_many_pass_as_may(
    servers: Servers, redis_client: RedisClient, redis_prefix: str
) -> None:
    other = RedisClient(servers.redis_url, prefix=redis_prefix)
    processes = [RedisAllowances(client) for client in (redis_client, other)]

    waits = await asyncio.gather(*(each.take(ANN, SLOW) for each in processes * 10))

    assert sum(wait == 0 for wait in waits) == 5
    # One is worked off every twelve seconds; to ask and be refused costs nothing.
    assert all(11 < wait <= 12 for wait in waits if wait)
    assert await processes[0].take(BOB, SLOW) == 0
    assert await processes[0].take(ANN, Rate("inbox", per_minute=5)) == 0
    async with Redis.from_url(servers.redis_url) as raw:
        keys = [key async for key in raw.scan_iter(f"{redis_prefix}*")]
        lives = [await raw.ttl(key) for key in keys]
    assert len(keys) == 3
    assert all(0 < life <= 60 for life in lives)
    assert not any(str(ANN).encode() in key for key in keys)
    await other.aclose()


async def test_what_was_done_is_worked_off(redis_client: RedisClient) -> None:
    quick = Rate("account", per_minute=600)
    allowances = RedisAllowances(redis_client)
    while not (wait := await allowances.take(ANN, quick)):
        pass

    await asyncio.sleep(wait)

    assert await allowances.take(ANN, quick) == 0


async def test_a_clock_that_was_set_back_locks_nobody_out(
    servers: Servers, redis_client: RedisClient, redis_prefix: str
) -> None:
    allowances = RedisAllowances(redis_client)
    await allowances.take(ANN, SLOW)
    async with Redis.from_url(servers.redis_url) as raw:
        (key,) = [key async for key in raw.scan_iter(f"{redis_prefix}*")]
        await raw.set(key, int(await raw.get(key) or 0) + 86_400_000)

    assert 11 < await allowances.take(ANN, SLOW) <= 12
