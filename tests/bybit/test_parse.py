import re
from collections import Counter
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from adapters.bybit.market_merge import MarketMerge
from adapters.bybit.merge import LinearMerge, SpotMerge, merge_of
from adapters.bybit.parse import (
    BestPrices,
    Frame,
    FrameKind,
    Unusable,
    answered_at,
    best_prices_of,
    cursor_of,
    frame_of,
    instrument_of,
    rows_of,
    ticker_of,
)
from adapters.bybit.parse_books import book_data_of, order_book_of
from adapters.bybit.parse_tape import (
    candles_of,
    funding_rates_of,
    open_interest_of,
    pushed_candles_of,
    pushed_trades_of,
    recent_trades_of,
)
from domain.kernel.ids import AssetCode, Category, InstrumentId, Symbol
from domain.market import Instrument, InstrumentStatus, Interval, Source, Ticker
from tests.bybit.venue import BOOK, SNAPSHOT

# No deadline: a machine shared with others pauses as it likes.
FRUGAL = settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.too_slow])

Json = dict[str, Any]
T0 = datetime(2026, 8, 9, tzinfo=UTC)

scalars = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=8)
    | st.sampled_from(["NaN", "Infinity", "1e999", "1_000", "٣", " 1", "0", "-0", "1.5", "9" * 60])
)
names = st.sampled_from([*SNAPSHOT, "topic", "type", "ts", "data", "b", "a", "symbol", "status"])
anything = st.recursive(
    scalars,
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(names | st.text(), inner, max_size=8)
    ),
    max_leaves=20,
)
tickerish = st.fixed_dictionaries({}, optional=dict.fromkeys(SNAPSHOT, anything))


def frame(symbol: str, kind: FrameKind, data: Json, *, topic: str = "tickers") -> Frame:
    return Frame(f"{topic}.{symbol}", kind, data, T0)


@FRUGAL
@given(anything)
def test_nothing_from_the_wire_makes_parsing_raise(value: Any) -> None:
    answered_at(value)
    cursor_of(value)
    frame_of(value)
    rows_of(value)
    pushed_trades_of(value)
    recent_trades_of(value)
    book_data_of(value)
    for category in Category:
        instrument_of(category, value)
        instrument = InstrumentId(category, Symbol("A"))
        order_book_of(instrument, 50, value, source=Source.BYBIT)
        funding_rates_of(instrument, value)
        open_interest_of(instrument, value)
        for read in (pushed_candles_of, candles_of):
            read(instrument, Interval.MINUTE_1, value, as_of=T0, source=Source.BYBIT)
    if isinstance(value, dict):
        best_prices_of(value)


@FRUGAL
@given(tickerish, st.sampled_from(Category))
def test_a_ticker_is_whole_or_unusable(data: Json, category: Category) -> None:
    instrument = InstrumentId(category, Symbol("BTCUSDT"))
    ticker = ticker_of(instrument, data, as_of=T0, source=Source.BYBIT)

    if isinstance(ticker, Ticker):
        assert isinstance(ticker.last_price, Decimal)
        assert ticker.last_price.is_finite()
    else:
        assert re.fullmatch(r"[a-z_]+:[A-Za-z0-9]+", ticker.reason)


NAMES = ["tickers", "orderbook.1", "orderbook.50", "orderbook.7", "publicTrade", "kline.1"]


@FRUGAL
@given(
    anything | st.lists(anything, max_size=3),
    st.sampled_from(Category),
    st.sampled_from([*NAMES, "kline.x", "kline", "orderbook", "x"]),
    st.sampled_from(FrameKind),
)
def test_merging_never_raises(data: Any, category: Category, topic: str, kind: FrameKind) -> None:
    merge = MarketMerge(category, Source.BYBIT)
    read = frame_of({"topic": f"{topic}.A", "type": kind, "ts": 1, "data": data})
    if isinstance(read, Frame):
        merge.apply(read)


values = st.decimals(
    min_value=0, max_value=10**9, places=4, allow_nan=False, allow_infinity=False
).map(lambda value: f"{value:f}")
whole = st.fixed_dictionaries(dict.fromkeys(SNAPSHOT, values))
part = st.fixed_dictionaries({}, optional=dict.fromkeys(SNAPSHOT, values))


@FRUGAL
@given(whole, st.lists(st.tuples(st.booleans(), part, whole), max_size=12))
def test_snapshot_and_deltas_end_in_the_last_value_of_each(
    first: Json, updates: list[tuple[bool, Json, Json]]
) -> None:
    merge = LinearMerge(Source.BYBIT)
    newest = merge.apply(frame("A", FrameKind.SNAPSHOT, first))
    expected = dict(first)
    for is_snapshot, delta, snapshot in updates:
        kind = FrameKind.SNAPSHOT if is_snapshot else FrameKind.DELTA
        data = snapshot if is_snapshot else delta
        expected = {} | snapshot if is_snapshot else expected | delta
        newest = merge.apply(frame("A", kind, data))

    instrument = InstrumentId(Category.LINEAR, Symbol("A"))
    assert newest == ticker_of(instrument, expected, as_of=T0, source=Source.BYBIT)
    assert isinstance(newest, Ticker)


def test_a_delta_before_its_snapshot_is_refused() -> None:
    merge = LinearMerge(Source.BYBIT)

    assert merge.apply(frame("A", FrameKind.DELTA, SNAPSHOT)) == Unusable("delta_before_snapshot")
    assert isinstance(merge.apply(frame("A", FrameKind.SNAPSHOT, SNAPSHOT)), Ticker)
    merge.forget("tickers.A")
    assert merge.apply(frame("A", FrameKind.DELTA, SNAPSHOT)) == Unusable("delta_before_snapshot")


def test_a_broken_delta_leaves_the_state_as_it_was() -> None:
    merge = LinearMerge(Source.BYBIT)
    merge.apply(frame("A", FrameKind.SNAPSHOT, SNAPSHOT))

    broken = merge.apply(frame("A", FrameKind.DELTA, {"lastPrice": 5.5, "volume24h": "99"}))
    after = merge.apply(frame("A", FrameKind.DELTA, {"lastPrice": "7"}))

    assert broken == Unusable("not_a_number:lastPrice")
    assert isinstance(after, Ticker)
    assert (after.last_price, after.volume_24h) == (Decimal(7), Decimal(12))


def test_a_contract_before_its_first_trade_waits_for_its_price() -> None:
    merge = LinearMerge(Source.BYBIT)
    waiting = merge.apply(frame("A", FrameKind.SNAPSHOT, SNAPSHOT | {"lastPrice": ""}))
    trading = merge.apply(frame("A", FrameKind.DELTA, {"lastPrice": "3"}))

    assert waiting == Unusable("missing:lastPrice", incomplete=True)
    assert isinstance(trading, Ticker)


def test_spot_waits_for_both_of_its_topics() -> None:
    merge = SpotMerge(Source.BYBIT)
    book = frame("A", FrameKind.SNAPSHOT, BOOK, topic="orderbook.1")

    assert merge.apply(frame("A", FrameKind.SNAPSHOT, SNAPSHOT)) is None
    ticker = merge.apply(book)
    assert isinstance(ticker, Ticker)
    assert ticker.ask_size == Decimal(2)
    merge.forget("tickers.A")
    assert merge.apply(book) is None
    refused = merge.apply(frame("A", FrameKind.DELTA, BOOK, topic="orderbook.1"))
    assert isinstance(refused, Unusable)


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("", None),
        (None, None),
        ("0", None),
        ("1786320000000", datetime(2026, 8, 10, 0, 0, tzinfo=UTC)),
        (1786310817583, datetime(2026, 8, 9, 21, 26, 57, 583000, tzinfo=UTC)),
    ],
)
def test_times_are_milliseconds_in_utc(written: object, read: datetime | None) -> None:
    data = SNAPSHOT | {"nextFundingTime": written}
    ticker = ticker_of(
        InstrumentId(Category.LINEAR, Symbol("A")), data, as_of=T0, source=Source.BYBIT
    )

    assert isinstance(ticker, Ticker)
    assert ticker.next_funding_at == read


def test_an_unknown_status_is_shown_and_not_tradable(recordings: Path) -> None:
    row = _first_row(recordings, "linear") | {"status": "SomethingNew", "brandNewField": [1]}
    instrument = instrument_of(Category.LINEAR, row)

    assert isinstance(instrument, Instrument)
    assert instrument.status is InstrumentStatus.SUSPENDED


# -- the recorded mainnet session of 2026-08-09 ------------------------------------------------


def test_recorded_linear_snapshot_has_exactly_these_values(recorded: list[Json]) -> None:
    first = next(r["msg"] for r in recorded if r["msg"].get("topic") == "tickers.BTCUSDT")
    read = frame_of(first)
    assert isinstance(read, Frame)

    assert LinearMerge(Source.RECORDING).apply(read) == Ticker(
        id=InstrumentId(Category.LINEAR, Symbol("BTCUSDT")),
        last_price=Decimal("65114.30"),
        bid_price=Decimal("65114.20"),
        bid_size=Decimal("5.954"),
        ask_price=Decimal("65114.30"),
        ask_size=Decimal("10.470"),
        high_price_24h=Decimal("65282.30"),
        low_price_24h=Decimal("64694.40"),
        previous_price_24h=Decimal("65008.70"),
        change_24h=Decimal("0.001624"),
        volume_24h=Decimal("17573.9120"),
        turnover_24h=Decimal("1142118412.9021"),
        mark_price=Decimal("65117.44"),
        index_price=Decimal("65137.76"),
        open_interest=Decimal("59891.732"),
        funding_rate=Decimal("0.0001"),
        next_funding_at=datetime(2026, 8, 10, 0, 0, tzinfo=UTC),
        as_of=datetime(2026, 8, 9, 21, 26, 57, 583000, tzinfo=UTC),
        stale=False,
        source=Source.RECORDING,
    )


def test_recorded_spot_snapshot_has_exactly_these_values(recorded: list[Json]) -> None:
    first = next(
        r["msg"]
        for r in recorded
        if r["category"] == "spot" and r["msg"].get("topic") == "tickers.BTCUSDT"
    )
    read = frame_of(first)
    assert isinstance(read, Frame)
    ticker = SpotMerge(Source.RECORDING).apply(read, book_expected=False)

    assert isinstance(ticker, Ticker)
    assert ticker.last_price == Decimal("65140.5")
    assert ticker.volume_24h == Decimal("2953.835931")
    assert ticker.turnover_24h == Decimal("191907024.69597728")
    assert (ticker.bid_price, ticker.ask_price, ticker.mark_price) == (None, None, None)
    assert ticker.as_of == datetime(2026, 8, 9, 21, 26, 59, 126000, tzinfo=UTC)


def test_the_whole_recording_merges_without_a_dropped_frame(recorded: list[Json]) -> None:
    merges = {category: merge_of(category, Source.RECORDING) for category in Category}
    last: dict[tuple[Category, str], Json] = {}
    newest: dict[tuple[Category, str], Ticker] = {}
    for row in recorded:
        topic = row["msg"].get("topic", "")
        if not topic.startswith("tickers."):
            continue
        category = Category(row["category"].upper())
        read = frame_of(row["msg"])
        assert isinstance(read, Frame)
        ticker = merges[category].apply(read, book_expected=False)
        assert isinstance(ticker, Ticker)
        key = category, topic
        assert key not in newest or newest[key].as_of <= ticker.as_of
        newest[key] = ticker
        last[key] = last.get(key, {}) | row["msg"]["data"]

    assert Counter(category for category, _ in newest) == {Category.LINEAR: 2, Category.SPOT: 1}
    for key, ticker in newest.items():
        assert ticker.last_price == Decimal(last[key]["lastPrice"])
        assert ticker.volume_24h == Decimal(last[key]["volume24h"])
    linear = newest[Category.LINEAR, "tickers.BTCUSDT"]
    assert linear.bid_price == Decimal(last[Category.LINEAR, "tickers.BTCUSDT"]["bid1Price"])


def test_recorded_books_give_their_best_prices(recorded: list[Json]) -> None:
    snapshots = [
        r["msg"]
        for r in recorded
        if r["msg"].get("topic", "").startswith("orderbook") and r["msg"]["type"] == "snapshot"
    ]
    assert len(snapshots) == 3
    for message in snapshots:
        best = best_prices_of(message["data"])
        assert isinstance(best, BestPrices)
        assert best.bid_price == max(Decimal(price) for price, _ in message["data"]["b"])
        assert best.ask_price == min(Decimal(price) for price, _ in message["data"]["a"])


@pytest.mark.parametrize(("category", "count"), [(Category.LINEAR, 557), (Category.SPOT, 385)])
def test_every_recorded_instrument_is_read(
    recordings: Path, category: Category, count: int
) -> None:
    answer = _answer(recordings, category.lower())
    rows = rows_of(answer)
    assert not isinstance(rows, Unusable)
    found = [instrument_of(category, row) for row in rows]

    assert [f for f in found if isinstance(f, Unusable)] == []
    assert len(found) == count
    assert cursor_of(answer) is None


def test_a_recorded_linear_instrument_has_exactly_these_values(recordings: Path) -> None:
    assert instrument_of(Category.LINEAR, _first_row(recordings, "linear")) == Instrument(
        id=InstrumentId(Category.LINEAR, Symbol("1000000MOGUSDT")),
        base_asset=AssetCode("1000000MOG"),
        quote_asset=AssetCode("USDT"),
        settle_asset=AssetCode("USDT"),
        status=InstrumentStatus.TRADING,
        tick_size=Decimal("0.00001"),
        quantity_step=Decimal(1),
        min_quantity=Decimal(1),
        max_quantity=Decimal(1500000),
        min_notional=Decimal(5),
        max_leverage=Decimal("50.00"),
        funding_interval_minutes=240,
        launched_at=datetime(2024, 5, 16, 15, 43, 33, tzinfo=UTC),
    )


def test_a_recorded_spot_instrument_has_exactly_these_values(recordings: Path) -> None:
    assert instrument_of(Category.SPOT, _first_row(recordings, "spot")) == Instrument(
        id=InstrumentId(Category.SPOT, Symbol("BTCUSDT")),
        base_asset=AssetCode("BTC"),
        quote_asset=AssetCode("USDT"),
        settle_asset=None,
        status=InstrumentStatus.TRADING,
        tick_size=Decimal("0.1"),
        quantity_step=Decimal("0.000001"),
        min_quantity=Decimal("0.000001"),
        max_quantity=Decimal(230),
        min_notional=Decimal(5),
        max_leverage=None,
        funding_interval_minutes=None,
        launched_at=None,
    )


def _answer(recordings: Path, category: str) -> Json:
    answer: Json = orjson.loads((recordings / f"instruments-info_{category}.json").read_bytes())
    return answer


def _first_row(recordings: Path, category: str) -> Json:
    row: Json = _answer(recordings, category)["result"]["list"][0]
    return row
