"""Books, trades and candles over a wire that fails: what is shown is right, or said to be stale."""

import asyncio
from dataclasses import replace
from decimal import Decimal

import pytest

from domain.kernel.ids import Category, InstrumentId
from domain.market import (
    FeedState,
    Interval,
    OrderBook,
    book_topic,
    candles_topic,
    ticker_topic,
    trades_topic,
)
from tests.bybit.following import QUICK, A, Counting, Following, following
from tests.bybit.venue import ScriptedVenue, candle, trade

INSTRUMENT = InstrumentId(Category.LINEAR, A)
BOOK, DEEP = book_topic(INSTRUMENT, 50), book_topic(INSTRUMENT, 200)
TRADES, CANDLES = trades_topic(INSTRUMENT), candles_topic(INSTRUMENT, Interval.MINUTE_1)
TICKER = ticker_topic(INSTRUMENT)
WIRE_BOOK, WIRE_TRADES, WIRE_CANDLES = "orderbook.50.AUSDT", "publicTrade.AUSDT", "kline.1.AUSDT"


def newest_book(feed: Following) -> OrderBook:
    return feed.books(BOOK)[-1]


async def until_sequence(feed: Following, sequence: int) -> None:
    await feed.until(lambda: feed.books(BOOK) != [] and newest_book(feed).sequence == sequence)


def assert_sound(feed: Following) -> None:
    for book in feed.books(BOOK):
        assert book.bids[0].price < book.asks[0].price


async def test_follows_every_kind_on_one_connection(venue: ScriptedVenue) -> None:
    topics = [TICKER, BOOK, DEEP, TRADES, CANDLES]
    async with following(venue, [], topics=topics) as feed:
        await feed.until_shown(TICKER, BOOK, DEEP)
        await venue.push(WIRE_TRADES, "snapshot", [trade("1")])
        await venue.push(WIRE_CANDLES, "snapshot", [candle()])
        await feed.until_shown(*topics)

        assert [book.depth for book in (feed.books(BOOK)[0], feed.books(DEEP)[0])] == [50, 200]
        assert venue.followed == {
            "tickers.AUSDT",
            WIRE_BOOK,
            "orderbook.200.AUSDT",
            WIRE_TRADES,
            WIRE_CANDLES,
        }
    assert venue.dials == 1


async def test_a_topic_of_another_category_is_a_bug(venue: ScriptedVenue) -> None:
    async with following(venue, []) as feed:
        with pytest.raises(ValueError, match="LINEAR"):
            feed.stream.want([ticker_topic(InstrumentId(Category.SPOT, A))])


async def test_whole_books_come_conflated_and_end_at_the_last_delta(venue: ScriptedVenue) -> None:
    async with following(venue, [], topics=[BOOK]) as feed:
        await feed.until_shown(BOOK)
        for count in range(1, 301):
            await venue.delta(WIRE_BOOK, b=[["100.3", str(count)]])
        await until_sequence(feed, 301)

        assert [str(level.quantity) for level in newest_book(feed).bids] == ["1", "300"]
        sequences = [book.sequence for book in feed.books(BOOK)]
        assert sequences == sorted(set(sequences))
        assert len(sequences) < 200


@pytest.mark.parametrize("fault", ["lost", "repeated", "reordered", "crossed", "garbage"])
async def test_a_book_out_of_step_is_stale_until_a_snapshot_makes_it_sound(
    venue: ScriptedVenue, fault: str
) -> None:
    metrics = Counting()
    # The watchdog would ask anew, too: it is not what is tested.
    timings = replace(QUICK, topic_silent_after_seconds=30)
    async with following(venue, [], topics=[BOOK], metrics=metrics, timings=timings) as feed:
        await feed.until_shown(BOOK)
        await venue.delta(WIRE_BOOK, b=[["100.3", "1"]])
        await until_sequence(feed, 2)
        data: dict[str, object] = {"b": [["100.2", "7"]]}
        match fault:
            case "lost":
                venue.sequences[WIRE_BOOK] += 1
            case "repeated":
                venue.sequences[WIRE_BOOK] -= 1
            case "reordered":
                data["u"] = 9
            case "crossed":
                data["b"] = [["100.9", "7"]]
            case _:
                data["b"] = [["100.2", 7]]
        venue.pace_seconds = 0.02  # what comes next is refused, and asks again
        await venue.delta(WIRE_BOOK, **data)
        await venue.until(lambda: [WIRE_BOOK] in venue.requests("unsubscribe"))
        after = venue.sequences[WIRE_BOOK] + 5
        await feed.until(lambda: newest_book(feed).sequence > after and feed.fresh(BOOK))

        assert metrics.dropped != []
        assert_sound(feed)
        # What came in the wrong place was never shown.
        assert all(Decimal("100.2") not in levels_of(book) for book in feed.books(BOOK))
        assert feed.states[-1] is FeedState.LIVE
    assert venue.dials == 1


def levels_of(book: OrderBook) -> list[Decimal]:
    return [level.price for level in (*book.bids, *book.asks)]


async def test_a_gap_says_stale_at_once_and_sound_after_the_snapshot(venue: ScriptedVenue) -> None:
    timings = replace(QUICK, refresh_gap_seconds=0.3, topic_silent_after_seconds=30)
    async with following(venue, [], topics=[BOOK], timings=timings) as feed:
        await feed.until_shown(BOOK)
        venue.sequences[WIRE_BOOK] = 7
        await venue.delta(WIRE_BOOK, b=[["100.3", "1"]])
        await feed.until_shown(BOOK, stale=True)
        assert newest_book(feed).sequence == 1

        venue.pace_seconds = 0.05
        await feed.until_shown(BOOK)
        assert newest_book(feed).sequence >= 8
    assert venue.dials == 1


async def test_a_venue_whose_book_stays_broken_is_not_hammered(venue: ScriptedVenue) -> None:
    timings = replace(QUICK, refresh_gap_seconds=0.05, refresh_gap_max_seconds=10)
    loop = asyncio.get_running_loop()
    venue.without_snapshot = {WIRE_BOOK}
    venue.pace_seconds = 0.01
    began = loop.time()  # before the first request: a busy machine may make it before we look
    async with following(venue, [], topics=[BOOK], timings=timings) as feed:
        # Gaps double: 0.05, 0.1, 0.2, 0.4, 0.8 seconds, and sometimes one round further on a busy
        # machine, where an answer and a delta cross.
        await venue.until(lambda: venue.requests("subscribe").count([WIRE_BOOK]) >= 6, seconds=20)

        assert loop.time() - began >= 1.5
        assert feed.books(BOOK) == []
    assert venue.dials == 1


async def test_all_trades_come_in_order_and_once(venue: ScriptedVenue) -> None:
    async with following(venue, [], topics=[TICKER, TRADES]) as feed:
        await feed.until_shown(TICKER)
        for number in range(0, 300, 3):
            rows = [trade(str(number + i)) for i in (0, 1, 2)]
            await venue.push(WIRE_TRADES, "snapshot", rows)
        await feed.until(lambda: sum(len(t.trades) for t in feed.trades(TRADES)) >= 300)
        await venue.push(WIRE_TRADES, "snapshot", [trade("299"), trade("300")])
        await feed.until(lambda: sum(len(t.trades) for t in feed.trades(TRADES)) >= 301)

        told = [t.id for trades in feed.trades(TRADES) for t in trades.trades]
        assert told == [str(number) for number in range(301)]
        assert all(trades.dropped == 0 for trades in feed.trades(TRADES))


async def test_every_close_comes_and_only_the_newest_open_candle(venue: ScriptedVenue) -> None:
    timings = replace(QUICK, flush_every_seconds=0.2)
    async with following(venue, [], topics=[TICKER, CANDLES], timings=timings) as feed:
        await feed.until_shown(TICKER)
        for minute in range(3):
            for close in ("100.5", "100.7", "100.9"):
                await venue.push(WIRE_CANDLES, "snapshot", [candle(minute, close=close)])
            await venue.push(WIRE_CANDLES, "snapshot", [candle(minute, confirm=True)])
        await feed.until(lambda: sum(c.confirmed for c in feed.candles(CANDLES)) == 3)

        closed = [c for c in feed.candles(CANDLES) if c.confirmed]
        assert [c.start.minute for c in closed] == [26, 27, 28]
        assert len(feed.candles(CANDLES)) < 9


async def test_a_lost_connection_makes_everything_stale_and_a_new_one_fresh(
    venue: ScriptedVenue,
) -> None:
    topics = [TICKER, BOOK, TRADES, CANDLES]
    async with following(venue, [], topics=topics) as feed:
        await feed.until_shown(TICKER, BOOK)
        await venue.push(WIRE_TRADES, "snapshot", [trade("1")])
        await venue.push(WIRE_CANDLES, "snapshot", [candle(close="101")])
        await feed.until_shown(*topics)
        feed.forget()
        await venue.down()
        await feed.until_shown(*topics, stale=True)
        silence = feed.trades(TRADES)[-1]
        assert (silence.trades, silence.dropped) == ((), 0)
        assert str(feed.candles(CANDLES)[-1].close_price) == "101"
        assert newest_book(feed).bids != ()

        await venue.up()
        await feed.until_shown(TICKER, BOOK)
        await venue.until(lambda: WIRE_TRADES in venue.followed)
        # The new connection repeats a trade of the old one.
        await venue.push(WIRE_TRADES, "snapshot", [trade("1"), trade("2")])
        await venue.push(WIRE_CANDLES, "snapshot", [candle(close="102")])
        await feed.until_shown(*topics)
        assert [t.id for trades in feed.trades(TRADES) for t in trades.trades][-1:] == ["2"]
        assert [t.id for trades in feed.trades(TRADES) for t in trades.trades].count("1") <= 1


async def test_a_socket_that_falls_silent_makes_trades_and_candles_stale(
    venue: ScriptedVenue,
) -> None:
    timings = replace(QUICK, silent_after_seconds=0.4)
    async with following(venue, [], topics=[TRADES, CANDLES], timings=timings) as feed:
        await venue.until(lambda: venue.followed == {WIRE_TRADES, WIRE_CANDLES})
        await venue.push(WIRE_TRADES, "snapshot", [trade("1")])
        await venue.push(WIRE_CANDLES, "snapshot", [candle()])
        await feed.until_shown(TRADES, CANDLES)
        venue.mute = True
        await feed.until_shown(TRADES, CANDLES, stale=True)

        assert feed.batches[-1].state is FeedState.SILENT


async def test_a_quiet_market_is_neither_stale_nor_asked_anew(venue: ScriptedVenue) -> None:
    async with following(venue, [], topics=[TRADES, CANDLES]) as feed:
        await venue.until(lambda: venue.followed == {WIRE_TRADES, WIRE_CANDLES})
        await venue.push(WIRE_TRADES, "snapshot", [trade("1")])
        await venue.push(WIRE_CANDLES, "snapshot", [candle()])
        # Long past the patience with topics that speak regularly.
        pings = sum(asked["op"] == "ping" for asked in venue.asked)
        await venue.until(lambda: sum(a["op"] == "ping" for a in venue.asked) >= pings + 5)

        assert not any(update.stale for update in feed.updates)
        assert feed.batches[-1].state is FeedState.LIVE
    assert len(venue.requests("subscribe")) == 1
    assert venue.dials == 1


async def test_a_silent_book_is_stale_while_the_ticker_lives(venue: ScriptedVenue) -> None:
    venue.pace_seconds = 0.05
    async with following(venue, [], topics=[TICKER, BOOK]) as feed:
        await feed.until_shown(TICKER, BOOK)
        venue.silent.add(WIRE_BOOK)
        await feed.until_shown(BOOK, stale=True)
        assert feed.live(A)

        venue.silent.clear()
        await feed.until_shown(BOOK)
    assert venue.dials == 1


async def test_a_quiet_book_that_answers_is_not_told_again(venue: ScriptedVenue) -> None:
    async with following(venue, [], topics=[BOOK]) as feed:
        await feed.until_shown(BOOK)
        await venue.until(lambda: len(venue.requests("subscribe")) >= 3)

        assert [book.stale for book in feed.books(BOOK)] == [False]


async def test_leaving_a_book_leaves_the_ticker_of_its_instrument(venue: ScriptedVenue) -> None:
    async with following(venue, [], topics=[TICKER, BOOK, TRADES]) as feed:
        await feed.until_shown(TICKER, BOOK)
        feed.stream.want([TICKER])
        await venue.until(lambda: venue.followed == {"tickers.AUSDT"})
        await feed.until_shown(BOOK, stale=True)

        assert not feed.of(TICKER)[-1].stale


async def test_spot_ticker_and_book_do_not_disturb_one_another(venue: ScriptedVenue) -> None:
    instrument = InstrumentId(Category.SPOT, A)
    ticker, book = ticker_topic(instrument), book_topic(instrument, 50)
    async with following(venue, [], topics=[ticker, book], category=Category.SPOT) as feed:
        await feed.until_shown(ticker, book)
        feed.stream.want([ticker])
        await venue.until(lambda: venue.followed == {"tickers.AUSDT", "orderbook.1.AUSDT"})

        assert not feed.of(ticker)[-1].stale
        assert str(feed.tickers[-1].bid_price) == "100.4"
