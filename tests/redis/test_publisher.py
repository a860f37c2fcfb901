"""What a feed publishes is stored, announced and fenced at once."""

import asyncio

import orjson
import pytest
from redis.asyncio import Redis
from redis.asyncio.client import PubSub

from adapters.redis import RedisClient, RedisFeedPublisher
from adapters.redis.frames import decode_frame, decode_report
from adapters.redis.ticker_codec import decode_ticker
from adapters.redis.wanted import WantedMarks
from domain.kernel.ids import Category, InstrumentId, Symbol
from domain.market import FeedState, Follow, LeaseLost, ticker_topic
from tests.redis.samples import BTC, BTC_TICKER, ETH, report, running, ticker, told
from tests.world import eventually

ETH_TICKER = Follow(ticker_topic(ETH))


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
        await listening.subscribe(
            names.report(Category.LINEAR).channel, names.followed(BTC_TICKER).channel
        )

        await publisher.publish(report(epoch=7), told(ticker()))

        said = [await announced(listening), await announced(listening)]
    kept = await redis_client.values(
        [names.report(Category.LINEAR).key, names.latest(BTC_TICKER.topic)]
    )
    assert kept == said
    heartbeat, price = (decode_frame(frame) for frame in said)
    assert decode_report(heartbeat, Category.LINEAR) == report(epoch=7)
    assert decode_ticker(price.data, BTC) == ticker()
    assert heartbeat.epoch == price.epoch == 7
    assert price.seq > heartbeat.seq


async def test_positions_only_grow(
    publisher: RedisFeedPublisher, redis_client: RedisClient, raw: Redis
) -> None:
    positions = []
    for _ in range(50):
        await publisher.publish(report(), told(ticker()))
        (kept,) = await redis_client.values([redis_client.names.latest(BTC_TICKER.topic)])
        assert kept is not None
        positions.append(decode_frame(kept).position)
    # Redis loses everything: the count goes on by the clock.
    await raw.delete(redis_client.names.fence(Category.LINEAR))
    await publisher.publish(report(), told(ticker()))
    (kept,) = await redis_client.values([redis_client.names.latest(BTC_TICKER.topic)])
    assert kept is not None
    positions.append(decode_frame(kept).position)

    assert positions == sorted(set(positions))
    assert isinstance(orjson.loads(kept)["ts"], int)


async def test_a_deposed_leader_leaves_no_trace(
    publisher: RedisFeedPublisher, redis_client: RedisClient, raw: Redis
) -> None:
    names = redis_client.names
    await publisher.publish(report(epoch=2), told(ticker(2)))
    keys = [names.report(Category.LINEAR).key, names.latest(BTC_TICKER.topic)]
    before = await redis_client.values(keys)

    async with raw.pubsub() as listening:
        await listening.subscribe(
            names.report(Category.LINEAR).channel, names.followed(BTC_TICKER).channel
        )
        with pytest.raises(LeaseLost):
            await publisher.publish(report(epoch=1, state=FeedState.SILENT), told(ticker(1)))

        assert await redis_client.values(keys) == before
        await publisher.publish(report(epoch=2), [])
        assert decode_frame(await announced(listening)).epoch == 2


async def test_categories_are_fenced_apart(publisher: RedisFeedPublisher) -> None:
    await publisher.publish(report(epoch=9), [])

    await publisher.publish(report(epoch=1, category=Category.SPOT), [])


async def test_the_report_dies_with_its_feed(
    publisher: RedisFeedPublisher, redis_client: RedisClient, raw: Redis
) -> None:
    await publisher.publish(report(), told(ticker()))

    assert 0 < await raw.pttl(redis_client.names.report(Category.LINEAR).key) <= 2000
    assert await raw.ttl(redis_client.names.latest(BTC_TICKER.topic)) > 3600


async def test_wanted_is_what_was_marked_and_not_expired(
    publisher: RedisFeedPublisher, redis_client: RedisClient, raw: Redis
) -> None:
    marks = WantedMarks(redis_client, lambda: [BTC_TICKER, ETH_TICKER])

    async def marked() -> bool:
        return bool(await publisher.wanted(Category.LINEAR))

    async with running(marks.run()):
        await eventually(marked)

    assert await publisher.wanted(Category.LINEAR) == {BTC_TICKER, ETH_TICKER}
    assert await publisher.wanted(Category.SPOT) == frozenset()
    await raw.zadd(redis_client.names.wanted(Category.LINEAR), {ETH_TICKER.name: 1})
    assert await publisher.wanted(Category.LINEAR) == {BTC_TICKER}
    assert await raw.zcard(redis_client.names.wanted(Category.LINEAR)) == 1


async def test_what_nobody_wants_any_more_is_forgotten(
    publisher: RedisFeedPublisher, redis_client: RedisClient, raw: Redis
) -> None:
    wanted, key = (
        redis_client.names.wanted(Category.LINEAR),
        redis_client.names.latest(ETH_TICKER.topic),
    )
    await raw.zadd(wanted, {ETH_TICKER.name: 2**50})
    await publisher.publish(report(), told(ticker(), ticker(id=ETH)))
    assert await raw.exists(key)

    await raw.zadd(wanted, {ETH_TICKER.name: 1, BTC_TICKER.name: 1})
    await publisher.wanted(Category.LINEAR)
    await publisher.publish(report(), told(ticker(id=ETH)))  # it was on its way

    # Kept, it would be shown as fresh to whoever asks next week. BTCUSDT is always followed.
    assert not await raw.exists(key)
    assert await raw.exists(redis_client.names.latest(BTC_TICKER.topic))


async def test_wanted_is_bounded_and_the_last_seen_win(
    redis_client: RedisClient, raw: Redis
) -> None:
    publisher = RedisFeedPublisher(redis_client, always_on=[], wanted_max=2)
    await raw.zadd(
        redis_client.names.wanted(Category.LINEAR),
        {f"ticker:{s}@10": 2**n for n, s in enumerate("ABC", 50)},
    )

    assert await publisher.wanted(Category.LINEAR) == {
        Follow(ticker_topic(InstrumentId(Category.LINEAR, Symbol(s)))) for s in "BC"
    }


async def test_a_thousand_tickers_go_at_once(redis_client: RedisClient) -> None:
    many = [InstrumentId(Category.LINEAR, Symbol(f"S{n}USDT")) for n in range(1000)]
    publisher = RedisFeedPublisher(redis_client, always_on=[Follow(ticker_topic(i)) for i in many])

    await publisher.publish(report(), told(*(ticker(id=i) for i in many)))

    kept = await redis_client.values([redis_client.names.latest(ticker_topic(i)) for i in many])
    assert all(kept)
