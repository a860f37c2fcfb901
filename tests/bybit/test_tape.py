"""Trades and candles: nothing twice, nothing backwards, and the recorded ones exactly."""

from collections import defaultdict
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from adapters.bybit.parse import Frame, Unusable, frame_of
from adapters.bybit.tape import IDS_KEPT, CandleMerge, TradeMerge
from domain.kernel.ids import Category, InstrumentId, Side, Symbol
from domain.market import Candle, Interval, Source, Trade
from tests.bybit.venue import T0_MS, candle, trade

Json = dict[str, Any]
A = InstrumentId(Category.LINEAR, Symbol("AUSDT"))
BTC = InstrumentId(Category.LINEAR, Symbol("BTCUSDT"))
T0 = datetime(2026, 8, 9, 21, 26, 57, 583000, tzinfo=UTC)


def pushed(topic: str, *rows: object, after_ms: int = 0) -> Frame:
    frame = frame_of(
        {"topic": topic, "type": "snapshot", "ts": T0_MS + after_ms, "data": list(rows)}
    )
    assert isinstance(frame, Frame)
    return frame


def trades_merge() -> TradeMerge:
    return TradeMerge(A, Source.BYBIT)


def candles_merge() -> CandleMerge:
    return CandleMerge(A, Interval.MINUTE_1, Source.BYBIT)


def test_trades_of_a_frame_keep_the_venues_order() -> None:
    rows = [trade("3", T=T0_MS + 2), trade("1", S="Sell", p="100.40", v="0.10"), trade("2")]
    found = trades_merge().apply(pushed("publicTrade.AUSDT", *rows))

    assert not isinstance(found, Unusable)
    (trades,) = found
    assert [t.id for t in trades.trades] == ["3", "1", "2"]
    assert trades.trades[1] == Trade("1", Decimal("100.40"), Decimal("0.10"), Side.SELL, T0)
    assert (trades.instrument, trades.dropped, trades.stale, trades.as_of) == (A, 0, False, T0)


def test_a_trade_is_told_once_even_over_two_connections() -> None:
    merge = trades_merge()
    merge.apply(pushed("publicTrade.AUSDT", trade("1"), trade("2")))

    again = merge.apply(pushed("publicTrade.AUSDT", trade("2"), trade("3"), trade("3")))
    assert not isinstance(again, Unusable)
    assert [[t.id for t in trades.trades] for trades in again] == [["3"]]
    assert merge.apply(pushed("publicTrade.AUSDT", trade("1"))) == ()


def test_what_is_remembered_of_trades_is_bounded() -> None:
    merge = trades_merge()
    for number in range(3 * IDS_KEPT):
        merge.apply(pushed("publicTrade.AUSDT", trade(str(number))))

    assert len(merge._ids) == len(merge._in_order) == IDS_KEPT
    assert merge.apply(pushed("publicTrade.AUSDT", trade(str(3 * IDS_KEPT - 1)))) == ()


@pytest.mark.parametrize(
    "odd", [None, 5, {}, trade("1", p=100.5), trade("1", S="buy"), trade(""), trade("1", T="x")]
)
def test_a_trade_nobody_can_read_is_counted_as_left_out(odd: object) -> None:
    found = trades_merge().apply(pushed("publicTrade.AUSDT", odd, trade("2")))

    assert not isinstance(found, Unusable)
    (trades,) = found
    assert ([t.id for t in trades.trades], trades.dropped) == (["2"], 1)


def test_a_frame_with_a_close_and_an_open_tells_both() -> None:
    found = candles_merge().apply(
        pushed("kline.1.AUSDT", candle(confirm=True), candle(1, open="101"))
    )

    assert not isinstance(found, Unusable)
    first, second = found
    assert (first.confirmed, second.confirmed) == (True, False)
    assert first.end == second.start
    assert (first.open_price, first.high_price, first.low_price, first.close_price) == (
        *map(Decimal, ("100", "102", "99", "101")),
    )
    assert (first.volume, first.turnover, second.open_price) == (*map(Decimal, (5, 505, 101)),)


def test_a_chart_never_runs_back() -> None:
    merge = candles_merge()
    told = [
        merge.apply(pushed("kline.1.AUSDT", *rows, after_ms=after_ms))
        for after_ms, rows in [
            (0, [candle(1)]),
            (1, [candle(0, confirm=True)]),  # a minute that was left behind
            (2, [candle(1, confirm=True)]),
            (3, [candle(1)]),  # final is final
            (4, [candle(2)]),
            (3, [candle(2, close="100")]),  # older than what was told
        ]
    ]

    assert [len(found) for found in told if not isinstance(found, Unusable)] == [1, 0, 1, 0, 1, 0]


@pytest.mark.parametrize(
    "odd", [None, {}, candle(confirm="true"), candle(open=1.5), candle(start="never")]
)
def test_a_candle_nobody_can_read_is_dropped(odd: object) -> None:
    assert isinstance(candles_merge().apply(pushed("kline.1.AUSDT", odd)), Unusable)


# -- the recorded mainnet session of 2026-08-09 ------------------------------------------------


def test_recorded_trades_are_told_exactly(recorded: list[Json]) -> None:
    merges: dict[tuple[str, str], TradeMerge] = {}
    told: dict[tuple[str, str], list[Trade]] = defaultdict(list)
    written: dict[tuple[str, str], list[Json]] = defaultdict(list)
    for row in recorded:
        topic = row["msg"].get("topic", "")
        if not topic.startswith("publicTrade."):
            continue
        key = row["category"], topic.removeprefix("publicTrade.")
        instrument = InstrumentId(Category(key[0].upper()), Symbol(key[1]))
        read = frame_of(row["msg"])
        assert isinstance(read, Frame)
        found = merges.setdefault(key, TradeMerge(instrument, Source.RECORDING)).apply(read)
        assert not isinstance(found, Unusable)
        (trades,) = found
        assert (trades.dropped, trades.instrument) == (0, instrument)
        told[key] += trades.trades
        written[key] += row["msg"]["data"]

    assert {key: len(trades) for key, trades in told.items()} == {
        ("linear", "BTCUSDT"): 56,
        ("linear", "SOLUSDT"): 165,
        ("spot", "BTCUSDT"): 11,
    }
    for key, rows in written.items():
        assert [(t.id, str(t.price), str(t.quantity), t.side.title()) for t in told[key]] == [
            (r["i"], r["p"], r["v"], r["S"]) for r in rows
        ]
        assert [round(t.at.timestamp() * 1000) for t in told[key]] == [r["T"] for r in rows]
    # What the last recorded candle of SOLUSDT says was traded.
    assert sum(t.quantity for t in told["linear", "SOLUSDT"]) == Decimal("5697.4")


def test_recorded_candles_are_told_exactly(recorded: list[Json]) -> None:
    merge = CandleMerge(BTC, Interval.MINUTE_1, Source.RECORDING)
    told: list[Candle] = []
    written: list[Json] = []
    for row in recorded:
        if row["category"] == "linear" and row["msg"].get("topic") == "kline.1.BTCUSDT":
            read = frame_of(row["msg"])
            assert isinstance(read, Frame)
            found = merge.apply(read)
            assert not isinstance(found, Unusable)
            told += found
            written += row["msg"]["data"]

    assert len(told) == len(written) == 23
    for candle_, row in zip(told, written, strict=True):
        assert str(candle_.close_price) == row["close"]
        assert str(candle_.turnover) == row["turnover"]
        assert candle_.confirmed is row["confirm"]
    assert [c for c in told if c.confirmed] == [
        Candle(
            instrument=BTC,
            interval=Interval.MINUTE_1,
            start=datetime(2026, 8, 9, 21, 26, tzinfo=UTC),
            open_price=Decimal("65119.9"),
            high_price=Decimal("65119.9"),
            low_price=Decimal("65114.2"),
            close_price=Decimal("65114.2"),
            volume=Decimal("3.712"),
            turnover=Decimal("241712.1394"),
            confirmed=True,
            as_of=datetime(2026, 8, 9, 21, 27, 0, 441000, tzinfo=UTC),
            stale=False,
            source=Source.RECORDING,
        )
    ]
