"""Nobody tries all addresses there are: so many new ones a day, per person, in all processes."""

import asyncio

import pytest

from adapters.redis import RedisClient, RedisLookUps
from domain.kernel.failures import Unavailable
from domain.kernel.ids import UserId, new_uuid7

ANN, BOB = UserId(new_uuid7()), UserId(new_uuid7())
DAY = 86_400


async def test_new_ones_are_counted_and_known_ones_are_free(redis_client: RedisClient) -> None:
    look_ups = RedisLookUps(redis_client, per_day=2)

    asked = [await look_ups.wait_seconds(ANN, mark) for mark in ("a", "b", "a", "b")]
    wait = await look_ups.wait_seconds(ANN, "c")

    assert asked == [None] * 4
    assert wait is not None
    assert DAY - 60 < wait <= DAY
    assert await look_ups.wait_seconds(ANN, "a") is None
    assert await look_ups.wait_seconds(BOB, "c") is None


async def test_many_processes_count_together(redis_client: RedisClient) -> None:
    processes = [RedisLookUps(redis_client, per_day=5) for _ in range(4)]

    waits = await asyncio.gather(
        *(processes[n % 4].wait_seconds(ANN, f"mark {n}") for n in range(40))
    )

    assert waits.count(None) == 5


async def test_nobody_is_looked_up_without_counting() -> None:
    away = RedisClient("redis://127.0.0.1:1", prefix="test")
    try:
        with pytest.raises(Unavailable):
            await RedisLookUps(away, per_day=5).wait_seconds(ANN, "a")
    finally:
        await away.aclose()
