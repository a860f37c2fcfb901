"""Replayed books, trades and candles: the recording's own strings, moved to the present."""

import asyncio
from datetime import timedelta
from pathlib import Path

import orjson
import pytest

from adapters.sandbox.exchange.instruments import Category
from adapters.sandbox.exchange.recording import RecordingError, load
from adapters.sandbox.exchange.replay import ReplayMarket
from adapters.sandbox.exchange.venue import Topic, Window
from adapters.sandbox.exchange.wire import epoch_ms
from tests.sandbox.exchange.shapes import received, shape
from tests.sandbox.exchange.support import HandClock, Json, Tape, snapshot_of
from tests.sandbox.exchange.test_exchange_books import Merged

BTC = "BTCUSDT"
DEEP = Topic.book(Category.LINEAR, 200, BTC)
TRADES, SPOT_TRADES = Topic.trades(Category.LINEAR, BTC), Topic.trades(Category.SPOT, BTC)
CANDLES = [Topic.kline(category, "1", BTC) for category in Category]
MOVED = {"T", "seq", "start", "end", "timestamp"}


def play(market: ReplayMarket, clock: HandClock, *, turns: int = 1) -> Tape:
    """What `run` does, without waiting."""
    tape, recording = Tape(), market._recording
    for turn in range(turns):
        began, market._round = clock.now(), turn
        market._shift_ms = epoch_ms(clock) - recording.started_ms
        for event in recording.events:
            clock.instant = began + timedelta(milliseconds=event.at_ms - recording.started_ms)
            market.play(event, tape)
        clock.instant = began + timedelta(milliseconds=recording.duration_ms)
    return tape


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@pytest.fixture
def market(recording_path: Path, clock: HandClock) -> ReplayMarket:
    return ReplayMarket(load(recording_path), clock)


@pytest.mark.parametrize("category", Category)
def test_the_deep_book_is_the_recorded_one(
    market: ReplayMarket, clock: HandClock, recorded: list[Json], category: Category
) -> None:
    topic = Topic.book(category, 200, BTC)
    theirs = [
        frame
        for kind in ("snapshot", "delta")
        for frame in received(recorded, category, topic.name, kind)
    ]

    ours = play(market, clock).of(topic)

    assert [frame["data"] for frame in ours] == [frame["data"] for frame in theirs]
    assert [list(frame) for frame in ours] == [list(frame) for frame in theirs]
    lag = [frame["ts"] - frame["cts"] for frame in theirs]
    assert [frame["ts"] - frame["cts"] for frame in ours] == lag


@pytest.mark.parametrize("category", Category)
def test_the_shallow_book_is_the_top_of_the_deep_one(
    market: ReplayMarket, clock: HandClock, category: Category
) -> None:
    deep, shallow = Merged(200), Merged(50)
    topics = {Topic.book(category, 200, BTC): deep, Topic.book(category, 50, BTC): shallow}
    checked = 0
    for topic, frame in play(market, clock, turns=2).frames:
        if topic not in topics:
            continue
        topics[topic].take(frame)
        if topics[topic] is shallow:
            checked += 1
            assert shallow.levels("b") == deep.levels("b")[:50]
            assert shallow.levels("a") == deep.levels("a")[:50]
    assert checked > 200


def test_rest_and_late_snapshots_show_the_merged_book(
    market: ReplayMarket, clock: HandClock
) -> None:
    merged, late = Merged(200), Merged(200)
    for frame in play(market, clock).of(DEEP):
        merged.take(frame)

    late.take(snapshot_of(market, DEEP))
    book = orjson.loads(orjson.dumps(market.order_book(market.instruments(DEEP.category)[0], 200)))

    assert late.sides == merged.sides
    assert (book["b"], book["a"]) == (merged.levels("b"), merged.levels("a"))
    assert book["u"] == merged.update_id == late.update_id


@pytest.mark.parametrize("topic", [TRADES, SPOT_TRADES])
def test_trades_are_the_recorded_ones_and_new_in_each_turn(
    market: ReplayMarket, clock: HandClock, recorded: list[Json], topic: Topic
) -> None:
    theirs = received(recorded, topic.category, topic.name)
    frames = play(market, clock, turns=3).of(topic)

    for mine, original in zip(frames[: len(theirs)], theirs, strict=True):
        assert shape(mine) == shape(original)
        for trade, first in zip(mine["data"], original["data"], strict=True):
            assert _kept(trade) == _kept(first)
    trades = [trade for frame in frames for trade in frame["data"]]
    rows = market.recent_trades(market.instruments(topic.category)[0], 1000)
    ids = [trade["i"] for trade in trades]
    assert len(ids) == len(set(ids))
    assert [row["execId"] for row in rows][: len(ids)] == ids[::-1]
    # A turn lies before the first: REST has rows from the first moment.
    assert len({row["execId"] for row in rows}) == len(rows) > len(ids)
    times = [int(row["time"]) for row in rows]
    assert times == sorted(times, reverse=True)


@pytest.mark.parametrize("topic", CANDLES)
def test_candles_are_the_recorded_ones_on_the_grid_of_now(
    market: ReplayMarket, clock: HandClock, recorded: list[Json], topic: Topic
) -> None:
    theirs, ours = received(recorded, topic.category, topic.name), play(market, clock).of(topic)

    assert len(ours) == len(theirs)
    for mine, original in zip(ours, theirs, strict=True):
        assert shape(mine) == shape(original)
        for candle, first in zip(mine["data"], original["data"], strict=True):
            assert _kept(candle) == _kept(first)
            assert candle["start"] % 60_000 == 0
            assert candle["end"] == candle["start"] + 59_999
            assert candle["start"] <= candle["timestamp"] == mine["ts"]
            assert mine["ts"] - candle["start"] < 180_000
    starts = [frame["data"][-1]["start"] for frame in ours]
    assert starts == sorted(starts)
    assert shape(snapshot_of(market, topic)["data"]) == shape(ours[0]["data"])

    instrument = market.instruments(topic.category)[0]
    rows = asyncio.run(market.candles(instrument, "1", Window(None, None, 200)))
    last = ours[-1]["data"][-1]
    keys = ("open", "high", "low", "close", "volume", "turnover")
    assert rows[0] == [str(last["start"]), *(last[key] for key in keys)]
    assert asyncio.run(market.candles(instrument, "5", Window(None, None, 200))) == []


def _kept(row: Json) -> Json:
    return {key: value for key, value in row.items() if key not in MOVED}


def test_what_was_not_recorded_has_no_rows(market: ReplayMarket) -> None:
    instrument = market.instruments(Category.LINEAR)[0]
    everything = Window(None, None, 200)
    assert market.funding_rates(instrument, everything) == []
    assert market.open_interest(instrument, 300_000, everything) == []
    assert not market.offers(Topic.kline(Category.LINEAR, "5", BTC))


@pytest.mark.parametrize(
    "message",
    [
        {"topic": "publicTrade.X", "ts": 1, "data": [{"T": 1}]},
        {"topic": "publicTrade.X", "ts": 1, "data": ["x"]},
        {"topic": "kline.1.X", "ts": 1, "data": [{"start": "1"}]},
        {"topic": "kline.1.X", "ts": 1, "data": None},
    ],
)
def test_a_bad_row_is_named(tmp_path: Path, message: Json) -> None:
    path = tmp_path / "session.jsonl"
    line = {"dir": "recv", "category": "spot", "t": 1.5, "msg": message}
    path.write_bytes(orjson.dumps(line))

    with pytest.raises(RecordingError, match=r"line 1: not a frame of"):
        load(path)
