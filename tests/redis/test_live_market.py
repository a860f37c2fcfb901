"""The hub: one connection, any number of watchers."""

import asyncio
from decimal import Decimal

import pytest
from redis.asyncio import Redis

from adapters.redis import DropReason, RedisClient, RedisFeedPublisher, RedisLiveMarket
from domain.kernel.ids import Category, InstrumentId, Symbol
from domain.market import FeedState, Follow, Ticker, Update, ticker_topic
from tests.redis.samples import (
    BTC,
    BTC_TICKER,
    CLOCK,
    ETH,
    SPOT_BTC,
    CountingMetrics,
    Feed,
    report,
    running,
    soon,
    ticker,
    told,
    until_stale,
)
from tests.world import eventually


def ticks(instrument: InstrumentId) -> Follow:
    return Follow(ticker_topic(instrument))


def price(update: Update) -> Decimal:
    assert isinstance(update, Ticker)
    return update.last_price


async def subscribers(raw: Redis, client: RedisClient, follow: Follow = BTC_TICKER) -> int:
    ((_, count),) = await raw.pubsub_numsub(client.names.followed(follow).channel)
    return int(count)


async def wants(publisher: RedisFeedPublisher, instrument: InstrumentId) -> bool:
    return ticks(instrument) in await publisher.wanted(instrument.category)


async def stored(raw: Redis, key: str) -> bytes:
    value = await raw.get(key)
    assert isinstance(value, bytes)
    return value


async def test_the_newest_at_once_then_every_change(hub: RedisLiveMarket, feed: Feed) -> None:
    await feed.publish(ticker(1))
    async with running(hub.run(), feed.run()):
        values = hub.watch(ticks(BTC))
        first = await soon(values)
        await feed.publish(ticker(2))
        second = await soon(values)
        await feed.publish(ticker(2), ticker(9, ETH), ticker(9, SPOT_BTC))
        await feed.publish(ticker(3))
        third = await soon(values)
        await values.aclose()

    assert (first, second, third) == (ticker(1), ticker(2), ticker(3))


async def test_one_subscription_serves_all_watchers(
    hub: RedisLiveMarket,
    feed: Feed,
    raw: Redis,
    redis_client: RedisClient,
    metrics: CountingMetrics,
) -> None:
    await feed.publish(ticker(1))
    async with running(hub.run(), feed.run()):
        watches = [hub.watch(ticks(BTC)) for _ in range(50)]
        assert await asyncio.gather(*(soon(w) for w in watches)) == [ticker(1)] * 50

        assert await subscribers(raw, redis_client) == 1
        assert (metrics.watchers, metrics.topics) == (50, 1)
        await feed.publish(ticker(2))
        assert await asyncio.gather(*(soon(w) for w in watches)) == [ticker(2)] * 50
        for watch in watches:
            await watch.aclose()


async def test_a_topic_lingers_and_is_left(
    hub: RedisLiveMarket,
    feed: Feed,
    raw: Redis,
    redis_client: RedisClient,
    metrics: CountingMetrics,
) -> None:
    await feed.publish(ticker(1))
    async with running(hub.run(), feed.run()):
        values = hub.watch(ticks(BTC))
        await soon(values)
        await values.aclose()
        assert await subscribers(raw, redis_client) == 1

        back = hub.watch(ticks(BTC))
        assert await soon(back, seconds=0.1) == ticker(1)
        await back.aclose()

        async def nobody_listens() -> bool:
            return await subscribers(raw, redis_client) == 0

        await eventually(nobody_listens)
        assert (metrics.watchers, metrics.topics) == (0, 0)
        again = hub.watch(ticks(BTC))
        assert await soon(again) == ticker(1)
        await again.aclose()


async def test_watchers_that_go_leave_no_trace(
    hub: RedisLiveMarket, feed: Feed, metrics: CountingMetrics
) -> None:
    await feed.publish(ticker(1))

    async def watch(seen: asyncio.Event) -> None:
        async for _ in hub.watch(ticks(BTC)):
            seen.set()

    async with running(hub.run(), feed.run()):
        never_begun = hub.watch(ticks(ETH))
        await never_begun.aclose()
        async with asyncio.TaskGroup() as tasks:
            marks = [asyncio.Event() for _ in range(20)]
            watches = [tasks.create_task(watch(mark)) for mark in marks]
            await asyncio.gather(*(mark.wait() for mark in marks))
            assert metrics.watchers == 20
            for task in watches:
                task.cancel()
        await eventually(lambda: not hub._topics)

    assert (metrics.watchers, metrics.topics) == (0, 0)
    assert hub._idle == {}
    assert len(hub._listener._places) == len(Category)  # the reports


async def test_a_first_watcher_waits_for_the_first_price(
    hub: RedisLiveMarket, feed: Feed, publisher: RedisFeedPublisher
) -> None:
    async with running(hub.run(), feed.run()), asyncio.TaskGroup() as tasks:
        first = tasks.create_task(soon(hub.watch(ticks(ETH))))
        await eventually(lambda: wants(publisher, ETH))
        assert not first.done()
        while not first.done():
            await feed.publish(ticker(1, ETH))
            await asyncio.sleep(0.05)

    assert first.result() == ticker(1, ETH)


async def test_nothing_falls_between_subscribing_and_reading(
    hub: RedisLiveMarket, feed: Feed
) -> None:
    """A price that changes all the time is joined at any moment and never seen going back."""
    symbols = [InstrumentId(Category.LINEAR, Symbol(f"S{n}USDT")) for n in range(20)]

    async def change() -> None:
        price = 0
        while True:
            price += 1
            await feed.publish(*(ticker(price, s) for s in symbols))

    async def follow(instrument: InstrumentId) -> list[Update]:
        values = hub.watch(ticks(instrument))
        seen = [await soon(values) for _ in range(30)]
        await values.aclose()
        return seen

    async with running(hub.run(), change()):
        followed = await asyncio.gather(*(follow(s) for s in symbols))

    for seen in followed:
        prices = [price(value) for value in seen]
        assert prices == sorted(set(prices))


async def test_late_and_foreign_frames_are_dropped(
    hub: RedisLiveMarket,
    feed: Feed,
    raw: Redis,
    redis_client: RedisClient,
    metrics: CountingMetrics,
) -> None:
    channel = redis_client.names.followed(ticks(BTC)).channel
    key = redis_client.names.followed(ticks(BTC)).key
    await feed.publish(ticker(1))
    old = await stored(raw, key)
    async with running(hub.run(), feed.run()):
        values = hub.watch(ticks(BTC))
        await soon(values)
        await feed.publish(ticker(2))
        assert price(await soon(values)) == 2

        metrics.dropped.clear()
        await raw.publish(channel, old)
        await raw.publish(channel, b"noise")
        await raw.publish(channel, old.replace(b"BTCUSDT", b"ETHUSDT").replace(b":1,", b":99,"))
        await feed.publish(ticker(3))

        assert price(await soon(values)) == 3
        await values.aclose()

    assert metrics.dropped == [DropReason.OLD, DropReason.CORRUPT, DropReason.CORRUPT]


async def test_a_new_leader_is_followed_and_its_ghost_is_not(
    hub: RedisLiveMarket, feed: Feed, raw: Redis, redis_client: RedisClient
) -> None:
    names = redis_client.names.followed(ticks(BTC))
    await feed.publish(ticker(1))
    of_the_old = await stored(raw, names.key)
    async with running(hub.run()):
        values = hub.watch(ticks(BTC))
        await soon(values)
        feed.epoch = 2
        await feed.publish(ticker(2))
        async with asyncio.timeout(5):
            while price(value := await anext(values)) != 2:
                pass

        # Even a frame with a greater number, when its leader is older.
        await raw.publish(names.channel, of_the_old.replace(b'"seq":', b'"seq":9'))
        await feed.publish(ticker(3))

        value = await soon(values)
        assert price(value) == 3
        await values.aclose()


async def test_silence_of_the_feed_is_pushed_and_so_is_its_return(
    hub: RedisLiveMarket, feed: Feed
) -> None:
    await feed.publish(ticker(1))
    async with running(hub.run(), feed.run()):
        watches = [hub.watch(ticks(BTC)) for _ in range(3)]
        assert [(await soon(w)).stale for w in watches] == [False] * 3

        feed.speaking = False
        began = asyncio.get_running_loop().time()
        stale = await asyncio.gather(*(soon(w) for w in watches))
        assert stale == [ticker(1, stale=True)] * 3
        assert 1.5 < asyncio.get_running_loop().time() - began < 4
        assert hub.reports()[Category.LINEAR].state is FeedState.DISCONNECTED
        assert (await hub.latest([ticker_topic(BTC)]))[ticker_topic(BTC)] == ticker(1, stale=True)

        feed.speaking = True
        assert await asyncio.gather(*(soon(w) for w in watches)) == [ticker(1)] * 3
        assert hub.reports()[Category.LINEAR] == report()
        assert (await hub.latest([ticker_topic(BTC)]))[ticker_topic(BTC)] == ticker(1)
        for watch in watches:
            await watch.aclose()


@pytest.mark.parametrize("state", [FeedState.SILENT, FeedState.DISCONNECTED, FeedState.STARTING])
async def test_a_feed_that_is_not_live_makes_its_prices_stale_at_once(
    hub: RedisLiveMarket, feed: Feed, state: FeedState
) -> None:
    await feed.publish(ticker(1))
    async with running(hub.run(), feed.run()):
        values = hub.watch(ticks(BTC))
        assert not (await soon(values)).stale

        feed.state = state
        await feed.publish()

        assert await soon(values, seconds=1.5) == ticker(1, stale=True)
        assert hub.reports()[Category.LINEAR].state is state
        assert (await hub.latest([ticker_topic(BTC)]))[ticker_topic(BTC)].stale
        await values.aclose()


async def test_one_category_does_not_make_another_stale(
    hub: RedisLiveMarket, feed: Feed, publisher: RedisFeedPublisher
) -> None:
    await feed.publish(ticker(1))
    async with running(hub.run(), feed.run()):
        values = hub.watch(ticks(BTC))
        await soon(values)

        await publisher.publish(
            report(category=Category.SPOT, state=FeedState.SILENT), told(ticker(5, SPOT_BTC))
        )
        found = await hub.latest([ticker_topic(BTC), ticker_topic(SPOT_BTC)])

        assert found == {
            ticker_topic(BTC): ticker(1),
            ticker_topic(SPOT_BTC): ticker(5, SPOT_BTC, stale=True),
        }
        await feed.publish(ticker(2))
        assert await soon(values) == ticker(2)
        await values.aclose()


async def test_latest_leaves_out_what_is_not_known(
    hub: RedisLiveMarket, feed: Feed, raw: Redis, redis_client: RedisClient
) -> None:
    await feed.publish(ticker(1))
    await raw.set(redis_client.names.followed(ticks(ETH)).key, b"noise")

    assert await hub.latest([ticker_topic(i) for i in (ETH, BTC, SPOT_BTC)]) == {
        ticker_topic(BTC): ticker(1)
    }
    assert await hub.latest([]) == {}


async def test_a_feed_never_heard_of_is_disconnected(hub: RedisLiveMarket) -> None:
    reports = hub.reports()

    assert {r.state for r in reports.values()} == {FeedState.DISCONNECTED}
    assert set(reports) == set(Category)


async def test_watched_symbols_are_wanted_and_renewed_together(
    hub: RedisLiveMarket, feed: Feed, publisher: RedisFeedPublisher
) -> None:
    await feed.publish(ticker(1), ticker(1, ETH))
    async with running(hub.run(), feed.run()):
        first, second = hub.watch(ticks(BTC)), hub.watch(ticks(SPOT_BTC))
        await soon(first)
        waiting = asyncio.ensure_future(anext(second))
        await eventually(lambda: wants(publisher, SPOT_BTC), within_seconds=3)

        assert await publisher.wanted(Category.LINEAR) == {ticks(BTC)}
        assert await publisher.wanted(Category.SPOT) == {ticks(SPOT_BTC)}
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)
        await first.aclose()


async def test_a_turn_of_the_feed_reaches_a_late_watcher_right(
    hub: RedisLiveMarket, feed: Feed
) -> None:
    feed.state = FeedState.DISCONNECTED
    await feed.publish(ticker(1))
    async with running(hub.run(), feed.run()):
        values = hub.watch(ticks(BTC))
        assert (await soon(values)).stale

        feed.state = FeedState.LIVE

        assert await until_stale(values, stale=False) == ticker(1)
        await values.aclose()


async def test_stopping_at_any_moment_stops(redis_client: RedisClient, feed: Feed) -> None:
    """Python 3.11's wait_for inside of redis-py once swallowed what should have ended us."""
    await feed.publish(ticker(1))
    for moment in range(300):
        hub = RedisLiveMarket(
            redis_client, clock=CLOCK, categories=list(Category), linger_seconds=0
        )
        async with asyncio.timeout(10), running(hub.run()):
            values = hub.watch(ticks(BTC))
            if moment % 3:
                await soon(values)
            await values.aclose()
            hub._drop_idle()
            for _ in range(moment % 10):
                await asyncio.sleep(0)
