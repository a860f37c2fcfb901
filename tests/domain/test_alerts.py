"""Price alerts."""

import itertools
from dataclasses import replace
from decimal import Decimal
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.kernel.ids import UserId
from domain.market.alerts import AlertEngine, Condition, PriceAlert, refusal_of
from tests.domain.doubles import linear, ticker

RISE = PriceAlert(
    id=UUID(int=1),
    owner=UserId(UUID(int=7)),
    instrument=linear("BTCUSDT"),
    condition=Condition.RISES_TO,
    threshold=Decimal(100),
    recurring=False,
)


def fired_by(alert: PriceAlert, *prices: str) -> list[str]:
    engine = AlertEngine()
    engine.hold([alert])
    return [price for price in prices if engine.hear(ticker("BTCUSDT", price))]


@pytest.mark.parametrize(
    ("_case", "condition", "prices", "fired"),
    [
        ("crosses", Condition.RISES_TO, ["99", "100"], ["100"]),
        ("jumps over", Condition.RISES_TO, ["1", "500"], ["500"]),
        ("never seen below", Condition.RISES_TO, ["100", "101"], []),
        ("comes back first", Condition.RISES_TO, ["101", "99", "102"], ["102"]),
        ("once only", Condition.RISES_TO, ["99", "100", "99", "100"], ["100"]),
        ("falls", Condition.FALLS_TO, ["101", "100.1", "100"], ["100"]),
        ("is there already", Condition.FALLS_TO, ["99", "98"], []),
    ],
)
def test_an_alert_fires_when_the_line_is_crossed(
    _case: str, condition: Condition, prices: list[str], fired: list[str]
):
    assert fired_by(replace(RISE, condition=condition), *prices) == fired


def test_a_recurring_alert_fires_again_after_the_price_was_back():
    recurring = replace(RISE, recurring=True)

    assert fired_by(recurring, "99", "100", "101", "102", "99", "103") == ["100", "103"]


@pytest.mark.parametrize("change", ["0.05", "-0.05", "-0.2"])
def test_a_days_change_counts_both_ways(change: str):
    alert = replace(RISE, condition=Condition.CHANGE_24H_REACHES, threshold=Decimal("0.05"))
    engine = AlertEngine()
    engine.hold([alert])
    assert not engine.hear(replace(ticker("BTCUSDT"), change_24h=Decimal("0.049")))

    (fired,) = engine.hear(replace(ticker("BTCUSDT"), change_24h=Decimal(change)))

    assert (fired.alert, fired.change_24h) == (alert, Decimal(change))


def test_a_stale_price_is_not_looked_at():
    engine = AlertEngine()
    engine.hold([RISE])
    engine.hear(ticker("BTCUSDT", "99"))

    assert not engine.hear(ticker("BTCUSDT", "150", stale=True))
    assert engine.hear(ticker("BTCUSDT", "150"))


def test_other_instruments_do_not_matter_and_are_not_followed():
    engine = AlertEngine()
    engine.hold([RISE])
    engine.hear(ticker("ETHUSDT", "1"))

    assert not engine.hear(ticker("ETHUSDT", "1000"))
    assert engine.instruments == {linear("BTCUSDT")}


def test_what_fired_and_does_not_recur_is_no_longer_held():
    engine = AlertEngine()
    engine.hold([RISE])
    engine.hear(ticker("BTCUSDT", "1"))
    engine.hear(ticker("BTCUSDT", "100"))

    assert engine.instruments == frozenset()


def test_holding_again_keeps_what_was_seen():
    engine = AlertEngine()
    engine.hold([RISE])
    engine.hear(ticker("BTCUSDT", "99"))
    engine.hold([RISE, replace(RISE, id=UUID(int=2))])

    assert [f.alert.id for f in engine.hear(ticker("BTCUSDT", "100"))] == [UUID(int=1)]


@pytest.mark.parametrize("threshold", ["0", "-1"])
def test_a_threshold_is_above_zero(threshold: str):
    assert refusal_of(replace(RISE, threshold=Decimal(threshold))) is not None
    assert refusal_of(RISE) is None


@given(st.lists(st.integers(min_value=1, max_value=200), max_size=60))
def test_a_recurring_alert_fires_once_per_crossing(walk: list[int]):
    fired = fired_by(replace(RISE, recurring=True), *map(str, walk))

    pairs = itertools.pairwise(walk)
    assert fired == [str(after) for before, after in pairs if before < 100 <= after]
