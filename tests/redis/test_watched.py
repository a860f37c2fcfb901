"""One instrument in memory: never back in time, conflated, with the feed's state laid over."""

import asyncio
from contextlib import aclosing
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from adapters.redis import NullHubMetrics
from adapters.redis.metrics import HubMetrics
from adapters.redis.names import Names
from adapters.redis.ticker_codec import encode_ticker
from adapters.redis.watched import LatestTopic
from domain.market import Ticker, Update
from tests.redis.samples import BTC_TICKER, CountingMetrics, soon, ticker

positions = st.tuples(st.integers(0, 4), st.integers(0, 40))


def topic(metrics: HubMetrics | None = None) -> LatestTopic:
    metrics = metrics or NullHubMetrics()
    return LatestTopic(BTC_TICKER, Names("test").followed(BTC_TICKER), metrics)


def offer(topic: LatestTopic, position: tuple[int, int], value: Ticker, *, live: bool) -> None:
    topic.overlay(live=live)
    topic.hear(b'{"epoch":%d,"seq":%d,"ts":0,"data":%b}' % (*position, encode_ticker(value)))


def price(update: Update) -> Decimal:
    assert isinstance(update, Ticker)
    return update.last_price


@given(st.lists(st.tuples(positions, st.booleans())))
async def test_values_never_go_back_in_time(
    offers: list[tuple[tuple[int, int], bool]],
) -> None:
    # Each frame's price tells its position, so that what is shown tells what was taken.
    subject = topic()
    shown = []
    for position, live in offers:
        epoch, seq = position
        offer(subject, position, ticker(epoch * 1000 + seq), live=live)
        async with aclosing(subject.enter().updates()) as values:
            shown.append(await soon(values))

    prices = [price(value) for value in shown]
    assert prices == sorted(prices)
    if offers:
        epoch, seq = max(position for position, _ in offers)
        assert prices[-1] == epoch * 1000 + seq


async def test_a_slow_watcher_gets_the_newest_and_no_queue() -> None:
    metrics = CountingMetrics()
    subject = topic(metrics)
    values = subject.enter().updates()
    offer(subject, (1, 1), ticker(1), live=True)
    assert price(await soon(values)) == 1

    for seq in range(2, 100):
        offer(subject, (1, seq), ticker(seq), live=True)

    assert price(await soon(values)) == 99
    assert metrics.conflated == 97
    await values.aclose()


async def test_what_did_not_change_is_not_pushed() -> None:
    subject = topic()
    values = subject.enter().updates()
    offer(subject, (1, 1), ticker(1), live=True)
    await soon(values)

    offer(subject, (1, 2), ticker(1), live=True)
    subject.overlay(live=True)
    offer(subject, (1, 3), ticker(3), live=True)

    assert price(await soon(values)) == 3
    await values.aclose()


async def test_the_feeds_state_is_pushed_when_it_turns() -> None:
    subject = topic()
    values = subject.enter().updates()
    offer(subject, (1, 1), ticker(1), live=False)
    assert await soon(values) == ticker(1, stale=True)

    subject.overlay(live=True)
    assert await soon(values) == ticker(1, stale=False)

    subject.overlay(live=False)
    assert await soon(values) == ticker(1, stale=True)
    await values.aclose()


async def test_a_stale_ticker_of_a_living_feed_stays_stale() -> None:
    subject = topic()
    values = subject.enter().updates()

    offer(subject, (1, 1), ticker(1, stale=True), live=True)

    assert (await soon(values)).stale
    await values.aclose()


async def test_whoever_comes_first_waits_for_the_first_value() -> None:
    subject = topic()
    async with asyncio.TaskGroup() as tasks:
        waiting = tasks.create_task(soon(subject.enter().updates()))
        await asyncio.sleep(0)
        subject.overlay(live=True)
        await asyncio.sleep(0)
        assert not waiting.done()
        offer(subject, (1, 1), ticker(1), live=True)

    assert price(waiting.result()) == 1
