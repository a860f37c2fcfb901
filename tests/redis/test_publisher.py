"""What a feed publishes is stored, announced and fenced at once."""

import asyncio

import orjson
import pytest
from redis.asyncio import Redis
from redis.asyncio.client import PubSub

from adapters.redis import RedisClient, RedisFeedPublisher
from adapters.redis.frames import decode_frame, decode_report, decode_ticker
from adapters.redis.wanted import WantedMarks
from domain.kernel.ids import Category, InstrumentId, Symbol
from domain.market import FeedState, LeaseLost
from tests.redis.samples import BTC, ETH, report, running, ticker
from tests.world import eventually


async def announced(listening: PubSub) -> bytes:
    async with asyncio.timeout(5):
        while True:
            said = await listening.get_message(ignore_subscribe_messages=True, timeout=5)
            if said is not None:
                return bytes(said["data"])


async def test_stores_and_announces_the_same(
    publisher: RedisFeedPublisher, redis_client: RedisClient, raw: Redis
) -> None:
    names = redis_client.names
    async with raw.pubsub() as listening:
        await listening.subscribe(names.report(Category.LINEAR).channel, names.ticker(BTC).channel)

        await publisher.publish(report(epoch=7), [ticker()])

        told = [await announced(listening), await announced(listening)]
    kept = await redis_client.values([names.report(Category.LINEAR).key, names.ticker(BTC).key])
    assert kept == told
    heartbeat, price = (decode_frame(frame) for frame in told)
    assert decode_report(heartbeat, Category.LINEAR) == report(epoch=7)
    assert decode_ticker(price.data, BTC) == ticker()
    assert heartbeat.epoch == price.epoch == 7
    assert price.seq > heartbeat.seq


async def test_positions_only_grow(
    publisher: RedisFeedPublisher, redis_client: RedisClient, raw: Redis
) -> None:
    positions = []
    for _ in range(50):
        await publisher.publish(report(), [ticker()])
        (kept,) = await redis_client.values([redis_client.names.ticker(BTC).key])
        assert kept is not None
        positions.append(decode_frame(kept).position)
    # Redis loses everything: the count goes on by the clock.
    await raw.delete(redis_client.names.fence(Category.LINEAR))
    await publisher.publish(report(), [ticker()])
    (kept,) = await redis_client.values([redis_client.names.ticker(BTC).key])
    assert kept is not None
    positions.append(decode_frame(kept).position)

    assert positions == sorted(set(positions))
    assert isinstance(orjson.loads(kept)["ts"], int)


async def test_a_deposed_leader_leaves_no_trace(
    publisher: RedisFeedPublisher, redis_client: RedisClient, raw: Redis
) -> None:
    names = redis_client.names
    await publisher.publish(report(epoch=2), [ticker(2)])
    keys = [names.report(Category.LINEAR).key, names.ticker(BTC).key]
    before = await redis_client.values(keys)

    async with raw.pubsub() as listening:
        await listening.subscribe(names.report(Category.LINEAR).channel, names.ticker(BTC).channel)
        with pytest.raises(LeaseLost):
            await publisher.publish(report(epoch=1, state=FeedState.SILENT), [ticker(1)])

        assert await redis_client.values(keys) == before
        await publisher.publish(report(epoch=2), [])
        assert decode_frame(await announced(listening)).epoch == 2


async def test_categories_are_fenced_apart(publisher: RedisFeedPublisher) -> None:
    await publisher.publish(report(epoch=9), [])

    await publisher.publish(report(epoch=1, category=Category.SPOT), [])


async def test_the_report_dies_with_its_feed(
    publisher: RedisFeedPublisher, redis_client: RedisClient, raw: Redis
) -> None:
    await publisher.publish(report(), [ticker()])

    assert 0 < await raw.pttl(redis_client.names.report(Category.LINEAR).key) <= 2000
    assert await raw.ttl(redis_client.names.ticker(BTC).key) > 3600


async def test_wanted_is_what_was_marked_and_not_expired(
    publisher: RedisFeedPublisher, redis_client: RedisClient, raw: Redis
) -> None:
    marks = WantedMarks(redis_client, lambda: [BTC, ETH])

    async def marked() -> bool:
        return bool(await publisher.wanted(Category.LINEAR))

    async with running(marks.run()):
        await eventually(marked)

    assert await publisher.wanted(Category.LINEAR) == {BTC.symbol, ETH.symbol}
    assert await publisher.wanted(Category.SPOT) == frozenset()
    await raw.zadd(redis_client.names.wanted(Category.LINEAR), {ETH.symbol: 1})
    assert await publisher.wanted(Category.LINEAR) == {BTC.symbol}
    assert await raw.zcard(redis_client.names.wanted(Category.LINEAR)) == 1


async def test_what_nobody_wants_any_more_is_forgotten(
    publisher: RedisFeedPublisher, redis_client: RedisClient, raw: Redis
) -> None:
    wanted, key = redis_client.names.wanted(Category.LINEAR), redis_client.names.ticker(ETH).key
    await raw.zadd(wanted, {ETH.symbol: 2**50})
    await publisher.publish(report(), [ticker(), ticker(id=ETH)])
    assert await raw.exists(key)

    await raw.zadd(wanted, {ETH.symbol: 1, BTC.symbol: 1})
    await publisher.wanted(Category.LINEAR)
    await publisher.publish(report(), [ticker(id=ETH)])  # it was on its way

    # Kept, it would be shown as fresh to whoever asks next week. BTCUSDT is always followed.
    assert not await raw.exists(key)
    assert await raw.exists(redis_client.names.ticker(BTC).key)


async def test_wanted_is_bounded_and_the_last_seen_win(
    redis_client: RedisClient, raw: Redis
) -> None:
    publisher = RedisFeedPublisher(redis_client, always_on=[], wanted_max=2)
    await raw.zadd(redis_client.names.wanted(Category.LINEAR), {"A": 2**50, "B": 2**51, "C": 2**52})

    assert await publisher.wanted(Category.LINEAR) == {"B", "C"}


async def test_a_thousand_tickers_go_at_once(redis_client: RedisClient) -> None:
    many = [InstrumentId(Category.LINEAR, Symbol(f"S{n}USDT")) for n in range(1000)]
    publisher = RedisFeedPublisher(redis_client, always_on=[i.symbol for i in many])

    await publisher.publish(report(), [ticker(id=i) for i in many])

    kept = await redis_client.values([redis_client.names.ticker(i).key for i in many])
    assert all(kept)
