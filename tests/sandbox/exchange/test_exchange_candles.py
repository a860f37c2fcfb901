"""Candles: as recorded, built from the trades, the same over REST and sockets, 30 days deep."""

import asyncio
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import httpx
import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.sandbox.exchange.candles import (
    INTERVALS,
    Candle,
    gather,
    interval_end,
    interval_start,
)
from adapters.sandbox.exchange.history import History
from adapters.sandbox.exchange.instruments import Category, Instrument
from adapters.sandbox.exchange.simulation import SimulatedMarket
from adapters.sandbox.exchange.statistics import Bar, RollingDay
from adapters.sandbox.exchange.venue import Topic, Window
from tests.sandbox.exchange.shapes import is_trimmed, received, shape
from tests.sandbox.exchange.support import (
    HandClock,
    Json,
    Tape,
    live,
    small_market,
    snapshot_of,
)

KLINE = "/v5/market/kline"
MINUTE_MS = 60_000
DEAF = Tape(wanted=lambda _: False)


def rows_of(
    market: SimulatedMarket, instrument: Instrument, interval: str, *window: int | None
) -> list[list[str]]:
    start, end, limit = (*window, None, None, None)[:3]
    wanted = Window(start, end, 1000 if limit is None else limit)
    return asyncio.run(market.candles(instrument, interval, wanted))


def first_linear(market: SimulatedMarket) -> Instrument:
    return market.instruments(Category.LINEAR)[0]


@pytest.mark.parametrize(
    ("category", "symbol"), [("linear", "BTCUSDT"), ("linear", "SOLUSDT"), ("spot", "BTCUSDT")]
)
def test_frames_are_as_recorded(recorded: list[Json], category: str, symbol: str) -> None:
    topic = Topic.kline(Category(category), "1", symbol)
    clock, tape = HandClock(), Tape(wanted=lambda wanted: wanted == topic)
    market = small_market(clock)
    live(market, clock, tape, steps=1_500)
    theirs, ours = received(recorded, category, topic.name), tape.of(topic)

    assert {str(shape(frame)) for frame in ours} == {str(shape(frame)) for frame in theirs}
    for frame in [*ours, snapshot_of(market, topic)]:
        for candle in frame["data"]:
            numbers = [value for value in candle.values() if isinstance(value, str)]
            assert all(map(is_trimmed, numbers)), candle
            assert candle["end"] == candle["start"] + MINUTE_MS - 1
            assert candle["timestamp"] == frame["ts"]
    # The first is told when the market opens, all others on the instrument's own second.
    assert len({frame["ts"] % 1_000 for frame in ours[1:]}) == 1


@pytest.mark.parametrize("category", Category)
def test_a_closed_candle_is_confirmed_once_with_its_successor(category: Category) -> None:
    topic = Topic.kline(category, "1", "BTCUSDT")
    clock, tape = HandClock(), Tape(wanted=lambda wanted: wanted == topic)
    live(small_market(clock), clock, tape, steps=3_000)
    frames = tape.of(topic)

    confirmed = [c for frame in frames for c in frame["data"] if c["confirm"]]
    starts = [candle["start"] for candle in confirmed]
    together = 2 if category is Category.LINEAR else 1
    assert starts == list(range(starts[0], starts[0] + 5 * MINUTE_MS, MINUTE_MS))
    for frame in frames:
        if frame["data"][0]["confirm"]:
            assert len(frame["data"]) == together
            assert frame["ts"] - frame["data"][0]["end"] <= 1_100
    rows = [candle for frame in frames for candle in frame["data"]]
    for before, after in pairwise(rows):
        if before["confirm"]:
            assert after["start"] == before["end"] + 1
            assert after["open"] == before["close"]


def test_candles_built_from_the_trades_are_the_candles_served() -> None:
    clock, tape = HandClock(), Tape(wanted=lambda topic: topic.kind == "publicTrade")
    market = small_market(clock, seed=21)
    clock.pass_by(seconds=30)  # To the full minute.
    market.advance(tape)
    tape.frames.clear()
    begin = int(clock.now().timestamp() * 1000)
    linear = market.instruments(Category.LINEAR)
    opened = [rows_of(market, instrument, "1", None, None, 1)[0][4] for instrument in linear]
    live(market, clock, tape, steps=6_600)

    for instrument, price in zip(linear, opened, strict=True):
        frames = tape.of(Topic.trades(Category.LINEAR, instrument.symbol))
        trades = [trade for frame in frames for trade in frame["data"]]
        for interval, minutes in (("1", 1), ("5", 5)):
            built = _built(trades, minutes, price)
            served = rows_of(market, instrument, interval, begin + 1, None, 1000)
            whole = {row[0]: [float(value) for value in row[1:6]] for row in served}
            assert len(whole) == 11 // minutes
            for start, numbers in whole.items():
                assert numbers == pytest.approx(built.get(start, numbers))
            assert {start for start in built if int(start) > begin} <= whole.keys()


def _built(trades: list[Json], minutes: int, opened: str) -> dict[str, list[float]]:
    """Open, high, low, close, volume per start: the textbook way, from the trades alone."""
    candles: dict[str, list[float]] = {}
    close = float(opened)
    for trade in trades:
        length = minutes * MINUTE_MS
        start = str(trade["T"] // length * length)
        price = float(trade["p"])
        candle = candles.setdefault(start, [close, close, close, close, 0.0])
        candle[1], candle[2] = max(candle[1], price), min(candle[2], price)
        candle[3] = close = price
        candle[4] += float(trade["v"])
    return candles


def test_the_stream_and_rest_tell_the_same_candle() -> None:
    clock = HandClock()
    market = small_market(clock)
    tape = Tape(wanted=lambda topic: topic.kind.startswith("kline."))
    live(market, clock, tape, steps=1_300)
    instrument = first_linear(market)

    for interval in INTERVALS:
        frame = snapshot_of(market, Topic.kline(Category.LINEAR, interval, instrument.symbol))
        (candle,) = frame["data"]
        keys = ("open", "high", "low", "close", "volume", "turnover")
        row = [str(candle["start"]), *(candle[key] for key in keys)]
        assert rows_of(market, instrument, interval, None, None, 1) == [row], interval
    confirmed = [
        candle
        for frame in tape.of(Topic.kline(Category.LINEAR, "1", instrument.symbol))
        for candle in frame["data"]
        if candle["confirm"]
    ]
    served = {int(row[0]): row for row in rows_of(market, instrument, "1")}
    for candle in confirmed:
        assert served[candle["start"]][4] == candle["close"]
        assert served[candle["start"]][5] == candle["volume"]


def test_thirty_days_of_candles_agree_among_intervals() -> None:
    market = small_market(HandClock())
    instrument = first_linear(market)
    days = rows_of(market, instrument, "D")
    hours = rows_of(market, instrument, "60")

    assert len(days) >= 31
    assert len(hours) >= 30 * 24
    for newer, older in pairwise(days):
        assert int(newer[0]) - int(older[0]) == 1_440 * MINUTE_MS
        assert newer[1] == older[4]
    for start, opened, high, low, close, volume, _ in days[:-1]:
        within = [row for row in hours if 0 <= int(row[0]) - int(start) < 1_440 * MINUTE_MS]
        assert (within[-1][1], within[0][4]) == (opened, close)
        assert max(float(row[2]) for row in within) == float(high)
        assert min(float(row[3]) for row in within) == float(low)
        assert sum(float(row[5]) for row in within) == pytest.approx(float(volume))
    assert rows_of(market, instrument, "D") == days


@pytest.mark.parametrize(
    "leap", [timedelta(minutes=9), timedelta(hours=5), timedelta(days=3), timedelta(days=40)]
)
def test_a_leap_of_the_clock_leaves_no_hole(leap: timedelta) -> None:
    clock, listening = HandClock(), Tape(wanted=lambda topic: topic.kind.startswith("kline"))
    market = small_market(clock)
    live(market, clock, listening, steps=20)
    clock.instant += leap
    live(market, clock, listening, steps=20)
    instrument = first_linear(market)

    rows, long = rows_of(market, instrument, "1"), rows_of(market, instrument, "30")
    starts, half_hours = ([int(row[0]) for row in some] for some in (rows, long))
    for newer, older in [*pairwise(rows), *pairwise(long)]:
        assert newer[1] == older[4]

    assert starts == list(range(starts[0], starts[0] - 1000 * MINUTE_MS, -MINUTE_MS))
    assert len(half_hours) == 1000
    assert half_hours[0] - half_hours[-1] == 999 * 30 * MINUTE_MS


def test_a_clock_set_back_and_forth_leaves_candles_in_order() -> None:
    clock = HandClock()
    market = small_market(clock)
    back_and_forth = (
        timedelta(hours=-24),
        timedelta(hours=24),
        timedelta(days=-1),
        timedelta(days=3),
    )
    for leap in back_and_forth:
        clock.instant += leap
        live(market, clock, DEAF, steps=100)

        rows = rows_of(market, first_linear(market), "1")
        for newer, older in pairwise(rows):
            assert int(newer[0]) - int(older[0]) == MINUTE_MS
            assert newer[1] == older[4]


def test_windows_are_cut_as_asked() -> None:
    clock = HandClock()
    market = small_market(clock)
    instrument, now = first_linear(market), int(clock.now().timestamp() * 1000)
    minute = now // MINUTE_MS * MINUTE_MS

    assert len(rows_of(market, instrument, "1", None, None, 200)) == 200
    from_start = rows_of(market, instrument, "1", minute - 500 * MINUTE_MS, None, 10)
    to_end = rows_of(market, instrument, "1", None, minute - 100 * MINUTE_MS, 10)
    both = rows_of(market, instrument, "1", minute - 3 * MINUTE_MS, minute, 200)

    assert [int(row[0]) for row in from_start][-1] == minute - 500 * MINUTE_MS
    assert len(from_start) == 10
    assert int(to_end[0][0]) == minute - 100 * MINUTE_MS
    assert [int(row[0]) for row in both] == [minute - i * MINUTE_MS for i in range(4)]
    assert rows_of(market, instrument, "1", minute + MINUTE_MS, None, 5) == []
    assert rows_of(market, instrument, "60", 0, 1, 5) == []


async def test_rest_has_the_documented_shape(http: httpx.AsyncClient, shared_data: Path) -> None:
    document = orjson.loads((shared_data / "docs" / "market__kline.json").read_bytes())
    for category in Category:
        params = {"category": category.value, "symbol": "BTCUSDT", "interval": "D"}
        ours = (await http.get(KLINE, params=params)).json()

        assert shape(ours) == shape(document["examples"][0]["json"])
        assert all(is_trimmed(value) for row in ours["result"]["list"] for value in row)


@pytest.mark.parametrize(("interval", "start"), [("W", (2026, 8, 3)), ("M", (2026, 8, 1))])
def test_weeks_begin_on_monday_and_months_on_the_first(
    interval: str, start: tuple[int, int, int]
) -> None:
    minute = int(datetime(2026, 8, 9, 20, 17, tzinfo=UTC).timestamp()) // 60
    expected = int(datetime(*start, tzinfo=UTC).timestamp()) // 60
    assert interval_start(interval, minute) == expected
    assert interval_start(interval, interval_end(interval, expected)) == interval_end(
        interval, expected
    )


TRADES = st.lists(
    st.tuples(st.integers(0, 90), st.integers(1, 999), st.integers(1, 99)), min_size=1
)


@given(TRADES, st.sampled_from(INTERVALS))
def test_any_trades_make_the_candles_a_reader_of_the_tape_makes(
    trades: list[tuple[int, int, int]], interval: str
) -> None:
    history = History(_never, _never)
    day, minute = RollingDay(minute=0, price=trades[0][1], closed=history.close), 0
    expected: dict[int, Candle] = {}
    close = trades[0][1]
    for gap, price, lots in trades:
        minute += gap
        day.trade(minute=minute, price=price, lots=lots)
        start = interval_start(interval, minute)
        candle = expected.setdefault(start, Candle(start, close, close, close, close))
        candle.take(Candle(start, price, price, price, price, lots, price * lots))
        close = price
    day.end_minute()

    served = {c.start: c for c in gather(history.read(0, minute + 1), interval, 0, minute + 1)}

    assert {start: served[start] for start in expected} == expected
    assert all(c.lots == 0 for start, c in served.items() if start not in expected)


def _never(_: Any) -> Any:
    raise AssertionError("there is nothing to make")


def test_minutes_without_a_trade_are_there_before_the_next_trade() -> None:
    history = History(_never, _never)
    history.close(Bar(5, 3, 4, 2, 3, 1, 3))

    candles = gather(history.read(5, 8), "1", 5, 8)

    assert candles[1:] == [Candle(minute, 3, 3, 3, 3) for minute in (6, 7)]


def test_a_quiet_minute_is_confirmed() -> None:
    topic = Topic.kline(Category.LINEAR, "1", "BTCUSDT")
    clock, tape = HandClock(), Tape(wanted=lambda wanted: wanted == topic)
    market = small_market(clock)
    market.process(Category.LINEAR, "BTCUSDT")._trades_per_step = 0
    market._fair["BTC"]._move_ppb = 0
    live(market, clock, tape, steps=1_300)

    confirmed = [c for frame in tape.of(topic) for c in frame["data"] if c["confirm"]]
    assert [candle["volume"] for candle in confirmed] == ["0", "0"]


def test_a_minute_is_taken_once() -> None:
    history = History(_never, _never)
    for lots in (1, 2):
        history.close(Bar(7, 1, 1, 1, 1, lots, lots))

    assert [list(part.lots) for part in history.read(0, 8)] == [[1]]
