"""Topics, rates and intervals."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.kernel.ids import Category
from domain.market import (
    RATES,
    Follow,
    Interval,
    Topic,
    TopicKind,
    book_topic,
    candles_topic,
    rate_class,
    ticker_topic,
    trades_topic,
)
from tests.domain.doubles import linear

BTC = linear("BTCUSDT")
TOPICS = [
    ticker_topic(BTC),
    trades_topic(BTC),
    book_topic(BTC, 1),
    book_topic(BTC, 200),
    *(candles_topic(BTC, interval) for interval in Interval),
]
MOMENTS = st.datetimes(
    min_value=datetime(2010, 1, 1),  # noqa: DTZ001  # hypothesis wants naive bounds
    max_value=datetime(2040, 1, 1),  # noqa: DTZ001
    timezones=st.just(UTC),
)


@pytest.mark.parametrize("rate", RATES)
@pytest.mark.parametrize("topic", TOPICS, ids=lambda t: t.name)
def test_names_lead_back(topic: Topic, rate: int):
    follow = Follow(topic, rate)

    assert Follow.named(Category.LINEAR, follow.name) == follow


@pytest.mark.parametrize(
    "name",
    [
        "", "ticker", "ticker:", "ticker.5:X@1", "book:X@1", "book.7:X@1", "candles:X@1",
        "candles.1:X@1", "moon:X@1", "ticker:X", "ticker:X@3", "ticker:X@", "book.x:X@1",
    ],
)  # fmt: skip
def test_what_is_no_name_is_refused(name: str):
    with pytest.raises(ValueError, match=r".*"):
        Follow.named(Category.LINEAR, name)


@pytest.mark.parametrize(("asked", "given_"), [(1, 1), (3, 2), (5, 5), (9, 5), (10, 10), (50, 10)])
def test_a_rate_is_never_exceeded(asked: int, given_: int):
    assert rate_class(asked) == given_


@pytest.mark.parametrize(("levels", "depth"), [(1, 50), (50, 50), (51, 200), (200, 200)])
def test_a_book_is_followed_as_deep_as_needed(levels: int, depth: int):
    assert book_topic(BTC, levels).depth == depth


@pytest.mark.parametrize(
    "wrong", [{"kind": TopicKind.BOOK}, {"kind": TopicKind.TICKER, "depth": 50}]
)
def test_a_topic_has_what_its_kind_needs(wrong: dict[str, Any]):
    with pytest.raises(ValueError, match="depth"):
        Topic(instrument=BTC, **wrong)


@given(st.sampled_from(Interval), MOMENTS)
def test_every_moment_is_in_exactly_one_candle(interval: Interval, moment: datetime):
    start = interval.start_of(moment)
    following = interval.next_start(start)

    assert start <= moment < following
    assert interval.start_of(following) == following
    assert interval.start_of(following - timedelta(microseconds=1)) == start


def test_weeks_begin_on_monday_and_months_on_the_first():
    moment = datetime(2026, 11, 22, 15, tzinfo=UTC)

    assert Interval.WEEK_1.start_of(moment) == datetime(2026, 11, 16, tzinfo=UTC)
    assert Interval.MONTH_1.start_of(moment) == datetime(2026, 11, 1, tzinfo=UTC)
    assert Interval.MONTH_1.next_start(datetime(2026, 12, 1, tzinfo=UTC)) == datetime(
        2027, 1, 1, tzinfo=UTC
    )
