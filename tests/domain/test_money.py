"""Money keeps every digit, and never meets another asset's."""

import operator
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.kernel.ids import AssetCode
from domain.kernel.money import (
    Money,
    asset_code,
    exact_product,
    is_amount,
    plain,
    round_down_to,
    round_up_to,
    scale_of,
    total,
    trimmed,
    unit_of,
)

USDT, BTC = AssetCode("USDT"), AssetCode("BTC")
amounts = st.decimals(
    min_value=Decimal(-99999999999999999999),
    max_value=Decimal(99999999999999999999),
    places=18,
)
steps = st.integers(0, 18).map(unit_of) | st.sampled_from([Decimal("0.3"), Decimal(5)])


@pytest.mark.parametrize("text", ["USDT", "1INCH", "BTC", "A", "X" * 20])
def test_an_asset_has_a_code(text: str):
    assert asset_code(text) == text


@pytest.mark.parametrize(
    "text", ["", "usdt", "US DT", "X" * 21, "BTC\n", "\u0412\u0422\u0421", "\u0663"]
)
def test_what_is_no_code_is_refused(text: str):
    assert asset_code(text) is None


@pytest.mark.parametrize(
    ("text", "scale", "shown"),
    [
        ("1", 0, "1"),
        ("1.50", 1, "1.5"),
        ("100", 0, "100"),
        ("1E+3", 0, "1000"),
        ("1E-18", 18, "0.000000000000000001"),
        ("0.000", 0, "0"),
        ("-0", 0, "0"),
        ("-0.10", 1, "-0.1"),
    ],
)
def test_zeros_at_the_end_mean_nothing(text: str, scale: int, shown: str):
    assert scale_of(Decimal(text)) == scale
    assert plain(Decimal(text)) == shown
    assert format(trimmed(Decimal(text)), "f") == shown


@pytest.mark.parametrize(
    "text", ["NaN", "Infinity", "1E+20", "-1E+20", "1E-19", "0.1234567890123456789"]
)
def test_what_does_not_fit_is_no_amount(text: str):
    assert not is_amount(Decimal(text))
    with pytest.raises(ValueError, match="no amount"):
        Money(Decimal(text), USDT)


@given(amounts, amounts)
def test_sums_keep_all_38_digits(left: Decimal, right: Decimal):
    exact = Fraction(left) + Fraction(right)

    assert Fraction(total([left, right])) == exact
    assert Fraction(exact_product(left, right)) == Fraction(left) * Fraction(right)
    if is_amount(total([left, right])):
        assert Fraction((Money(left, USDT) + Money(right, USDT)).amount) == exact
    assert total([left, right, left.copy_negate(), right.copy_negate()]) == 0


def test_the_largest_amount_is_one():
    largest = Money(Decimal("99999999999999999999.999999999999999999"), USDT)

    assert (-largest).amount + largest.amount == 0
    assert str(largest) == "99999999999999999999.999999999999999999 USDT"
    with pytest.raises(ValueError, match="no amount"):
        largest + Money(unit_of(18), USDT)


@given(amounts, steps)
def test_rounding_goes_where_its_name_says(value: Decimal, step: Decimal):
    down, up = Fraction(round_down_to(value, step)), Fraction(round_up_to(value, step))
    exact, unit = Fraction(value), Fraction(step)

    assert down <= exact <= up
    assert exact - down < unit
    assert up - exact < unit
    assert down % unit == up % unit == 0


def test_assets_do_not_mix():
    for mix in (operator.add, operator.sub, operator.lt, operator.le):
        with pytest.raises(ValueError, match="not one asset"):
            mix(Money(Decimal(1), USDT), Money(Decimal(1), BTC))
