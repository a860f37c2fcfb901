"""Books, trades and candles come out of Redis as they went in, or not at all."""

from datetime import datetime
from decimal import Decimal
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.redis.book_codec import LazyLevels, decode_book, encode_book
from adapters.redis.codecs import decode_update, encode_update
from adapters.redis.fields import CorruptFrame
from adapters.redis.tape_codec import decode_tape, encode_tape
from domain.kernel.ids import Side
from domain.market import (
    BOOK_DEPTHS,
    Candle,
    Interval,
    Level,
    OrderBook,
    Source,
    Trade,
    Trades,
    Update,
    book_topic,
    topic_of,
)
from tests.redis.samples import BTC, ETH, book, candle, ticker, trade, trades
from tests.redis.test_frames import ids, instants, numbers

sources = st.sampled_from(Source)
levels = st.lists(st.builds(Level, numbers, numbers), max_size=50).map(tuple)
books = st.builds(
    OrderBook,
    id=ids,
    depth=st.sampled_from(BOOK_DEPTHS),
    bids=levels,
    asks=levels,
    sequence=st.integers(0, 2**53),
    as_of=instants,
    stale=st.booleans(),
    source=sources,
)
tapes = st.builds(
    Trades,
    instrument=ids,
    trades=st.lists(
        st.builds(Trade, st.text(), numbers, numbers, st.sampled_from(Side), instants), max_size=20
    ).map(tuple),
    dropped=st.integers(0, 2**40),
    as_of=instants,
    stale=st.booleans(),
    source=sources,
)
candles = st.builds(
    Candle,
    instrument=ids,
    interval=st.sampled_from(Interval),
    **{name: numbers for name, kind in Candle.__annotations__.items() if kind is Decimal},
    **{name: instants for name, kind in Candle.__annotations__.items() if kind is datetime},
    confirmed=st.booleans(),
    stale=st.booleans(),
    source=sources,
)


def decoded(update: Update, **changes: object) -> Update:
    return decode_update(orjson.loads(encode_update(update)) | changes, topic_of(update))


@given(books | tapes | candles)
def test_every_kind_survives_the_journey(sent: Update) -> None:
    assert decoded(sent) == sent


@given(tapes, st.none() | st.text())
def test_what_trades_follow_on_survives_too(sent: Trades, after: str | None) -> None:
    tape = decode_tape(orjson.loads(encode_tape(sent, after=after)), sent.instrument)

    assert (tape.trades, tape.after) == (sent, after)


@pytest.mark.parametrize("update", [ticker(), book(), trades(1, 2), candle()], ids=topic_of)
def test_what_a_newer_feed_adds_is_ignored(update: Update) -> None:
    assert decoded(update, trace="x") == update


def test_a_trade_and_a_candle_may_say_more_at_their_end() -> None:
    tape = orjson.loads(encode_update(trades(1)))
    tape["trades"][0].append("block trade")
    numbers = orjson.loads(encode_update(candle()))["numbers"]

    assert decode_update(tape, topic_of(trades())) == trades(1)
    assert decoded(candle(), numbers=[*numbers, "7"]) == candle()


@pytest.mark.parametrize("update", [ticker(), book(), trades(1, 2), candle()], ids=topic_of)
def test_a_part_missing_is_corrupt(update: Update) -> None:
    whole = orjson.loads(encode_update(update))

    for part in whole:
        with pytest.raises(CorruptFrame):
            decode_update({k: v for k, v in whole.items() if k != part}, topic_of(update))


@pytest.mark.parametrize("update", [book(), trades(1), candle()], ids=topic_of)
@pytest.mark.parametrize(
    "wrong",
    [
        {"symbol": ETH.symbol},
        {"category": "SPOT"},
        {"as_of": "2026"},
        {"stale": 0},
        {"source": "ELSEWHERE"},
    ],
    ids=str,
)
def test_what_is_wrong_in_every_kind_is_corrupt(update: Update, wrong: dict[str, object]) -> None:
    with pytest.raises(CorruptFrame):
        decoded(update, **wrong)


@pytest.mark.parametrize(
    ("update", "wrong"),
    [
        (book(), {"depth": 200}),
        (book(), {"sequence": "1"}),
        (book(), {"bids": ["1"]}),
        (book(), {"bids": ["1", 2]}),
        (book(), {"bids": ["1", "2 3"]}),
        (book(), {"bids": ["1", ""]}),
        (book(), {"bids": ["1", "2 "]}),
        (book(), {"bids": ["1 2 3 ", ""]}),
        (book(), {"asks": ["1", "NaN"]}),
        (book(), {"asks": ["1", "1e5"]}),
        (book(), {"asks": ["1", "\u0661"]}),
        (book(), {"asks": "12"}),
        (book(), {"asks": ["1", "2"] * 51}),
        (trades(1), {"trades": {}}),
        (trades(1), {"trades": ["t1abc"]}),
        (trades(1), {"trades": [["t1", "1", "2", "BUY"]]}),
        (trades(1), {"trades": [["t1", "1", "2", "HOLD", 3]]}),
        (trades(1), {"trades": [[1, "1", "2", "BUY", 3]]}),
        (trades(1), {"trades": [["t1", 1.5, "2", "BUY", 3]]}),
        (trades(1), {"dropped": -1}),
        (trades(1), {"dropped": True}),
        (trades(1), {"after": 7}),
        (candle(), {"interval": "HOUR_1"}),
        (candle(), {"numbers": ["1"] * 5}),
        (candle(), {"numbers": ["1"] * 5 + ["many"]}),
        (candle(), {"start": None}),
        (candle(), {"confirmed": 1}),
    ],
    ids=str,
)
def test_what_is_wrong_in_one_kind_is_corrupt(update: Update, wrong: dict[str, object]) -> None:
    with pytest.raises(CorruptFrame):
        decoded(update, **wrong)


@given(st.lists(st.builds(Level, numbers, numbers), max_size=20), st.data())
def test_lazy_levels_are_a_sequence_like_any_other(plain: list[Level], data: Any) -> None:
    sent = book(bids=plain, asks=[])
    lazy = decode_book(orjson.loads(encode_book(sent)), topic_of(sent)).bids
    assert isinstance(lazy, LazyLevels)

    part = data.draw(st.slices(len(plain)))
    assert list(lazy[part]) == plain[part]
    assert (len(lazy), list(lazy), list(reversed(lazy))) == (len(plain), plain, plain[::-1])
    assert lazy == plain
    assert lazy != [*plain, Level(Decimal(1), Decimal(1))]
    assert hash(lazy) == hash(tuple(plain))
    if plain:
        assert (lazy[0], lazy[-1]) == (plain[0], plain[-1])
    with pytest.raises(IndexError):
        lazy[len(plain)]


def test_a_level_is_made_when_it_is_looked_at() -> None:
    sent = book(levels=200, depth=200)
    received = decode_book(orjson.loads(encode_book(sent)), book_topic(BTC, 200))
    bids = received.bids
    assert isinstance(bids, LazyLevels)

    assert list(bids[:10]) == list(sent.bids[:10])
    assert len(bids._made) == 10
    assert encode_book(received) == encode_book(sent)
    assert received == decode_book(orjson.loads(encode_book(sent)), book_topic(BTC, 200))
    assert len(bids._made) == 10


def test_a_trade_is_a_compact_array() -> None:
    (text,) = orjson.loads(encode_update(trades(1)))["trades"]

    assert text == ["t1", "65001", "0.001", "BUY", 1_786_276_800_000]
    assert trade(1).side is Side.BUY
