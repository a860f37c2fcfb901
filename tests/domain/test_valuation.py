"""What money is worth: by the shortest way, exact to the end, rounded once."""

from datetime import timedelta
from decimal import Decimal
from fractions import Fraction
from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.kernel.ids import AssetCode
from domain.wallets.rate_paths import HUBS, Hop, Market, RatePaths
from domain.wallets.valuation import (
    Holding,
    NoRate,
    NoValueReason,
    Rate,
    RateStep,
    Unpriced,
    Valuation,
    total_value,
    valued,
)
from tests.domain.doubles import NOON

USDT, USDC, BTC = HUBS
EUR, USD, SOL, ETH, SHIB = map(AssetCode, ("EUR", "USD", "SOL", "ETH", "SHIB"))

units = st.integers(0, 10**26)
amounts = units.map(lambda number: Decimal(number).scaleb(-18))
prices = st.integers(1, 10**14).map(lambda number: Decimal(number).scaleb(-8))
steps = st.lists(st.tuples(prices, st.booleans()), max_size=3)


def rate(*given_steps: tuple[Decimal, bool], stale: bool = False) -> Rate:
    return Rate(
        tuple(
            RateStep(SOL, EUR, price, inverse=inverse, symbol="SOLEUR", as_of=NOON, stale=stale)
            for price, inverse in given_steps
        )
    )


def worth(amount: str, scale: int, *given_steps: tuple[Decimal, bool]) -> Decimal | None:
    return valued(Holding(SOL, Decimal(amount), EUR), rate(*given_steps), scale).amount


@given(amounts, steps, st.integers(0, 18))
def test_a_value_is_the_exact_one_rounded_once(
    amount: Decimal, given_steps: list[tuple[Decimal, bool]], scale: int
):
    exact = Fraction(amount)
    for price, inverse in given_steps:
        exact = exact / Fraction(price) if inverse else exact * Fraction(price)

    found = valued(Holding(SOL, amount, EUR), rate(*given_steps), scale)

    assert found.amount is not None
    # Python rounds a Fraction half to even, and knows no precision.
    assert Fraction(found.amount) == Fraction(round(exact * 10**scale), 10**scale)
    assert found.amount.as_tuple().exponent == -scale
    assert found.reason is None


@given(amounts, prices)
def test_the_inverse_of_a_price_undoes_it(amount: Decimal, price: Decimal):
    there_and_back = rate((price, False), (price, True))

    assert there_and_back.of(amount) == amount


@pytest.mark.parametrize(
    ("amount", "scale", "expected"),
    [
        ("0.125", 2, "0.12"),
        ("0.375", 2, "0.38"),
        ("0.1250000000000000001", 2, "0.13"),
        ("1.5", 0, "2"),
        ("2.5", 0, "2"),
        ("0", 2, "0.00"),
    ],
)
def test_what_is_halfway_goes_to_the_even_side(amount: str, scale: int, expected: str):
    assert str(worth(amount, scale, (Decimal(1), False))) == expected


def test_a_third_is_as_long_as_the_rate_has_digits():
    found = valued(Holding(SOL, Decimal(3), EUR), rate((Decimal(3), True)), 18)

    assert str(found.rate) == "0.333333333333333333"
    # Made with the rate itself, and not with what is left of it after rounding.
    assert str(found.amount) == "1.000000000000000000"


def test_without_a_rate_there_is_a_reason_and_no_amount():
    found = valued(Holding(SOL, Decimal(1), EUR), NoRate(NoValueReason.NO_PRICE_PATH), 2)

    assert (found.amount, found.reason) == (None, NoValueReason.NO_PRICE_PATH)
    assert (found.rate, found.path, found.as_of, found.stale) == (None, (), None, False)


def test_nothing_is_worth_nothing_whatever_it_costs():
    found = valued(Holding(SOL, Decimal(0), EUR), NoRate(NoValueReason.PRICE_UNAVAILABLE), 2)

    assert (str(found.amount), found.reason, found.rate) == ("0.00", None, None)


def test_a_value_is_as_old_as_its_oldest_price_and_stale_when_one_is():
    old = RateStep(SOL, USDT, Decimal(2), as_of=NOON - timedelta(minutes=1), stale=True)
    new = RateStep(USDT, EUR, Decimal(1), as_of=NOON)
    declared = RateStep(USDT, USD, Decimal(1))

    def found(*path: RateStep) -> Valuation:
        return valued(Holding(SOL, Decimal(1), EUR), Rate(path), 2)

    assert (found(old, new).as_of, found(old, new).stale) == (NOON - timedelta(minutes=1), True)
    assert (found(new, declared).as_of, found(new, declared).stale) == (NOON, False)
    assert (found(declared).as_of, found().as_of) == (None, None)


def test_a_total_is_rounded_once():
    parts = [valued(Holding(SOL, Decimal("0.005"), EUR), Rate(), 2)] * 3

    assert [str(part.amount) for part in parts] == ["0.00"] * 3
    assert str(total_value(parts, EUR, 2).amount) == "0.02"


def test_a_total_names_what_it_leaves_out():
    priced = valued(Holding(SOL, Decimal(2), EUR), rate((Decimal(10), False), stale=True), 2)
    unpriced = valued(Holding(SHIB, Decimal(2), EUR), NoRate(NoValueReason.NO_PRICE_PATH), 2)

    found = total_value([priced, unpriced], EUR, 2)

    assert (str(found.amount), found.currency, found.stale) == ("20.00", EUR, True)
    assert found.as_of == NOON
    assert found.unpriced == (Unpriced(SHIB, NoValueReason.NO_PRICE_PATH),)
    assert total_value([unpriced], EUR, 2).amount is None
    assert str(total_value([], EUR, 2).amount) == "0.00"


def market(base: AssetCode, quote: AssetCode) -> Market:
    return Market(f"{base}{quote}", base, quote)


def ways(paths: RatePaths, source: AssetCode, target: AssetCode) -> list[str]:
    """Ways as text: ``SOL>USDT<EUR`` is over SOLUSDT and then EURUSDT the other way round."""

    def sign(hop: Hop) -> str:
        return "=" if hop.market is None else "<" if hop.inverse else ">"

    return [
        source + "".join(f"{sign(hop)}{hop.to_asset}" for hop in way)
        for way in paths.between(source, target)
    ]


def test_the_shortest_way_comes_first_then_the_order_of_hubs():
    paths = RatePaths(
        [
            market(SOL, BTC), market(SOL, EUR), market(SOL, USDC), market(SOL, USDT),
            market(BTC, EUR), market(USDT, EUR), market(USDC, EUR), market(BTC, USDT),
        ]
    )  # fmt: skip

    assert ways(paths, SOL, EUR) == [
        "SOL>EUR",
        "SOL>USDT>EUR",
        "SOL>USDC>EUR",
        "SOL>BTC>EUR",
        "SOL>USDT<BTC>EUR",
        "SOL>BTC>USDT>EUR",
    ]
    assert ways(paths, EUR, SOL)[0] == "EUR<SOL"


def test_what_is_quoted_directly_comes_before_the_other_way_round():
    for markets in permutations([market(USDT, EUR), market(EUR, USDT)]):
        assert ways(RatePaths(markets), USDT, EUR) == ["USDT>EUR"]
        assert ways(RatePaths(markets), EUR, USDT) == ["EUR>USDT"]


def test_an_asset_is_itself_without_any_market():
    assert list(RatePaths(()).between(SOL, SOL)) == [()]
    assert list(RatePaths(()).between(SOL, EUR)) == []


def test_a_way_leads_over_nothing_that_hardly_trades():
    paths = RatePaths([market(SOL, ETH), market(ETH, EUR)])

    assert ways(paths, SOL, EUR) == []


def test_a_stablecoin_is_a_dollar_only_where_that_was_declared():
    markets = [market(SOL, USDT)]

    assert ways(RatePaths(markets), SOL, USD) == []
    assert ways(RatePaths(markets), USDT, USD) == []
    declared = RatePaths(markets, [(USDT, USD)])
    assert ways(declared, SOL, USD) == ["SOL>USDT=USD"]
    assert ways(declared, USD, SOL) == ["USD=USDT<SOL"]


def test_a_market_comes_before_what_was_declared():
    assert ways(RatePaths([market(USDT, USD)], [(USDT, USD)]), USDT, USD) == ["USDT>USD"]


@given(
    st.sets(
        st.tuples(*[st.sampled_from([*HUBS, SOL, EUR, ETH])] * 2).filter(lambda p: p[0] != p[1])
    )
)
def test_every_way_is_one_and_none_is_longer_than_the_one_after(
    pairs: set[tuple[AssetCode, AssetCode]],
):
    found = list(RatePaths([market(*pair) for pair in sorted(pairs)]).between(SOL, EUR))

    assert [len(way) for way in found] == sorted(len(way) for way in found)
    assert len(set(found)) == len(found)
    for way in found:
        stops = [SOL, *(hop.to_asset for hop in way)]
        assert stops[-1] == EUR
        assert set(stops[1:-1]) <= set(HUBS)
        assert [hop.from_asset for hop in way] == stops[:-1]
        for hop in way:
            assert hop.market is not None
            ends = (hop.market.base, hop.market.quote)
            assert ends == (
                (hop.to_asset, hop.from_asset) if hop.inverse else (hop.from_asset, hop.to_asset)
            )
