"""What travels through Redis comes out as it went in, or not at all."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.redis.fields import CorruptFrame
from adapters.redis.frames import Frame, decode_frame, decode_report, encode_report
from adapters.redis.ticker_codec import decode_ticker, encode_ticker
from domain.kernel.ids import Category, InstrumentId, Symbol
from domain.market import FeedReport, FeedState, Source, Ticker
from tests.redis.samples import BTC, ETH, ticker

numbers = st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**20), max_value=10**20)
instants = st.integers(0, 2**42).map(
    lambda ms: datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=ms)
)
ids = st.builds(InstrumentId, st.sampled_from(Category), st.text(max_size=20).map(Symbol))
tickers = st.builds(
    Ticker,
    id=ids,
    **{
        name: numbers if kind is Decimal else st.none() | numbers
        for name, kind in Ticker.__annotations__.items()
        if kind in (Decimal, Decimal | None)
    },
    next_funding_at=st.none() | instants,
    as_of=instants,
    stale=st.booleans(),
    source=st.sampled_from(Source),
)


@given(tickers)
def test_a_ticker_survives_the_journey(sent: Ticker) -> None:
    received = decode_ticker(orjson.loads(encode_ticker(sent)), sent.id)

    assert received == sent


@given(st.sampled_from(FeedState), instants, st.integers(0, 2**53 - 1))
def test_a_report_survives_the_journey(state: FeedState, since: datetime, epoch: int) -> None:
    sent = FeedReport(Category.SPOT, state, since, epoch)

    frame = Frame(epoch, 1, orjson.loads(encode_report(sent)))

    assert decode_report(frame, Category.SPOT) == sent


def test_numbers_are_plain_strings_and_instants_milliseconds() -> None:
    data = orjson.loads(encode_ticker(ticker("1E+3", funding_rate=Decimal("1E-8"))))

    assert data["last_price"] == "1000"
    assert data["funding_rate"] == "0.00000001"
    assert data["as_of"] == 1_786_276_801_234


def test_what_a_newer_feed_adds_is_ignored() -> None:
    data = orjson.loads(encode_ticker(ticker())) | {"basis": "12.5"}

    assert decode_ticker(data, BTC) == ticker()
    assert decode_frame(b'{"epoch":1,"seq":2,"ts":3,"data":{},"trace":"x"}').position == (1, 2)


@given(st.binary(max_size=200))
def test_noise_is_corrupt(noise: bytes) -> None:
    with pytest.raises(CorruptFrame):
        decode_frame(noise)


@pytest.mark.parametrize(
    "frame",
    [
        b"[]",
        b"null",
        b'{"epoch":1,"seq":2}',
        b'{"epoch":"1","seq":2,"data":{}}',
        b'{"epoch":1,"seq":true,"data":{}}',
        b'{"epoch":1,"seq":2,"data":[]}',
    ],
)
def test_half_a_frame_is_corrupt(frame: bytes) -> None:
    with pytest.raises(CorruptFrame):
        decode_frame(frame)


@pytest.mark.parametrize(
    "wrong",
    [
        {"last_price": 65000.1},
        {"last_price": None},
        {"last_price": "NaN"},
        {"last_price": "many"},
        {"bid_price": ["1"]},
        {"as_of": "2026"},
        {"as_of": 10**18},
        {"as_of": True},
        {"stale": 0},
        {"source": "ELSEWHERE"},
        {"symbol": ETH.symbol},
        {"category": "SPOT"},
    ],
    ids=str,
)
def test_a_wrong_ticker_is_corrupt(wrong: dict[str, object]) -> None:
    data = orjson.loads(encode_ticker(ticker())) | wrong

    with pytest.raises(CorruptFrame):
        decode_ticker(data, BTC)


def test_a_ticker_with_a_part_missing_is_corrupt() -> None:
    whole = orjson.loads(encode_ticker(ticker()))

    for part in whole:
        with pytest.raises(CorruptFrame):
            decode_ticker({k: v for k, v in whole.items() if k != part}, BTC)
