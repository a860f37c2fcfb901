"""Every way stock pybit was seen to die (E1 to E7, the unsubscribe, the race): we live on."""

import asyncio
import threading
from dataclasses import replace

import pytest
import structlog

from adapters.bybit.pacing import ConnectLimit
from adapters.bybit.stream import GuardedStream
from domain.kernel.ids import Category
from domain.market import FeedState
from tests.bybit.following import QUICK, A, B, C, Counting, following, tickers_of
from tests.bybit.venue import ScriptedVenue


class Deaf:
    def connection_changed(self, state: FeedState) -> None: ...
    def topic_asked(self, topic: str) -> None: ...
    def topic_left(self, topic: str) -> None: ...
    def topic_silent(self, topic: str) -> None: ...
    def topic_rejected(self, topic: str) -> None: ...


@pytest.mark.provokes("RuntimeError: a bug")
async def test_e1_a_callback_that_raises_costs_one_message(venue: ScriptedVenue) -> None:
    metrics = Counting()
    loop = asyncio.get_running_loop()
    frames: asyncio.Queue[str] = asyncio.Queue()

    def explode_first(message: dict[str, object]) -> None:
        if not metrics.dropped:
            raise RuntimeError("a bug")
        loop.call_soon_threadsafe(frames.put_nowait, str(message["topic"]))

    venue.pace_seconds = 0.02
    with structlog.testing.capture_logs() as logs:
        stream = GuardedStream(
            venue.addresses.public_stream_url(Category.LINEAR),
            category=Category.LINEAR,
            listener=Deaf(),
            timings=QUICK,
            connects=ConnectLimit(),
            metrics=metrics,
        )
        stream.ticker_stream([A], explode_first)
        try:
            async with asyncio.timeout(5):
                assert [await frames.get() for _ in range(3)] == [f"tickers.{A}"] * 3
        finally:
            await asyncio.to_thread(stream.exit)

    assert metrics.dropped == ["RuntimeError"]
    assert venue.dials == 1
    assert [entry["event"] for entry in logs].count("frame_failed") == 1


async def test_e2_one_refused_topic_takes_no_other_with_it(venue: ScriptedVenue) -> None:
    venue.refused = {f"tickers.{B}"}
    venue.pace_seconds = 0.05
    metrics = Counting()
    async with following(venue, [A, B, C], metrics=metrics) as feed:
        await feed.until_live(A, C)
        await feed.until(lambda: metrics.rejected == 1)

        assert feed.newest(B) is None
        assert venue.requests("subscribe")[0] == [f"tickers.{s}" for s in (A, B, C)]
        assert [f"tickers.{B}"] in venue.requests("subscribe")
        assert feed.states[-1] is FeedState.LIVE
    assert venue.dials == 1


async def test_e3_a_goodbye_of_the_server_is_followed_by_a_new_connection(
    venue: ScriptedVenue,
) -> None:
    metrics = Counting()
    venue.pace_seconds = 0.05
    async with following(venue, metrics=metrics) as feed:
        await feed.until_live(A)
        feed.forget()
        await venue.close_all(1001)
        await feed.until(lambda: feed.stale(A))
        assert feed.batches[-1].state is FeedState.DISCONNECTED
        await feed.until_live(A)

    assert metrics.disconnected == ["closed_1001"]


@pytest.mark.parametrize("down_seconds", [0.3, 3.0])
async def test_e4_a_server_away_for_long_is_found_again(
    venue: ScriptedVenue, down_seconds: float
) -> None:
    # Intervals are a tenth of the real ones: 3 s and 30 s in production.
    venue.pace_seconds = 0.05
    metrics = Counting()
    loop = asyncio.get_running_loop()
    async with following(venue, [A, B], metrics=metrics) as feed:
        await feed.until_live(A, B)
        await venue.down()
        await feed.until(lambda: feed.stale(A) and feed.stale(B))
        feed.forget()
        await asyncio.sleep(down_seconds)
        assert feed.states == [FeedState.DISCONNECTED]
        assert all(ticker.stale for ticker in feed.tickers)

        await venue.up()
        up_at = loop.time()
        await feed.until_live(A, B)

    assert loop.time() - up_at < QUICK.reconnect_cap_seconds + 1
    # 0.025 + 0.05 + 0.1 + 0.2 + 0.4 + 0.4 ...: at least half of each is waited.
    assert len(metrics.disconnected) <= 6 + down_seconds / (QUICK.reconnect_cap_seconds / 2)


async def test_e5_answers_faster_than_our_registration_lose_nothing(
    venue: ScriptedVenue,
) -> None:
    venue.snapshot_first = True
    for _ in range(60):
        async with following(venue) as feed:
            await feed.until_live(A)

    assert venue.dials == 60


async def test_e6_a_delta_before_its_snapshot_is_dropped_and_asked_anew(
    venue: ScriptedVenue,
) -> None:
    venue.without_snapshot = {f"tickers.{A}"}
    metrics = Counting()
    async with following(venue, [A, B], metrics=metrics) as feed:
        await feed.until_live(B)
        await venue.until(lambda: len(venue.requests("subscribe")) > 0)
        venue.without_snapshot.clear()
        venue.pace_seconds = 0.05
        await feed.until_live(A)

        newest = feed.newest(A)
        assert newest is not None
        assert str(newest.high_price_24h) == "110"
    assert set(metrics.dropped) == {"delta_before_snapshot"}
    assert venue.dials == 1


async def test_e7_twenty_broken_connections_leave_no_thread_behind(venue: ScriptedVenue) -> None:
    venue.pace_seconds = 0.02
    timings = replace(QUICK, reconnect_cap_seconds=0.05)
    async with following(venue, timings=timings) as feed:
        await feed.until_live(A)
        before = threading.active_count()
        for _ in range(20):
            feed.forget()
            venue.cut()
            await feed.until(lambda: feed.stale(A))
            await feed.until_live(A)

        assert threading.active_count() <= before
    assert venue.dials == 21


async def test_leaving_one_topic_of_a_request_leaves_that_one_alone(venue: ScriptedVenue) -> None:
    metrics = Counting()
    async with following(venue, [A, B], metrics=metrics) as feed:
        await feed.until_live(A, B)
        feed.stream.want(tickers_of(Category.LINEAR, [B]))
        await venue.until(lambda: venue.requests("unsubscribe") != [])
        assert venue.requests("unsubscribe") == [[f"tickers.{A}"]]
        await feed.until(lambda: feed.stale(A))
        feed.forget()

        # A frame that was under way, and one of the topic that stays.
        await venue.push(f"tickers.{A}", "delta", {"lastPrice": "7"})
        await venue.push(f"tickers.{B}", "delta", {"lastPrice": "8"})
        await feed.until(lambda: str(getattr(feed.newest(B), "last_price", "")) == "8")

        assert str(getattr(feed.newest(A), "last_price", "")) != "7"
        assert venue.followed == {f"tickers.{B}"}
    assert metrics.dropped == []
    assert venue.dials == 1


@pytest.mark.parametrize(
    "frame",
    [
        b"\xff\xfe",
        "not json",
        "[]",
        "3",
        "null",
        '{"topic": 5}',
        '{"topic": ["tickers.AUSDT"]}',
        '{"topic": "tickers.AUSDT"}',
        '{"topic": "tickers.AUSDT", "type": "delta", "ts": 1, "data": null}',
        '{"topic": "tickers.AUSDT", "type": "delta", "ts": "x", "data": {}}',
        '{"topic": "tickers.AUSDT", "type": "delta", "ts": 1, "data": {"lastPrice": 5.5}}',
        '{"op": "subscribe", "success": false, "req_id": 17}',
        '{"op": "subscribe", "success": false, "req_id": "never sent"}',
        '{"op": "auth", "success": false}',
        '{"op": "subscribe", "success": false, "ret_msg": {"deep": []}, "req_id": null}',
    ],
)
@pytest.mark.provokes("_take", always=False)  # of those that are not JSON, or not as it should be
async def test_no_frame_however_odd_ends_the_stream(
    venue: ScriptedVenue, frame: str | bytes
) -> None:
    # Nothing may count as silent on a busy machine: what is asked anew comes as it was at first.
    patient = replace(QUICK, silent_after_seconds=60, topic_silent_after_seconds=60)
    async with following(venue, timings=patient) as feed:
        await feed.until_live(A)
        await venue.say(frame)
        await venue.push(f"tickers.{A}", "delta", {"lastPrice": "42"})
        await feed.until(lambda: str(getattr(feed.newest(A), "last_price", "")) == "42")
    assert venue.dials == 1
