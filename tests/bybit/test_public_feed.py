"""What the domain sees: states, conflation, staleness, and leaving in time."""

import asyncio
import socket
import threading
from dataclasses import replace
from decimal import Decimal

import pytest

from adapters.bybit import BybitAddresses, BybitStreams
from domain.kernel.ids import Category
from domain.market import FeedState, Source, topic_of
from tests.bybit.following import QUICK, A, B, Counting, following, tickers_of
from tests.bybit.venue import BOOK, SNAPSHOT, ScriptedVenue


async def test_begins_with_starting_and_goes_live(venue: ScriptedVenue) -> None:
    async with following(venue) as feed:
        await feed.until_live(A)

    assert feed.states == [FeedState.STARTING, FeedState.LIVE]
    assert feed.batches[0].updates == ()
    ticker = feed.tickers[0]
    assert (ticker.last_price, ticker.bid_price, ticker.ask_size) == (
        Decimal("100.5"),
        Decimal("100.4"),
        Decimal(2),
    )
    assert ticker.source is Source.SANDBOX
    assert ticker.as_of.timestamp() == 1_786_310_817.583


async def test_sends_empty_batches_while_nothing_happens(venue: ScriptedVenue) -> None:
    async with following(venue, []) as feed:
        await feed.until(lambda: len(feed.batches) >= 6)

    assert feed.tickers == []


async def test_conflates_a_burst_into_the_newest_value(venue: ScriptedVenue) -> None:
    async with following(venue) as feed:
        await feed.until_live(A)
        feed.forget()
        for price in range(1, 501):
            await venue.push(f"tickers.{A}", "delta", {"lastPrice": str(price)})
        await feed.until(lambda: getattr(feed.newest(A), "last_price", 0) == Decimal(500))

    assert len(feed.tickers) < 200
    prices = [ticker.last_price for ticker in feed.tickers]
    assert prices == sorted(prices) or prices[0] == Decimal("100.5")
    assert all(len(set(map(topic_of, b.updates))) == len(b.updates) for b in feed.batches)


async def test_a_lone_change_does_not_wait_for_the_beat(venue: ScriptedVenue) -> None:
    # Else ten values a second come as six: each pause would begin with the value after the last.
    loop = asyncio.get_running_loop()
    timings = replace(QUICK, flush_every_seconds=1.0, topic_silent_after_seconds=30)
    async with following(venue, timings=timings) as feed:
        await feed.until_live(A)
        await feed.until(lambda: len(feed.batches) > 14)  # more than a second of empty ones
        pushed_at = loop.time()
        await venue.push(f"tickers.{A}", "delta", {"lastPrice": "42"})
        await feed.until(lambda: getattr(feed.newest(A), "last_price", 0) == 42)

        assert loop.time() - pushed_at < 0.5
        await venue.push(f"tickers.{A}", "delta", {"lastPrice": "43"})
        await feed.until(lambda: getattr(feed.newest(A), "last_price", 0) == 43)
        assert loop.time() - pushed_at > 0.9


async def test_a_socket_that_says_nothing_is_silent_and_dialled_anew(
    venue: ScriptedVenue,
) -> None:
    metrics = Counting()
    timings = replace(QUICK, silent_after_seconds=0.4)
    async with following(venue, metrics=metrics, timings=timings) as feed:
        await feed.until_live(A)
        venue.mute = True
        await feed.until(lambda: feed.stale(A))
        assert feed.batches[-1].state is FeedState.SILENT
        feed.forget()
        await venue.until(lambda: venue.dials > 1)
        venue.mute = False
        await feed.until_live(A)

    assert all(ticker.stale for ticker in feed.tickers[:-1])
    assert metrics.disconnected[0] == "silent"


async def test_pings_keep_a_quiet_connection(venue: ScriptedVenue) -> None:
    async with following(venue, []) as feed:
        await venue.until(lambda: sum(asked["op"] == "ping" for asked in venue.asked) >= 4)

        assert feed.batches[-1].state is FeedState.LIVE
    assert venue.dials == 1


async def test_one_silent_topic_is_stale_while_the_others_live(venue: ScriptedVenue) -> None:
    venue.pace_seconds = 0.05
    async with following(venue, [A, B]) as feed:
        await feed.until_live(A, B)
        venue.silent.add(f"tickers.{A}")
        await feed.until(lambda: feed.stale(A))
        assert feed.live(B)
        assert [f"tickers.{A}"] in venue.requests("subscribe")  # asked anew before it was judged
        stale = [ticker for ticker in feed.tickers if ticker.stale]
        assert [ticker.symbol for ticker in stale] == [A]

        venue.silent.clear()
        await feed.until_live(A)
        assert feed.states == [FeedState.STARTING, FeedState.LIVE]
    assert venue.dials == 1


async def test_a_quiet_topic_that_answers_is_not_stale(venue: ScriptedVenue) -> None:
    async with following(venue) as feed:
        await feed.until_live(A)
        await venue.until(lambda: len(venue.requests("subscribe")) >= 3)

        assert not any(ticker.stale for ticker in feed.tickers)
    assert venue.dials == 1


async def test_everything_silent_is_the_connections_fault(venue: ScriptedVenue) -> None:
    venue.pace_seconds = 0.05
    async with following(venue, [A, B]) as feed:
        await feed.until_live(A, B)
        venue.silent |= {f"tickers.{A}", f"tickers.{B}"}
        await feed.until(lambda: feed.batches[-1].state is FeedState.SILENT)
        venue.silent.clear()
        await feed.until_live(A, B)

    assert venue.dials >= 2


async def test_spot_takes_bid_and_ask_from_the_order_book(venue: ScriptedVenue) -> None:
    async with following(venue, category=Category.SPOT) as feed:
        await feed.until_live(A)
        book = {**BOOK, "b": [["101.1", "3"]], "a": []}
        await venue.push(f"orderbook.1.{A}", "snapshot", book)
        await feed.until(lambda: getattr(feed.newest(A), "bid_price", 0) == Decimal("101.1"))

        ticker = feed.newest(A)
        assert ticker is not None
        assert (ticker.bid_size, ticker.ask_price, ticker.ask_size) == (Decimal(3), None, None)
        assert ticker.last_price == Decimal("100.5")
    assert all(len(topics) <= 10 for topics in venue.requests("subscribe"))


async def test_spot_without_its_book_is_shown_and_stale(venue: ScriptedVenue) -> None:
    venue.refused = {f"orderbook.1.{A}"}
    venue.silent = set()
    async with following(venue, category=Category.SPOT) as feed:
        await venue.until(lambda: [f"orderbook.1.{A}"] in venue.requests("subscribe"))
        venue.pace_seconds = 0.05
        await venue.push(f"tickers.{A}", "snapshot", SNAPSHOT)
        await feed.until(lambda: feed.stale(A))

        ticker = feed.newest(A)
        assert ticker is not None
        assert ticker.bid_price is None


async def test_many_symbols_go_out_ten_topics_at_a_time(venue: ScriptedVenue) -> None:
    symbols = [type(A)(f"S{i}USDT") for i in range(37)]
    async with following(venue, symbols) as feed:
        await feed.until_live(*symbols)

    assert max(len(topics) for topics in venue.requests("subscribe")) == 10
    assert sum(len(topics) for topics in venue.requests("subscribe")) == 37


async def test_a_symbol_nobody_wants_any_more_is_marked_stale(venue: ScriptedVenue) -> None:
    async with following(venue, [A, B]) as feed:
        await feed.until_live(A, B)
        feed.stream.want(tickers_of(Category.LINEAR, [B]))
        await feed.until(lambda: feed.stale(A))
        assert feed.live(B)

        feed.stream.want(tickers_of(Category.LINEAR, [A, B]))
        await feed.until_live(A, B)


async def test_the_loop_never_waits_for_a_stream(venue: ScriptedVenue) -> None:
    loop = asyncio.get_running_loop()
    async with following(venue, []) as feed:
        before = loop.time()
        for count in range(200):
            symbols = [type(A)(f"S{i}USDT") for i in range(count)]
            feed.stream.want(tickers_of(Category.LINEAR, symbols))
        assert loop.time() - before < 1


@pytest.mark.parametrize("mute", [False, True])
async def test_leaving_is_quick_and_ends_the_thread(venue: ScriptedVenue, *, mute: bool) -> None:
    venue.mute = mute
    loop = asyncio.get_running_loop()
    async with following(venue) as feed:
        await venue.until(lambda: venue.dials == 1)
        await feed.until(lambda: len(feed.batches) > 2)
        assert _reader_count() == 1
        leaving_at = loop.time()

    assert loop.time() - leaving_at < 1
    assert _reader_count() == 0


async def test_leaving_while_nobody_answers_the_dial_is_quick() -> None:
    loop = asyncio.get_running_loop()
    # The kernel accepts, nobody reads: the handshake hangs.
    with socket.create_server(("127.0.0.1", 0)) as deaf:
        port = deaf.getsockname()[1]
        addresses = BybitAddresses(
            f"http://127.0.0.1:{port}", f"ws://127.0.0.1:{port}", Source.SANDBOX
        )
        async with BybitStreams(addresses, timings=QUICK).open(Category.LINEAR) as stream:
            async for batch in stream.batches():
                assert batch.state is FeedState.STARTING
                break
            leaving_at = loop.time()
        assert loop.time() - leaving_at < 2


def _reader_count() -> int:
    return sum(t.name == "okd-bybit-linear" for t in threading.enumerate())
