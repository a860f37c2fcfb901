"""Order-book maths."""

from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.kernel.ids import Side
from domain.market import Level, cost_to_trade
from tests.domain.doubles import book, level

BOOK = book("BTCUSDT")
POSITIVE = st.decimals(min_value="0.001", max_value="1000", places=3)


@pytest.mark.parametrize(
    ("side", "quantity", "filled", "average", "worst", "levels"),
    [
        (Side.BUY, "0.5", "0.5", "100.1", "100.1", 1),
        (Side.BUY, "1", "1", "100.1", "100.1", 1),
        (Side.BUY, "2", "2", "100.15", "100.2", 2),
        (Side.BUY, "100", "6", "100.233333333333333333", "100.3", 3),
        (Side.SELL, "2", "2", "99.85", "99.8", 2),
    ],
)
def test_the_book_is_walked_from_its_best_price(
    side: Side, quantity: str, filled: str, average: str, worst: str, levels: int
):
    cost = cost_to_trade(BOOK, side, Decimal(quantity))

    assert (cost.filled, cost.worst_price, cost.levels) == (Decimal(filled), Decimal(worst), levels)
    assert cost.average_price == Decimal(average)


def test_slippage_is_a_ratio_of_the_best_price():
    cost = cost_to_trade(BOOK, Side.BUY, Decimal(2))

    assert cost.notional == Decimal("200.3")
    assert cost.slippage == Decimal("0.000499500499500500")


def test_an_empty_side_fills_nothing():
    cost = cost_to_trade(replace(BOOK, asks=()), Side.BUY, Decimal(1))

    assert (str(cost.filled), cost.average_price, cost.slippage, cost.levels) == (
        "0",
        None,
        None,
        0,
    )
    assert replace(BOOK, asks=()).mid_price is None
    assert replace(BOOK, bids=()).spread is None


def test_mid_and_spread():
    assert (BOOK.mid_price, BOOK.spread) == (Decimal("100.0"), Decimal("0.2"))


@given(
    st.lists(st.tuples(POSITIVE, POSITIVE), min_size=1, max_size=30),
    POSITIVE,
    st.sampled_from(Side),
)
def test_nothing_is_made_or_lost_on_the_way(
    raw: list[tuple[Decimal, Decimal]], quantity: Decimal, side: Side
):
    prices = sorted({price for price, _ in raw}, reverse=side is Side.SELL)
    levels = [Level(p, q) for p, (_, q) in zip(prices, raw, strict=False)]
    made = replace(BOOK, bids=levels, asks=levels)

    cost = cost_to_trade(made, side, quantity)

    assert cost.filled == min(quantity, sum((one.quantity for one in levels), Decimal(0)))
    assert cost.average_price is not None
    assert cost.slippage is not None
    assert cost.slippage >= 0
    low, high = sorted((levels[0].price, cost.worst_price or Decimal(0)))
    tiny = Decimal("1e-17")
    assert low - tiny <= cost.average_price <= high + tiny
    # Taking less never costs more for each unit.
    half = cost_to_trade(made, side, quantity / 2)
    assert half.slippage is not None
    assert half.slippage <= cost.slippage + tiny


def test_levels_read_well():
    assert level("1", "2") == Level(Decimal(1), Decimal(2))
