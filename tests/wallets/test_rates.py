"""What the market answers wallets: one look at prices, and a reason when there is none."""

from collections.abc import Collection, Mapping
from dataclasses import replace
from decimal import Decimal

from adapters.bridges.rates import ASKED_EVERY_SECONDS, SpotPrices, SpotRates
from domain.kernel.failures import Unavailable
from domain.kernel.ids import AssetCode, Category, InstrumentId, Symbol
from domain.market import Catalogue, Instrument, InstrumentStatus, Ticker, Topic, Update
from domain.wallets.rate_paths import Parity
from domain.wallets.valuation import NoRate, NoValueReason, Rate
from tests.domain.doubles import (
    NOON,
    KnownMarket,
    ListedInstruments,
    ManualClock,
    Venue,
    instrument,
    ticker,
)

USDT, BTC, ETH, EUR, USD, SOL = map(AssetCode, ("USDT", "BTC", "ETH", "EUR", "USD", "SOL"))


def spot(base: AssetCode, quote: AssetCode) -> Instrument:
    symbol = f"{base}{quote}"
    listed = instrument(symbol, Category.SPOT)
    return replace(listed, base_asset=base, quote_asset=quote)


def priced(symbol: str, price: str, *, stale: bool = False) -> Ticker:
    known = ticker(symbol, price, stale=stale)
    return replace(known, id=InstrumentId(Category.SPOT, Symbol(symbol)))


MARKETS = (spot(BTC, USDT), spot(BTC, EUR), spot(ETH, USDT), spot(SOL, BTC))


class LookedAt(KnownMarket):
    """Counts looks, and can be away."""

    def __init__(self, *known: Update) -> None:
        super().__init__(*known)
        self.looks: list[set[str]] = []
        self.away = False

    async def latest(self, topics: Collection[Topic]) -> Mapping[Topic, Update]:
        self.looks.append({topic.instrument.symbol for topic in topics})
        if self.away:
            raise Unavailable("cache")
        return await super().latest(topics)


class AwayVenue(Venue):
    """Can be away."""

    away = False

    async def tickers(self, ids: Collection[InstrumentId]) -> Mapping[InstrumentId, Ticker]:
        answer = await super().tickers(ids)
        if self.away:
            raise Unavailable("exchange")
        return answer


class Market:
    """The bridge over a market that is what the test says."""

    def __init__(
        self,
        *followed: Ticker,
        asked: Collection[Ticker] = (),
        markets: Collection[Instrument] = MARKETS,
        parities: Collection[Parity] = (),
    ) -> None:
        self.clock = ManualClock()
        self.listed = ListedInstruments(*markets)
        self.live = LookedAt(*followed)
        self.venue = AwayVenue(*asked)
        self.rates = SpotRates(
            catalogue=Catalogue(self.listed, self.clock),
            prices=SpotPrices(live=self.live, venue=self.venue, clock=self.clock),
            parities=parities,
        )

    async def found(self, base: AssetCode, quote: AssetCode) -> Rate | NoRate:
        return (await self.rates.rates([(base, quote)]))[base, quote]

    async def worth(self, base: AssetCode, quote: AssetCode) -> Decimal | NoValueReason:
        """What one is, or why nobody knows."""
        rate = await self.found(base, quote)
        return rate.of(Decimal(1)) if isinstance(rate, Rate) else rate.reason


async def test_a_rate_goes_directly_the_other_way_round_and_over_hubs():
    market = Market(
        priced("BTCUSDT", "50000"), priced("SOLBTC", "0.002"), priced("BTCEUR", "40000")
    )

    assert await market.worth(BTC, USDT) == 50_000
    assert await market.worth(USDT, BTC) == Decimal("0.00002")
    assert await market.worth(SOL, EUR) == 80
    # Over bitcoin and back: a rate nobody quotes, and still exact.
    assert await market.worth(USDT, EUR) == Decimal("0.8")


async def test_a_rate_tells_how_it_came_about():
    market = Market(priced("BTCUSDT", "50000"), priced("BTCEUR", "40000", stale=True))

    rate = await market.found(USDT, EUR)

    assert isinstance(rate, Rate)
    assert [(s.from_asset, s.to_asset, s.symbol, s.inverse, s.stale) for s in rate.path] == [
        (USDT, BTC, "BTCUSDT", True, False),
        (BTC, EUR, "BTCEUR", False, True),
    ]
    assert [(step.price, step.as_of, step.source) for step in rate.path] == [
        (Decimal(50_000), NOON, "SANDBOX"),
        (Decimal(40_000), NOON, "SANDBOX"),
    ]


async def test_any_number_of_rates_is_one_look():
    market = Market(*(priced(s, "2") for s in ("BTCUSDT", "BTCEUR", "ETHUSDT", "SOLBTC")))
    pairs = [(asset, EUR) for asset in (BTC, ETH, SOL, USDT, EUR)]

    found = await market.rates.rates(pairs)

    assert set(found) == set(pairs)
    assert all(isinstance(rate, Rate) for rate in found.values())
    assert market.live.looks == [{"BTCUSDT", "BTCEUR", "ETHUSDT", "SOLBTC"}]
    assert (market.venue.asked, market.listed.calls) == ([], 1)


async def test_the_asset_itself_needs_no_market():
    market = Market()

    assert await market.found(USDT, USDT) == Rate()
    assert (market.live.looks, market.venue.asked) == ([], [])


async def test_no_way_is_a_reason():
    market = Market(priced("BTCUSDT", "50000"))

    assert await market.worth(AssetCode("NOPE"), USDT) is NoValueReason.NO_PRICE_PATH
    # A stablecoin is not a dollar.
    assert await market.worth(USDT, USD) is NoValueReason.NO_PRICE_PATH
    assert market.live.looks == []


async def test_a_declared_parity_is_told_as_one():
    market = Market(priced("BTCUSDT", "50000"), parities=[(USDT, USD)])

    rate = await market.found(BTC, USD)

    assert isinstance(rate, Rate)
    assert rate.of(Decimal(1)) == 50_000
    declared = rate.path[-1]
    assert (declared.from_asset, declared.to_asset, declared.price) == (USDT, USD, Decimal(1))
    assert (declared.symbol, declared.as_of, declared.source) == (None, None, None)


async def test_a_market_that_does_not_trade_is_none():
    suspended = replace(spot(BTC, USDT), status=InstrumentStatus.SUSPENDED)
    perpetual = instrument("BTCUSDT")
    market = Market(priced("BTCUSDT", "50000"), markets=[suspended, perpetual, spot(ETH, USDT)])

    assert await market.worth(BTC, USDT) is NoValueReason.NO_PRICE_PATH


async def test_what_has_no_price_is_a_reason_of_its_own():
    market = Market(priced("BTCUSDT", "0"))

    # A price of nothing is no price: nobody divides by it.
    assert await market.worth(USDT, BTC) is NoValueReason.PRICE_UNAVAILABLE
    assert await market.worth(ETH, USDT) is NoValueReason.PRICE_UNAVAILABLE


async def test_where_the_shortest_way_is_dark_the_next_one_is_taken():
    market = Market(
        priced("SOLUSDT", "100"),
        priced("BTCUSDT", "50000"),
        markets=[*MARKETS, spot(SOL, USDT)],
    )

    assert await market.worth(SOL, BTC) == Decimal("0.002")
    assert len(market.live.looks) == 2


async def test_what_nobody_follows_is_asked_of_the_venue_once_in_a_while():
    market = Market(asked=[priced("ETHUSDT", "2000")])
    eth = InstrumentId(Category.SPOT, Symbol("ETHUSDT"))

    assert [await market.worth(ETH, USDT) for _ in range(3)] == [2000] * 3
    assert market.venue.asked == [{eth}]

    market.venue.known[eth] = priced("ETHUSDT", "2100")
    market.clock.seconds += ASKED_EVERY_SECONDS
    assert await market.worth(ETH, USDT) == 2100
    assert market.venue.asked == [{eth}] * 2


async def test_what_the_venue_said_last_is_stale_while_it_is_away():
    market = Market(asked=[priced("ETHUSDT", "2000")])
    assert await market.worth(ETH, USDT) == 2000

    market.venue.away = True
    market.clock.seconds += ASKED_EVERY_SECONDS
    rate = await market.found(ETH, USDT)

    assert isinstance(rate, Rate)
    assert [(step.price, step.stale) for step in rate.path] == [(Decimal(2000), True)]
    # What was never heard has no price; the venue is asked once for it, and not by everybody.
    assert [await market.worth(BTC, USDT) for _ in range(3)] == [
        NoValueReason.PRICE_UNAVAILABLE
    ] * 3
    assert len(market.venue.asked) == 3


async def test_without_the_cache_the_venue_answers():
    market = Market(priced("ETHUSDT", "1"), asked=[priced("ETHUSDT", "2000")])
    market.live.away = True

    assert await market.worth(ETH, USDT) == 2000


async def test_without_a_catalogue_nobody_knows_the_way():
    market = Market(priced("BTCUSDT", "50000"), parities=[(USDT, USD)])
    market.listed.failure = Unavailable("database")

    assert await market.worth(BTC, USDT) is NoValueReason.PRICE_UNAVAILABLE
    assert await market.worth(USDT, USD) == 1
    assert await market.worth(BTC, BTC) == 1
