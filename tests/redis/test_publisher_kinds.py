"""What is kept of each kind, at which rate it is announced, and what is refused."""

import asyncio

import pytest
from redis.asyncio import Redis

from adapters.redis import RedisClient, RedisFeedPublisher
from adapters.redis.codecs import decode_update
from adapters.redis.frames import decode_frame
from adapters.redis.publisher import TAPE_TRADES_MAX
from domain.kernel.ids import Category, InstrumentId, Symbol
from domain.market import Follow, LeaseLost, Trades, Update, book_topic, topic_of
from tests.redis.samples import (
    BTC_BOOK,
    BTC_TRADES,
    ETH,
    Feed,
    book,
    candle,
    report,
    ticker,
    told,
    trades,
)


async def kept(client: RedisClient, follow: Follow) -> Update | None:
    (raw,) = await client.values([client.names.latest(follow.topic)])
    return None if raw is None else decode_update(decode_frame(raw).data, follow.topic)


async def window(client: RedisClient) -> list[int]:
    value = await kept(client, BTC_TRADES)
    assert isinstance(value, Trades)
    assert value.dropped == 0
    return [int(t.id[1:]) for t in value.trades]


@pytest.mark.parametrize("update", [ticker(), book(), candle(), trades(1, 2)], ids=topic_of)
async def test_the_newest_of_every_kind_is_kept(
    feed: Feed, redis_client: RedisClient, update: Update
) -> None:
    await feed.publish(update)

    assert await kept(redis_client, Follow(topic_of(update))) == update


async def test_each_rate_has_a_channel_and_all_have_one_key(
    redis_client: RedisClient, raw: Redis
) -> None:
    slow = Follow(BTC_BOOK.topic, 1)
    feed = Feed(RedisFeedPublisher(redis_client, always_on=[BTC_BOOK, slow]))
    channels = [redis_client.names.followed(f).channel for f in (slow, BTC_BOOK)]
    assert channels[0].endswith(":changed:LINEAR:book.50:BTCUSDT@1")
    async with raw.pubsub() as listening:
        await listening.subscribe(*channels)

        await feed.send([*told(book(7), rate=1), *told(book(8), rate=10)])

        said: list[tuple[str, Update]] = []
        async with asyncio.timeout(5):
            while len(said) < 2:
                message = await listening.get_message(ignore_subscribe_messages=True, timeout=5)
                if message is not None:
                    data = decode_frame(message["data"]).data
                    said.append((message["channel"].decode(), decode_update(data, BTC_BOOK.topic)))
    assert said == [(channels[0], book(7)), (channels[1], book(8))]
    assert await kept(redis_client, BTC_BOOK) == book(8)


async def test_the_last_trades_are_kept_together_up_to_a_bound(
    feed: Feed, redis_client: RedisClient, raw: Redis
) -> None:
    await feed.publish(trades(1, 2))
    await feed.publish(trades(3))
    assert await window(redis_client) == [1, 2, 3]

    await feed.publish(trades(*range(4, 100)))
    await feed.publish(trades(*range(100, 110)))

    assert await window(redis_client) == list(range(50, 110))
    assert await raw.llen(redis_client.names.tape(BTC_TRADES.topic)) == TAPE_TRADES_MAX
    assert await raw.ttl(redis_client.names.tape(BTC_TRADES.topic)) > 3600


async def test_trades_told_again_are_kept_once(feed: Feed, redis_client: RedisClient) -> None:
    await feed.publish(trades(1, 2))
    before = dict(feed._publisher._chains._chains[Category.LINEAR].last)
    await feed.publish(trades(3, 4))

    # What a publisher does that was told TimedOut: it knows of 1 and 2 only.
    feed._publisher._chains._chains[Category.LINEAR].last = before
    await feed.publish(trades(3, 4, 5))

    assert await window(redis_client) == [1, 2, 3, 4, 5]


async def test_a_window_begins_anew_behind_every_gap(
    feed: Feed, publisher: RedisFeedPublisher, redis_client: RedisClient, raw: Redis
) -> None:
    await feed.publish(trades(1, 2))
    await feed.publish(trades(9, dropped=6))
    assert await window(redis_client) == [9]

    await feed.publish(trades(dropped=1))
    assert await window(redis_client) == []

    await feed.publish(trades(11))
    feed.epoch = 2  # a new leader knows nothing of what was before it
    await feed.publish(trades(13))
    assert await window(redis_client) == [13]

    # Redis comes back without its last second.
    await feed.publish(trades(14))
    await raw.rpop(redis_client.names.tape(BTC_TRADES.topic))
    await feed.publish(trades(15))
    assert await window(redis_client) == [15]


async def test_what_fell_silent_does_not_empty_the_window(
    feed: Feed, redis_client: RedisClient
) -> None:
    await feed.publish(trades(1, 2))
    await feed.publish(trades(stale=True))

    assert await kept(redis_client, BTC_TRADES) == trades(1, 2, stale=True)


async def test_what_was_not_followed_for_a_while_follows_on_nothing(
    redis_client: RedisClient, raw: Redis
) -> None:
    publisher = RedisFeedPublisher(redis_client, always_on=[])
    feed, names = Feed(publisher), redis_client.names
    await raw.zadd(names.wanted(Category.LINEAR), {BTC_TRADES.name: 2**50})
    await feed.publish(trades(1, 2))
    await raw.zadd(names.wanted(Category.LINEAR), {BTC_TRADES.name: 1})
    await publisher.wanted(Category.LINEAR)
    assert not await raw.exists(names.latest(BTC_TRADES.topic), names.tape(BTC_TRADES.topic))

    async with raw.pubsub() as listening:
        await listening.subscribe(names.followed(BTC_TRADES).channel)
        await feed.publish(trades(9))

        async with asyncio.timeout(5):
            while not (said := await listening.get_message(True, timeout=5)):
                pass
    assert decode_frame(said["data"]).data["after"] is None
    # It was on its way when nobody wanted it any more.
    assert not await raw.exists(names.latest(BTC_TRADES.topic), names.tape(BTC_TRADES.topic))


async def test_a_topic_is_kept_while_any_rate_of_it_is_wanted(
    redis_client: RedisClient, raw: Redis
) -> None:
    publisher = RedisFeedPublisher(redis_client, always_on=[])
    slow, wanted = Follow(BTC_BOOK.topic, 1), redis_client.names.wanted(Category.LINEAR)
    await raw.zadd(wanted, {slow.name: 2**50, BTC_BOOK.name: 2**50})
    await publisher.publish(report(), [*told(book(1), rate=1), *told(book(1), rate=10)])

    await raw.zadd(wanted, {BTC_BOOK.name: 1})
    assert await publisher.wanted(Category.LINEAR) == {slow}
    assert await kept(redis_client, BTC_BOOK) == book(1)

    await raw.zadd(wanted, {slow.name: 1})
    assert await publisher.wanted(Category.LINEAR) == frozenset()
    assert await kept(redis_client, BTC_BOOK) is None


async def test_marks_that_are_no_names_are_taken_out_and_counted(
    publisher: RedisFeedPublisher, redis_client: RedisClient, raw: Redis
) -> None:
    wanted = redis_client.names.wanted(Category.LINEAR)
    wrong = ["BTCUSDT", "ticker:X", "ticker:X@3", "ticker:X@ 1", "book:X@1", "book.7:X@1"]
    await raw.zadd(wanted, {b"\xff": 2**50})
    await raw.zadd(wanted, dict.fromkeys([*wrong, BTC_BOOK.name, "candles.HOUR_1:X@10"], 2**50))

    found = await publisher.wanted(Category.LINEAR)

    assert {follow.name for follow in found} == {BTC_BOOK.name, "candles.HOUR_1:X@10"}
    assert publisher.names_refused == len(wrong) + 1
    assert await raw.zcard(wanted) == 2
    # What has expired is not even counted.
    await raw.zadd(wanted, {"nonsense": 1})
    assert await publisher.wanted(Category.LINEAR) == found
    assert publisher.names_refused == len(wrong) + 1


async def test_a_deposed_leader_does_not_touch_the_tape(
    feed: Feed, redis_client: RedisClient
) -> None:
    feed.epoch = 2
    await feed.publish(trades(1))

    feed.epoch = 1
    with pytest.raises(LeaseLost):
        await feed.publish(trades(0))

    assert await window(redis_client) == [1]


async def test_a_thousand_books_go_at_once(redis_client: RedisClient) -> None:
    many = [InstrumentId(Category.LINEAR, Symbol(f"S{n}USDT")) for n in range(1000)]
    publisher = RedisFeedPublisher(
        redis_client, always_on=[Follow(book_topic(i, 50)) for i in many]
    )

    await publisher.publish(report(), told(*(book(levels=50, id=i) for i in many)))

    for i in (many[0], many[-1], ETH):
        found = await kept(redis_client, Follow(book_topic(i, 50)))
        assert found == (None if i is ETH else book(levels=50, id=i))
