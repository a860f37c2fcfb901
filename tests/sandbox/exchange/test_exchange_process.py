"""The price process and its statistics, without any socket."""

from collections import Counter
from datetime import UTC, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.sandbox.exchange.instruments import INSTRUMENTS, Category
from adapters.sandbox.exchange.simulation import SimulatedMarket
from adapters.sandbox.exchange.statistics import DAY_MINUTES, RollingDay
from adapters.sandbox.exchange.venue import Topic
from adapters.sandbox.exchange.wire import fixed, plain, ratio, rescaled
from tests.sandbox.exchange.support import (
    BTC_AND_SOL,
    HandClock,
    Json,
    Tape,
    live,
    order_numbers,
    small_market,
    snapshot_of,
    update_ids,
)

BTC = Topic.tickers(Category.LINEAR, "BTCUSDT")
FIVE_SECONDS = 50


def lived(*, seed: int, steps: int = FIVE_SECONDS) -> list[tuple[Topic, Json]]:
    clock, tape = HandClock(), Tape()
    live(small_market(clock, seed=seed), clock, tape, steps=steps)
    return tape.frames


def assert_day_agrees(row: dict[str, str]) -> None:
    last, high, low = (Decimal(row[k]) for k in ("lastPrice", "highPrice24h", "lowPrice24h"))
    before, percent = Decimal(row["prevPrice24h"]), row["price24hPcnt"]
    assert high >= last >= low
    step = Decimal("0.000001") if "markPrice" in row else Decimal("0.0001")
    assert Decimal(percent) == ((last - before) / before).quantize(step, ROUND_HALF_UP)
    average = Decimal(row["turnover24h"]) / Decimal(row["volume24h"])
    assert low * Decimal("0.999") <= average <= high * Decimal("1.001")
    assert Decimal(row["bid1Price"]) < Decimal(row["ask1Price"])


def test_the_same_seed_and_instants_give_the_same_market() -> None:
    assert lived(seed=3) == lived(seed=3)


def test_another_seed_gives_another_market() -> None:
    assert lived(seed=3) != lived(seed=4)


def test_what_is_listened_to_does_not_change_the_path() -> None:
    clocks = HandClock(), HandClock()
    deaf, heard = (small_market(clock, seed=3) for clock in clocks)
    live(deaf, clocks[0], Tape(wanted=lambda _: False), steps=FIVE_SECONDS)
    live(heard, clocks[1], Tape(), steps=FIVE_SECONDS)

    for instrument in BTC_AND_SOL:
        assert deaf.ticker_row(instrument) == heard.ticker_row(instrument)


def test_the_day_agrees_with_the_path() -> None:
    clock, deaf = HandClock(), Tape(wanted=lambda _: False)
    market = SimulatedMarket(seed=5, clock=clock)
    for leap in (timedelta(0), timedelta(minutes=7, seconds=3), timedelta(hours=30)):
        clock.instant += leap
        live(market, clock, deaf, steps=FIVE_SECONDS)
        for instrument in INSTRUMENTS:
            assert_day_agrees(market.ticker_row(instrument))


def test_a_clock_set_back_stops_nothing() -> None:
    clock, tape = HandClock(), Tape()
    market = small_market(clock, seed=5)
    clock.pass_by(days=-3)
    live(market, clock, tape, steps=FIVE_SECONDS)

    assert tape.of(BTC)
    for instrument in BTC_AND_SOL:
        assert_day_agrees(market.ticker_row(instrument))


def test_deltas_merge_to_the_rest_row() -> None:
    clock, tape = HandClock(), Tape()
    market = small_market(clock, seed=6)
    merged: dict[str, str] = {}
    for _ in range(600):
        live(market, clock, tape, steps=1)
        for frame in tape.of(BTC):
            merged = frame["data"] if frame["type"] == "snapshot" else merged | frame["data"]
        tape.frames.clear()

        row = market.ticker_row(market.instruments(Category.LINEAR)[0])
        assert {key: merged[key] for key in merged.keys() & row.keys()} == {
            key: row[key] for key in merged.keys() & row.keys()
        }


def test_a_late_subscriber_starts_from_what_the_others_have_merged() -> None:
    clock, tape = HandClock(), Tape()
    market = small_market(clock, seed=6)
    live(market, clock, tape, steps=FIVE_SECONDS)
    merged: dict[str, str] = {}
    for frame in tape.of(BTC):
        merged |= frame["data"]

    assert snapshot_of(market, BTC)["data"] == merged


def test_deltas_carry_only_what_changed_and_prices_with_their_sizes() -> None:
    frames = [frame for topic, frame in lived(seed=7, steps=600) if topic == BTC]
    assert [frame["type"] for frame in frames].count("snapshot") == 1
    shown = dict(frames[0]["data"])
    for frame in frames[1:]:
        keys = frame["data"].keys()
        assert any(shown[key] != value for key, value in frame["data"].items())
        assert ("bid1Price" in keys) == ("bid1Size" in keys)
        assert ("turnover24h" in keys) == ("volume24h" in keys)
        shown |= frame["data"]


def test_rates_are_those_of_the_recording() -> None:
    minute = Counter(topic for topic, _ in lived(seed=8, steps=600))

    assert 180 <= minute[BTC] <= 340
    assert 50 <= minute[Topic.tickers(Category.SPOT, "BTCUSDT")] <= 180
    assert 100 <= minute[Topic.best(Category.SPOT, "BTCUSDT")] <= 600


def test_sequences_only_grow_and_a_restart_does_not_run_behind() -> None:
    clock, tape = HandClock(), Tape()
    live(small_market(clock, seed=9), clock, tape, steps=600)
    restarted = Tape()
    live(small_market(clock, seed=9), clock, restarted, steps=2)

    for topic in {topic for topic, _ in tape.frames}:
        frames = tape.of(topic) + restarted.of(topic)
        numbers, updates = order_numbers(frames), update_ids(frames)
        assert numbers == sorted(numbers)
        assert updates == sorted(updates)


def test_a_quiet_book_is_repeated_with_the_same_update_id() -> None:
    clock, tape = HandClock(), Tape()
    market = small_market(clock, seed=10)
    live(market, clock, tape, steps=1)
    best = Topic.best(Category.SPOT, "BTCUSDT")
    listing = market._listings[Category.SPOT, "BTCUSDT"]
    tape.frames.clear()

    listing.publish(tape, market._now_ms + 2_900)
    assert tape.of(best) == []
    listing.publish(tape, market._now_ms + 3_000)
    assert [frame["data"]["u"] for frame in tape.of(best)] == [listing.process.update_id]


def test_a_shock_moves_spot_linear_and_index_at_once() -> None:
    clock, tape = HandClock(), Tape()
    market = small_market(clock, seed=10)
    linear, spot = (market.instruments(category)[0] for category in Category)
    before = market.ticker_row(linear), market.ticker_row(spot)

    market.shock(linear, Decimal(-10), tape)

    for old, new in zip(before, (market.ticker_row(linear), market.ticker_row(spot)), strict=True):
        assert Decimal(new["bid1Price"]) / Decimal(old["bid1Price"]) == pytest.approx(
            Decimal("0.9"), abs=Decimal("0.0001")
        )
        assert_day_agrees(new)
    assert [frame["type"] for frame in tape.of(BTC)] == ["snapshot"]


def test_the_next_funding_is_ahead_on_the_venues_grid() -> None:
    clock = HandClock(datetime(2026, 8, 9, 7, 59, 59, 950_000, tzinfo=UTC))
    market = small_market(clock, seed=10)
    live(market, clock, Tape(), steps=1)

    row = market.ticker_row(market.instruments(Category.LINEAR)[0])

    sixteen = datetime(2026, 8, 9, 16, tzinfo=UTC)
    assert row["nextFundingTime"] == str(int(sixteen.timestamp() * 1000))


TRADES = st.lists(
    st.tuples(st.integers(0, 700), st.integers(1, 10**6), st.integers(1, 10**6)), min_size=1
)


@given(TRADES)
def test_the_rolling_day_equals_a_look_at_every_trade(trades: list[tuple[int, int, int]]) -> None:
    day, minute, seen = RollingDay(minute=0, price=trades[0][1]), 0, []
    for gap, price, lots in trades:
        minute += gap
        day.trade(minute=minute, price=price, lots=lots)
        seen.append((minute, price, lots))

        window = [trade for trade in seen if trade[0] >= minute - DAY_MINUTES]
        gone = [trade for trade in seen if trade[0] < minute - DAY_MINUTES]
        assert day.lots == sum(lots for _, _, lots in window)
        assert day.tick_lots == sum(price * lots for _, price, lots in window)
        assert day.high == max([p for _, p, _ in window] + ([] if gone else [trades[0][1]]))
        assert day.low == min([p for _, p, _ in window] + ([] if gone else [trades[0][1]]))
        assert day.high >= price >= day.low
        assert day.price_day_ago == (gone[-1][1] if gone else trades[0][1])


@given(st.integers(-(10**18), 10**18), st.integers(0, 12))
def test_integers_are_written_as_decimals_would_be(units: int, decimals: int) -> None:
    value = Decimal(units).scaleb(-decimals)

    assert fixed(units, decimals) == f"{value:.{decimals}f}"
    assert Decimal(plain(units, decimals)) == value
    assert not plain(units, decimals).endswith(".")


@given(st.integers(0, 10**12), st.integers(0, 12), st.integers(0, 12))
def test_rescaling_rounds_half_up(units: int, decimals: int, to_decimals: int) -> None:
    exact = Decimal(units).scaleb(to_decimals - decimals)
    assert rescaled(units, decimals, to_decimals) == exact.quantize(Decimal(1), ROUND_HALF_UP)


@given(st.integers(-(10**9), 10**9), st.integers(1, 10**9))
def test_a_ratio_is_within_half_a_unit(part: int, whole: int) -> None:
    assert abs(Decimal(ratio(part, whole, 6)) - Decimal(part) * 10**6 / whole) <= Decimal("0.5")
