"""One leader at a time, each with a greater epoch."""

import asyncio
from pathlib import Path

import pytest
from redis.asyncio import Redis

from adapters.redis import RedisClient, RedisLeases
from domain.kernel.failures import Unavailable
from domain.market import Lease, LeaseLost
from tests.world import eventually

NAME = "feed.LINEAR"


@pytest.fixture
def leases(redis_client: RedisClient) -> RedisLeases:
    return RedisLeases(redis_client)


async def won(leases: RedisLeases) -> Lease:
    lease = await leases.try_acquire(NAME)
    assert lease is not None
    return lease


async def test_of_many_who_race_one_wins(leases: RedisLeases) -> None:
    outcomes = await asyncio.gather(*(leases.try_acquire(NAME) for _ in range(20)))

    assert len([lease for lease in outcomes if lease is not None]) == 1


async def test_every_leader_has_a_greater_epoch(leases: RedisLeases) -> None:
    epochs = []
    for _ in range(20):
        lease = await won(leases)
        epochs.append(lease.epoch)
        await lease.release()

    assert epochs == sorted(set(epochs))


async def test_names_do_not_disturb_each_other(leases: RedisLeases) -> None:
    await won(leases)

    assert await leases.try_acquire("feed.SPOT") is not None


async def test_renewing_keeps_it(redis_client: RedisClient, raw: Redis) -> None:
    leases = RedisLeases(redis_client, ttl_seconds=30)
    lease = await won(leases)
    key = redis_client.names.lease(NAME)
    await raw.pexpire(key, 500)

    await lease.renew()

    assert await raw.pttl(key) > 25_000


async def test_a_silent_leader_is_followed_by_another(redis_client: RedisClient) -> None:
    leases = RedisLeases(redis_client, ttl_seconds=0.05)
    first = await won(leases)

    followers: list[Lease] = []

    async def somebody_follows() -> bool:
        follower = await leases.try_acquire(NAME)
        if follower is not None:
            followers.append(follower)
        return follower is not None

    await eventually(somebody_follows)

    assert followers[0].epoch > first.epoch
    with pytest.raises(LeaseLost):
        await first.renew()


async def test_the_old_leader_cannot_release_the_new_one(leases: RedisLeases, raw: Redis) -> None:
    old = await won(leases)
    await raw.delete(leases._names.lease(NAME))
    new = await won(leases)

    await old.release()

    await new.renew()


async def test_a_lease_that_redis_forgot_is_lost(leases: RedisLeases, raw: Redis) -> None:
    lease = await won(leases)
    await raw.delete(leases._names.lease(NAME), leases._names.epoch(NAME))

    with pytest.raises(LeaseLost):
        await lease.renew()

    # Redis lost all its data, and still nobody is taken for a ghost.
    assert (await won(leases)).epoch >= lease.epoch


async def test_releasing_never_raises(tmp_path: Path, leases: RedisLeases) -> None:
    lease = await won(leases)
    nowhere = RedisClient(f"unix://{tmp_path}/none.sock", prefix="test")

    with pytest.raises(Unavailable):
        await RedisLeases(nowhere).try_acquire(NAME)
    lease._leases = RedisLeases(nowhere)  # type: ignore[attr-defined]  # the server is gone
    await lease.release()

    await nowhere.aclose()
