"""Trades: as recorded on the stream, the same over REST, at the touch, the source of the day."""

from decimal import Decimal
from pathlib import Path
from random import Random

import httpx
import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.sandbox.exchange.instruments import Category
from adapters.sandbox.exchange.trades import fills, order_lots
from adapters.sandbox.exchange.venue import Topic
from tests.sandbox.exchange.shapes import decimals, is_trimmed, received, shape
from tests.sandbox.exchange.support import HandClock, Json, Tape, live, small_market

LINEAR, SPOT = (Topic.trades(category, "BTCUSDT") for category in Category)
TEN_MINUTES = 6_000
RECENT = "/v5/market/recent-trade"


def is_trade(topic: Topic) -> bool:
    return topic.kind == "publicTrade"


@pytest.mark.parametrize("topic", [LINEAR, SPOT, Topic.trades(Category.LINEAR, "SOLUSDT")])
def test_frames_are_as_recorded(recorded: list[Json], topic: Topic) -> None:
    clock, tape = HandClock(), Tape(wanted=is_trade)
    live(small_market(clock), clock, tape, steps=TEN_MINUTES // 2)
    theirs = received(recorded, topic.category, topic.name)

    ours = tape.of(topic)

    assert len(ours) > 20
    numbers = [trade[key] for frame in theirs for trade in frame["data"] for key in ("p", "v")]
    for frame in ours:
        assert shape(frame) == shape(theirs[0])
        for trade in frame["data"]:
            assert len(trade["i"]) == len(theirs[0]["data"][0]["i"])
            for key in ("p", "v"):
                if topic.category is Category.SPOT:
                    assert is_trimmed(trade[key])
                else:
                    assert decimals(trade[key]) in map(decimals, numbers)
    directions = {trade.get("L") for frame in ours for trade in frame["data"]}
    assert directions <= {"PlusTick", "ZeroPlusTick", "MinusTick", "ZeroMinusTick", None}


def test_the_rhythm_is_that_of_the_tape(recorded: list[Json]) -> None:
    clock, tape = HandClock(), Tape(wanted=is_trade)
    live(small_market(clock), clock, tape, steps=TEN_MINUTES)

    for topic in (LINEAR, SPOT, Topic.trades(Category.LINEAR, "SOLUSDT")):
        seen = received(recorded, topic.category, topic.name)
        per_minute = len(seen) / 44 * 60
        assert len(tape.of(topic)) / 10 == pytest.approx(per_minute, rel=0.7)
    sizes = [len(frame["data"]) for frame in tape.of(LINEAR)]
    assert max(sizes) > 3
    assert sizes.count(1) > len(sizes) / 2


def test_the_day_grows_by_exactly_the_trades() -> None:
    clock, tape = HandClock(), Tape(wanted=is_trade)
    market = small_market(clock)
    instrument = market.instruments(Category.SPOT)[0]
    process = market.process(Category.SPOT, instrument.symbol)
    day = process.day
    before = sum(bar.lots for bar in day.bars)
    live(market, clock, tape, steps=600)

    gone = before - sum(bar.lots for bar in list(day.bars)[:-2])
    trades = [trade for frame in tape.of(SPOT) for trade in frame["data"]]
    told = sum(Decimal(trade["v"]) for trade in trades)
    since = [bar.lots for bar in list(day.bars)[-2:]]

    assert gone >= 0
    assert told == sum(since) * instrument.lot
    assert trades[-1]["p"] == market.ticker_row(instrument)["lastPrice"]


@pytest.mark.parametrize("category", Category)
def test_trades_happen_at_the_touch_and_never_twice(category: Category) -> None:
    clock = HandClock()
    market, seen = small_market(clock), set()
    wanted = {Topic.trades(category, "BTCUSDT"), Topic.best(category, "BTCUSDT")}
    tape = Tape(wanted=lambda topic: topic in wanted)
    live(market, clock, tape, steps=TEN_MINUTES)

    touch: dict[str, str] = {}
    for topic, frame in tape.frames:
        if not is_trade(topic):
            touch = {"Sell": frame["data"]["b"][0][0], "Buy": frame["data"]["a"][0][0]}
            continue
        for trade in frame["data"]:
            assert trade["p"] == touch[trade["S"]]
            assert trade["i"] not in seen
            seen.add(trade["i"])
    assert len(seen) > 100


def test_ids_of_a_restarted_exchange_are_new() -> None:
    clock = HandClock()
    first = small_market(clock)
    live(first, clock, Tape(wanted=lambda _: False), steps=600)
    second = small_market(clock)
    for instrument in first.instruments(Category.SPOT):
        ours, theirs = (
            {row["execId"] for row in market.recent_trades(instrument, 1000)}
            for market in (first, second)
        )
        assert ours
        assert ours.isdisjoint(theirs)


async def test_rest_has_the_documented_shape(http: httpx.AsyncClient, shared_data: Path) -> None:
    document = orjson.loads((shared_data / "docs" / "market__recent-trade.json").read_bytes())
    params = {"category": "spot", "symbol": "BTCUSDT"}

    ours = (await http.get(RECENT, params=params)).json()

    assert shape(ours) == shape(document["examples"][0]["json"])


@pytest.mark.parametrize(
    ("category", "limit", "rows"),
    [("spot", "", 60), ("spot", "1000", 60), ("linear", "7", 7), ("linear", "", 500)],
)
async def test_rest_limits(http: httpx.AsyncClient, category: str, limit: str, rows: int) -> None:
    params = {"category": category, "symbol": "SOLUSDT", "limit": limit}

    found = (await http.get(RECENT, params=params)).json()["result"]["list"]

    assert len(found) == rows
    times = [int(row["time"]) for row in found]
    assert times == sorted(times, reverse=True)


def test_rest_shows_what_the_stream_told() -> None:
    clock, tape = HandClock(), Tape(wanted=is_trade)
    market = small_market(clock)
    live(market, clock, tape, steps=300)
    told = [trade for frame in tape.of(LINEAR) for trade in frame["data"]]

    rows = market.recent_trades(market.instruments(Category.LINEAR)[0], len(told))[::-1]

    keys = {"execId": "i", "price": "p", "size": "v", "side": "S"}
    assert [{k: row[k] for k in keys} for row in rows] == [
        {k: trade[short] for k, short in keys.items()} for trade in told
    ]


@given(st.integers(0, 2**32), st.integers(1, 10**7))
def test_fills_sum_to_the_order(seed: int, lots: int) -> None:
    parts = fills(Random(seed), lots)  # noqa: S311
    assert sum(parts) == lots
    assert min(parts) > 0


@given(st.integers(0, 2**32), st.floats(0.001, 10**6), st.integers(1, 10**6))
def test_an_order_fits_the_touch(seed: int, mean: float, most: int) -> None:
    assert 1 <= order_lots(Random(seed), mean, most) <= most  # noqa: S311
