"""Books: as recorded, merged from deltas to what REST says, never crossed, at the touch."""

from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from statistics import mean
from typing import Any

import httpx
import orjson
import pytest

from adapters.sandbox.exchange.instruments import Category
from adapters.sandbox.exchange.simulation import SimulatedMarket
from adapters.sandbox.exchange.venue import Topic
from tests.sandbox.exchange.shapes import decimals, is_trimmed, received, shape
from tests.sandbox.exchange.support import (
    HandClock,
    Json,
    Tape,
    live,
    small_market,
    snapshot_of,
)

BOOK = "/v5/market/orderbook"
RECORDED = [("linear", "BTCUSDT"), ("linear", "SOLUSDT"), ("spot", "BTCUSDT")]
MINUTE = 600


class Merged:
    """A client's book: what the stream said, and nothing else."""

    def __init__(self, depth: int) -> None:
        self.depth = depth
        self.sides: dict[str, dict[str, str]] = {"b": {}, "a": {}}
        self.update_id = 0

    def take(self, frame: Json) -> None:
        data = frame["data"]
        if frame["type"] == "snapshot":
            self.sides = {"b": {}, "a": {}}
        else:
            assert data["u"] == self.update_id + 1
        self.update_id = data["u"]
        for key, side in self.sides.items():
            for price, size in data[key]:
                if size == "0":
                    del side[price]  # A level that is not there must never be deleted.
                else:
                    side[price] = size

    def levels(self, key: str) -> list[list[str]]:
        ordered = sorted(self.sides[key].items(), key=lambda level: float(level[0]))
        return [list(level) for level in (ordered[::-1] if key == "b" else ordered)]


def book_of(market: SimulatedMarket, category: Category, symbol: str, levels: int) -> Json:
    (instrument,) = (i for i in market.instruments(category) if i.symbol == symbol)
    result: Json = orjson.loads(orjson.dumps(market.order_book(instrument, levels)))
    return result


@pytest.mark.parametrize("depth", [50, 200])
@pytest.mark.parametrize(("category", "symbol"), RECORDED)
def test_a_book_of_deltas_equals_rest(category: str, symbol: str, depth: int) -> None:
    topic = Topic.book(Category(category), depth, symbol)
    clock, tape = HandClock(), Tape(wanted=lambda wanted: wanted == topic)
    market, merged = small_market(clock), Merged(depth)
    for _ in range(MINUTE):
        live(market, clock, tape, steps=1)
        for frame in tape.of(topic):
            merged.take(frame)
        tape.frames.clear()

        rest = book_of(market, topic.category, symbol, depth)
        assert merged.levels("b") == rest["b"]
        assert merged.levels("a") == rest["a"]
        assert Decimal(rest["b"][0][0]) < Decimal(rest["a"][0][0])
        assert len(rest["b"]) == len(rest["a"]) == depth
        assert depth < 200 or merged.update_id == rest["u"]


def test_a_late_subscriber_starts_from_what_the_others_have_merged() -> None:
    topic = Topic.book(Category.LINEAR, 50, "BTCUSDT")
    clock, tape = HandClock(), Tape(wanted=lambda wanted: wanted == topic)
    market, early, late = small_market(clock), Merged(50), Merged(50)
    live(market, clock, tape, steps=50)
    for frame in tape.of(topic):
        early.take(frame)

    late.take(snapshot_of(market, topic))
    tape.frames.clear()
    live(market, clock, tape, steps=50)
    for frame in tape.of(topic):
        early.take(frame)
        late.take(frame)

    assert late.sides == early.sides


@pytest.mark.parametrize(("percent", "leap"), [(-30, 0), (60, 0), (0, 3_600 * 24 * 2)])
def test_a_shock_or_a_leap_leaves_a_whole_book(percent: int, leap: int) -> None:
    topic = Topic.book(Category.SPOT, 200, "BTCUSDT")
    clock, tape = HandClock(), Tape(wanted=lambda wanted: wanted == topic)
    market, merged = small_market(clock), Merged(200)
    live(market, clock, tape, steps=5)
    if percent:
        market.shock(market.instruments(Category.SPOT)[0], Decimal(percent), tape)
    clock.pass_by(seconds=leap)
    live(market, clock, tape, steps=5)
    for frame in tape.of(topic):
        merged.take(frame)

    rest = book_of(market, Category.SPOT, "BTCUSDT", 200)
    assert [merged.levels("b"), merged.levels("a")] == [rest["b"], rest["a"]]


@pytest.mark.parametrize(("category", "symbol"), RECORDED)
def test_frames_are_as_recorded(recorded: list[Json], category: str, symbol: str) -> None:
    deep = Topic.book(Category(category), 200, symbol)
    clock, tape = HandClock(), Tape(wanted=lambda wanted: wanted == deep)
    live(small_market(clock), clock, tape, steps=MINUTE)
    snapshots, deltas = (
        received(recorded, category, deep.name, kind) for kind in ("snapshot", "delta")
    )
    first, *rest = tape.of(deep)

    assert shape(first) == shape(snapshots[0])
    assert {str(shape({**frame, "data": None})) for frame in rest} == {
        str(shape({**deltas[0], "data": None}))
    }
    assert {tuple(frame["data"]) for frame in rest} == {tuple(deltas[0]["data"])}
    for frame in (first, *rest):
        for price, size in frame["data"]["b"] + frame["data"]["a"]:
            if category == "spot":
                assert is_trimmed(price)
                assert is_trimmed(size)
            else:
                sample = snapshots[0]["data"]["b"][0]
                assert decimals(price) == decimals(sample[0])
                assert size == "0" or decimals(size) == decimals(sample[1])
        bids, asks = ([Decimal(price) for price, _ in frame["data"][key]] for key in "ba")
        assert bids == sorted(bids, reverse=True)
        assert asks == sorted(asks)
        assert frame["cts"] <= frame["ts"]


@pytest.mark.parametrize(("category", "symbol"), RECORDED)
def test_rates_and_depths_are_those_of_the_recording(
    recorded: list[Json], category: str, symbol: str
) -> None:
    deep = Topic.book(Category(category), 200, symbol)
    clock, tape = HandClock(), Tape(wanted=lambda wanted: wanted == deep)
    live(small_market(clock), clock, tape, steps=MINUTE)
    theirs = received(recorded, category, deep.name, "delta")
    (snapshot,) = received(recorded, category, deep.name)
    first, *ours = tape.of(deep)

    seconds = (theirs[-1]["ts"] - theirs[0]["ts"]) / 1000
    assert len(ours) / 60 == pytest.approx(len(theirs) / seconds, rel=0.25)
    assert mean(map(_changes, ours)) == pytest.approx(mean(map(_changes, theirs)), rel=0.6)
    for key in "ba":
        assert _span(first, key) == pytest.approx(_span(snapshot, key), rel=0.4)


def _changes(frame: Json) -> int:
    return len(frame["data"]["b"]) + len(frame["data"]["a"])


def _span(frame: Json, key: str) -> float:
    prices = [float(price) for price, _ in frame["data"][key]]
    return abs(prices[-1] - prices[0])


def test_the_depths_agree_by_sequence() -> None:
    topics = {depth: Topic.book(Category.LINEAR, depth, "BTCUSDT") for depth in (1, 50, 200)}
    clock, tape = HandClock(), Tape(wanted=lambda wanted: wanted in topics.values())
    market = small_market(clock)
    live(market, clock, tape, steps=MINUTE)
    tops: dict[int, dict[int, Any]] = {}
    for depth, topic in topics.items():
        merged = Merged(depth)
        for frame in tape.of(topic):
            merged.take(frame)
            levels = merged.levels("b")[:1], merged.levels("a")[:1]
            tops.setdefault(frame["data"]["seq"], {})[depth] = levels

    shared = [list(by_depth.values()) for by_depth in tops.values() if len(by_depth) == 3]
    assert len(shared) > 100
    for at_one, at_fifty, at_all in shared:
        assert at_one == at_fifty == at_all


def test_update_ids_count_by_one_although_the_machine_was_slow() -> None:
    topic = Topic.book(Category.LINEAR, 200, "BTCUSDT")
    clock, tape = HandClock(), Tape(wanted=lambda wanted: wanted == topic)
    market = small_market(clock)
    for _ in range(20):
        clock.pass_by(seconds=3)
        market.advance(tape)

    numbers = [frame["data"]["u"] for frame in tape.of(topic)]
    assert len(numbers) == 20
    assert {after - before for before, after in pairwise(numbers)} == {1}


async def test_rest_has_the_documented_shape(http: httpx.AsyncClient, shared_data: Path) -> None:
    document = orjson.loads((shared_data / "docs" / "market__orderbook.json").read_bytes())

    ours = (await http.get(BOOK, params={"category": "spot", "symbol": "BTCUSDT"})).json()

    assert shape(ours) == shape(document["examples"][0]["json"])
    assert len(ours["result"]["b"]) == 1


@pytest.mark.parametrize(
    ("category", "limit", "levels"),
    [("linear", "", 25), ("linear", "200", 200), ("linear", "1000", 200), ("spot", "50", 50)],
)
async def test_rest_limits(http: httpx.AsyncClient, category: str, limit: str, levels: int) -> None:
    params = {"category": category, "symbol": "BTCUSDT", "limit": limit}

    result = (await http.get(BOOK, params=params)).json()["result"]

    assert len(result["a"]) == len(result["b"]) == levels
