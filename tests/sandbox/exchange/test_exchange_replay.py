"""The replay shows the recording's own strings, in order, as of now; a bad file gets a sentence."""

from decimal import Decimal
from pathlib import Path

import orjson
import pytest
from websockets.asyncio.client import connect

from adapters.clock import SystemClock
from adapters.sandbox.exchange import RecordingError, create_exchange
from adapters.sandbox.exchange.instruments import Category
from adapters.sandbox.exchange.recording import load
from adapters.sandbox.exchange.replay import ReplayMarket
from adapters.sandbox.exchange.venue import NotPossible, Topic
from tests.sandbox.exchange.support import (
    TOKEN,
    HandClock,
    Json,
    Tape,
    hear,
    order_numbers,
    say,
    served,
    snapshot_of,
    update_ids,
)

BTC = Topic.tickers(Category.LINEAR, "BTCUSDT")
SPOT = Topic.tickers(Category.SPOT, "BTCUSDT")


def frames_of(recorded: list[Json], topic: Topic) -> list[Json]:
    return [
        row["msg"]
        for row in recorded
        if row["dir"] == "recv"
        and row["category"] == topic.category
        and row["msg"].get("topic") == topic.name
    ]


def play(market: ReplayMarket, *, rounds: int = 1) -> Tape:
    tape = Tape()
    for turn in range(rounds):
        market._round = turn
        for event in market._recording.events:
            market.play(event, tape)
    return tape


@pytest.fixture
def market(recording_path: Path) -> ReplayMarket:
    return ReplayMarket(load(recording_path), HandClock())


def test_offers_only_what_the_recording_has_tickers_of(market: ReplayMarket) -> None:
    offered = {c: [i.symbol for i in market.instruments(c)] for c in Category}

    assert offered == {"linear": ["BTCUSDT", "SOLUSDT"], "spot": ["BTCUSDT"]}
    assert not market.offers(Topic.tickers(Category.SPOT, "SOLUSDT"))
    assert not market.offers(Topic.tickers(Category.LINEAR, "ETHUSDT"))


@pytest.mark.parametrize("topic", [BTC, SPOT, Topic.tickers(Category.LINEAR, "SOLUSDT")])
def test_shows_the_recorded_strings_in_order(
    market: ReplayMarket, recorded: list[Json], topic: Topic
) -> None:
    theirs, ours = frames_of(recorded, topic), play(market).of(topic)

    assert len(ours) == len(theirs)
    for mine, original in zip(ours, theirs, strict=True):
        assert list(mine) == list(original)
        assert mine["type"] == original["type"]
        kept = {**original["data"], "nextFundingTime": mine["data"].get("nextFundingTime")}
        if "nextFundingTime" not in original["data"]:
            del kept["nextFundingTime"]
        assert list(mine["data"].items()) == list(kept.items())
        assert mine["cs"] == original["cs"]


@pytest.mark.parametrize("category", Category)
def test_the_best_level_is_the_best_of_the_recorded_book(
    market: ReplayMarket, recorded: list[Json], category: Category
) -> None:
    sides: dict[str, dict[str, str]] = {"b": {}, "a": {}}
    expected: list[tuple[list[str], list[str]]] = []
    for frame in frames_of(recorded, Topic(category, "orderbook.200.BTCUSDT")):
        for key, side in sides.items():
            side.update(frame["data"][key])
            sides[key] = {price: size for price, size in side.items() if size != "0"}
        bid, ask = max(sides["b"], key=Decimal), min(sides["a"], key=Decimal)
        touch = [bid, sides["b"][bid]], [ask, sides["a"][ask]]
        if not expected or expected[-1] != touch:
            expected.append(touch)

    shown = play(market).of(Topic.best(category, "BTCUSDT"))

    assert [(frame["data"]["b"][0], frame["data"]["a"][0]) for frame in shown] == expected
    assert all(frame["type"] == "snapshot" for frame in shown)


def test_numbers_grow_through_rounds_and_stamps_are_of_now(market: ReplayMarket) -> None:
    tape = play(market, rounds=3)
    now = int(HandClock().now().timestamp() * 1000)
    duration = market._recording.duration_ms

    for topic in {topic for topic, _ in tape.frames}:
        frames = tape.of(topic)
        numbers, updates = order_numbers(frames), update_ids(frames)
        assert numbers == sorted(numbers) or topic.kind.startswith("kline")
        assert updates == sorted(updates)
        assert all(now - 5_000 < frame["ts"] < now + duration for frame in frames)
    first = tape.of(BTC)[0]["data"]["nextFundingTime"]
    assert 0 < int(first) - now <= 8 * 3_600_000
    assert int(first) % (8 * 3_600_000) == 0


def test_is_complete_before_the_first_frame(market: ReplayMarket, recorded: list[Json]) -> None:
    first = frames_of(recorded, BTC)[0]["data"]
    linear = market.ticker_row(market.instruments(Category.LINEAR)[0])
    spot = market.ticker_row(market.instruments(Category.SPOT)[0])

    assert linear["lastPrice"] == first["lastPrice"]
    assert spot["lastPrice"] == frames_of(recorded, SPOT)[0]["data"]["lastPrice"]
    assert spot["bid1Price"] == "65140.4"
    assert snapshot_of(market, BTC)["data"].keys() == first.keys()


def test_rest_and_late_snapshots_are_what_the_frames_merge_to(market: ReplayMarket) -> None:
    merged: dict[str, str] = {}
    for frame in play(market).of(BTC):
        merged = frame["data"] if frame["type"] == "snapshot" else merged | frame["data"]

    late = snapshot_of(market, BTC)
    row = market.ticker_row(market.instruments(Category.LINEAR)[0])

    assert late["type"] == "snapshot"
    assert late["data"] == merged
    assert {key: row[key] for key in row.keys() & merged.keys()} == {
        key: merged[key] for key in row.keys() & merged.keys()
    }


def test_its_prices_cannot_be_moved(market: ReplayMarket) -> None:
    with pytest.raises(NotPossible, match="recording"):
        market.shock(market.instruments(Category.SPOT)[0], Decimal(1), Tape())


async def test_plays_over_a_socket_from_a_snapshot_on(
    recording_path: Path, recorded: list[Json]
) -> None:
    app = create_exchange(
        seed=0, clock=SystemClock(), recording=recording_path, control_token=TOKEN
    )
    theirs = [frame["data"] for frame in frames_of(recorded, BTC)]
    with served(app) as server:
        async with connect(server.public("linear"), proxy=None) as socket:
            await say(socket, op="subscribe", args=["tickers.BTCUSDT"])
            frames = [await hear(socket) for _ in range(12)][1:]

    assert frames[0]["type"] == "snapshot"
    deltas = [frame["data"] for frame in frames if frame["type"] == "delta"]
    start = theirs.index(deltas[0])
    assert deltas == theirs[start : start + len(deltas)]


TICKER: Json = {
    "topic": "tickers.BTCUSDT",
    "ts": 1,
    "type": "snapshot",
    "cs": 1,
    "data": {"symbol": "B"},
}
BOOK: Json = {
    "topic": "orderbook.200.BTCUSDT",
    "type": "snapshot",
    "ts": 1,
    "cts": 1,
    "data": {"s": "BTCUSDT", "b": [["1", "1"]], "a": [], "u": 1, "seq": 1},
}


def line(message: object, **changed: object) -> bytes:
    return orjson.dumps({"dir": "recv", "category": "spot", "t": 1.5, "msg": message} | changed)


@pytest.mark.parametrize(
    ("bad", "complaint"),
    [
        (b"{", "not JSON"),
        (b"\xff\xfe", "not JSON"),
        (b"[]", "not a JSON object"),
        (line(TICKER, t="x"), '"t" must be'),
        (line(TICKER, category="inverse"), '"category" must be'),
        (line("x"), '"msg" must be'),
        (line({**TICKER, "type": "delta", "topic": "tickers.X"}), "before its snapshot"),
        (line({**TICKER, "type": "other"}), "has the type 'other'"),
        (line({**TICKER, "data": {"symbol": 1}}), "not a string"),
        (line({"topic": "tickers.BTCUSDT"}), "not a frame of tickers.BTCUSDT"),
        (line({**TICKER, "data": None}), "not a frame of tickers.BTCUSDT"),
        (line(BOOK), "empty side"),
        (line({**BOOK, "type": "delta"}), "before its snapshot"),
        (
            line({**BOOK, "data": {**BOOK["data"], "b": [["x", "1"]], "a": [["2", "1"]]}}),
            "not a frame",
        ),
    ],
)
def test_a_bad_line_is_named(tmp_path: Path, bad: bytes, complaint: str) -> None:
    path = tmp_path / "session.jsonl"
    path.write_bytes(line(TICKER) + b"\n\n" + bad + b"\n")

    with pytest.raises(RecordingError) as error:
        load(path)

    assert str(error.value).startswith(f"{path}, line 3: ")
    assert complaint in str(error.value)


def test_a_recording_without_tickers_or_without_a_file_is_refused(tmp_path: Path) -> None:
    empty = tmp_path / "empty.jsonl"
    empty.write_bytes(b"")

    with pytest.raises(RecordingError, match="no ticker frame"):
        load(empty)
    with pytest.raises(RecordingError, match=r"absent.jsonl: cannot be read"):
        load(tmp_path / "absent.jsonl")


def test_an_instrument_of_unknown_sizes_is_refused_at_start(tmp_path: Path) -> None:
    path = tmp_path / "session.jsonl"
    path.write_bytes(line({**TICKER, "topic": "tickers.NEWUSDT"}))

    with pytest.raises(RecordingError, match="spot NEWUSDT"):
        create_exchange(seed=0, clock=HandClock(), recording=path, control_token=TOKEN)
