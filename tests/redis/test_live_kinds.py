"""The hub with books, trades and candles, at several rates."""

import asyncio
import resource
from collections.abc import AsyncGenerator

import pytest
from redis.asyncio import Redis

from adapters.redis import RedisClient, RedisFeedPublisher, RedisLiveMarket
from domain.kernel.ids import Category, InstrumentId, Symbol
from domain.market import Follow, OrderBook, Trades, Update, book_topic, topic_of
from tests.redis.samples import (
    BTC_BOOK,
    BTC_CANDLES,
    BTC_TRADES,
    EVERYTHING,
    CountingMetrics,
    Feed,
    book,
    candle,
    running,
    soon,
    ticker,
    told,
    trades,
)
from tests.world import eventually

FIRST: list[Update] = [ticker(1), book(1), trades(1, 2), candle(1)]


async def listening(raw: Redis, client: RedisClient, *follows: Follow) -> list[int]:
    channels = [client.names.followed(follow).channel for follow in follows]
    return [int(count) for _, count in await raw.pubsub_numsub(*channels)]


async def test_latest_knows_every_kind(hub: RedisLiveMarket, feed: Feed) -> None:
    await feed.publish(*FIRST)

    assert await hub.latest([f.topic for f in EVERYTHING]) == {topic_of(u): u for u in FIRST}


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (ticker(1), ticker(2)),
        (book(1), book(2)),
        (candle(1), candle(2)),
        (trades(1, 2), trades(3)),
    ],
    ids=["ticker", "book", "candle", "trades"],
)
async def test_first_at_once_then_changes_then_staleness_and_back(
    hub: RedisLiveMarket, feed: Feed, first: Update, second: Update
) -> None:
    await feed.publish(first)
    async with running(hub.run(), feed.run()):
        values = hub.watch(Follow(topic_of(first)))
        assert await soon(values) == first
        await feed.publish(second)
        assert await soon(values) == second

        feed.speaking = False
        stale = await soon(values)
        feed.speaking = True
        fresh = await soon(values)
        await values.aclose()

    if isinstance(second, Trades):
        assert (stale, fresh) == (trades(stale=True), trades())
    else:
        again = (await hub.latest([topic_of(second)]))[topic_of(second)]
        assert stale.stale
        assert fresh == again == second


async def test_rates_are_different_channels(
    hub: RedisLiveMarket,
    redis_client: RedisClient,
    raw: Redis,
) -> None:
    slow = Follow(BTC_BOOK.topic, 1)
    publisher = RedisFeedPublisher(redis_client, always_on=[BTC_BOOK, slow])
    feed = Feed(publisher)
    await feed.publish(book(1))
    async with running(hub.run(), feed.run()):
        seldom, often = hub.watch(slow), hub.watch(BTC_BOOK)
        assert await soon(seldom) == await soon(often) == book(1)
        assert await listening(raw, redis_client, slow, BTC_BOOK) == [1, 1]

        async def both_wanted() -> bool:
            return await publisher.wanted(Category.LINEAR) == {slow, BTC_BOOK}

        await eventually(both_wanted)
        await feed.send(told(book(2), rate=10))
        assert await soon(often) == book(2)
        await feed.send(told(book(3), rate=1))
        assert await soon(seldom) == book(3)
        await seldom.aclose()
        await often.aclose()


async def test_trades_and_candles_have_one_channel_whatever_the_rate(
    hub: RedisLiveMarket, feed: Feed, redis_client: RedisClient, raw: Redis
) -> None:
    await feed.publish(*FIRST)
    slow = [Follow(BTC_TRADES.topic, 1), Follow(BTC_CANDLES.topic, 2)]
    async with running(hub.run(), feed.run()):
        watches = [hub.watch(follow) for follow in (*slow, BTC_TRADES, BTC_CANDLES)]
        for watch in watches:
            assert not (await soon(watch)).stale

        assert await listening(raw, redis_client, *slow, BTC_TRADES, BTC_CANDLES) == [0, 0, 1, 1]
        for watch in watches:
            await watch.aclose()


async def test_a_slow_watcher_misses_no_confirmed_candle(
    hub: RedisLiveMarket, feed: Feed, metrics: CountingMetrics
) -> None:
    await feed.publish(candle(0))
    async with running(hub.run(), feed.run()):
        slow, quick = hub.watch(BTC_CANDLES), hub.watch(BTC_CANDLES)
        assert await soon(slow) == await soon(quick) == candle(0)
        closes = [candle(n, minute=n, confirmed=True) for n in range(3)]
        for n, close in enumerate(closes):
            await feed.publish(candle(100 + n, minute=n), candle(200 + n, minute=n), close)
        await feed.publish(candle(7, minute=3))
        while await soon(quick) != candle(7, minute=3):
            pass

        assert [await soon(slow) for _ in range(4)] == [*closes, candle(7, minute=3)]
        assert metrics.conflated >= 6
        await slow.aclose()
        await quick.aclose()


async def test_a_late_watcher_of_trades_sees_the_last_ones_once(
    hub: RedisLiveMarket, feed: Feed
) -> None:
    await feed.publish(trades(1, 2))
    async with running(hub.run(), feed.run()):
        early = hub.watch(BTC_TRADES)
        assert await soon(early) == trades(1, 2)
        await feed.publish(trades(3))
        assert await soon(early) == trades(3)

        late = hub.watch(BTC_TRADES)

        assert await soon(late) == trades(1, 2, 3)
        await feed.publish(trades(4))
        assert [await soon(early), await soon(late)] == [trades(4)] * 2
        await early.aclose()
        await late.aclose()


async def test_a_topic_left_and_joined_in_one_breath_is_read(
    hub: RedisLiveMarket, feed: Feed
) -> None:
    """Its channel is still subscribed: nobody will say so again."""
    await feed.publish(trades(1))
    async with running(hub.run(), feed.run()):
        for _ in range(20):
            values = hub.watch(BTC_TRADES)
            assert await soon(values) == trades(1)
            await values.aclose()
            for channel in hub._idle:
                hub._idle[channel] = 0
            hub._drop_idle()


async def test_trades_joined_at_any_moment_are_told_once_and_in_order(
    hub: RedisLiveMarket, feed: Feed
) -> None:
    async def trade_on() -> None:
        number = 0
        while True:
            number += 3
            await feed.publish(trades(number, number + 1, number + 2))

    async def follow(wait: int) -> None:
        for _ in range(wait):
            await asyncio.sleep(0)
        values = hub.watch(BTC_TRADES)
        numbers: list[int] = []
        while len(numbers) < 200:
            value = await soon(values)
            assert isinstance(value, Trades)
            assert value.dropped == 0
            numbers += (int(t.id[1:]) for t in value.trades)
        await values.aclose()
        assert numbers == list(range(numbers[0], numbers[0] + len(numbers)))

    async with running(hub.run(), trade_on()):
        await asyncio.gather(*(follow(37 * n) for n in range(20)))


async def test_a_thousand_topics_are_one_connection_and_bounded(
    hub: RedisLiveMarket, redis_client: RedisClient, metrics: CountingMetrics, raw: Redis
) -> None:
    many = [
        Follow(book_topic(InstrumentId(Category.LINEAR, Symbol(f"S{n}USDT")), 50))
        for n in range(1000)
    ]
    feed = Feed(RedisFeedPublisher(redis_client, always_on=many))
    books = [book(levels=50, id=follow.topic.instrument) for follow in many]
    await feed.publish(*books)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    async with running(hub.run(), feed.run()):
        watches = [hub.watch(follow) for follow in many]
        assert [u.stale for u in await asyncio.gather(*map(soon, watches))].count(True) < 1000
        tasks = len(asyncio.all_tasks())
        for sequence in range(2, 6):
            await feed.publish(
                *(book(sequence, levels=50, id=follow.topic.instrument) for follow in many)
            )
        newest = await asyncio.gather(*(_of_sequence(watch, 5) for watch in watches))

        assert len(newest) == 1000
        assert tasks < 20
        assert (metrics.watchers, metrics.topics, metrics.lost) == (1000, 1000, 0)
        for watch in watches:
            await watch.aclose()
        await eventually(lambda: not hub._topics)
    # Kilobytes: about 50 per topic and no more, however many books went through.
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 150_000


async def _of_sequence(values: AsyncGenerator[Update, None], sequence: int) -> Update:
    async with asyncio.timeout(20):
        async for value in values:
            if isinstance(value, OrderBook) and value.sequence == sequence:
                return value
    raise AssertionError("the watch ended")
