"""What wallets ask of the market: what one asset is in another, right now.

By spot markets, at the price of the last trade: the one number that every client sees, too. A price
keeps the venue's own time and staleness.
"""

import asyncio
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from decimal import Decimal

from domain.kernel.clock import Clock
from domain.kernel.failures import Failure
from domain.kernel.ids import Category, InstrumentId, Symbol
from domain.market import (
    Catalogue,
    Instrument,
    InstrumentStatus,
    LiveMarket,
    Ticker,
    VenueCatalogue,
    ticker_topic,
)
from domain.wallets.rate_paths import Hop, Market, Parity, RatePaths
from domain.wallets.valuation import NoRate, NoValueReason, Pair, Rate, RateStep

# Of what nobody follows: a thousand people with one coin are one question to the venue.
ASKED_EVERY_SECONDS = 5.0

_Prices = Mapping[InstrumentId, Ticker]
_Way = tuple[Hop, ...]


class SpotPrices:
    """The newest tickers: those that are followed, and the venue's own answer for the others."""

    def __init__(self, *, live: LiveMarket, venue: VenueCatalogue, clock: Clock) -> None:
        self._live = live
        self._venue = venue
        self._clock = clock
        self._asking = asyncio.Lock()
        self._asked_until: dict[InstrumentId, float] = {}
        self._answers: dict[InstrumentId, Ticker] = {}

    async def of(self, ids: Collection[InstrumentId]) -> _Prices:
        """Of those that have one. Never fails: what the venue said last is shown as stale."""
        found = await self._followed(ids)
        missing = [each for each in ids if each not in found]
        return {**found, **(await self._answered(missing))} if missing else found

    async def _followed(self, ids: Collection[InstrumentId]) -> _Prices:
        try:
            newest = await self._live.latest([ticker_topic(each) for each in ids])
        except Failure:
            return {}
        return {each.id: each for each in newest.values() if isinstance(each, Ticker)}

    async def _answered(self, ids: Collection[InstrumentId]) -> _Prices:
        async with self._asking:
            now = self._clock.monotonic()
            due = [each for each in ids if self._asked_until.get(each, now) <= now]
            if due:
                await self._ask(due)
                # Also of what has no price, and after a failure: the venue is left in peace.
                until = self._clock.monotonic() + ASKED_EVERY_SECONDS
                self._asked_until.update(dict.fromkeys(due, until))
            return {each: self._answers[each] for each in ids if each in self._answers}

    async def _ask(self, ids: Collection[InstrumentId]) -> None:
        try:
            answers = await self._venue.tickers(ids)
        except Failure:
            for each in self._answers.keys() & set(ids):
                self._answers[each] = replace(self._answers[each], stale=True)
        else:
            for each in ids:
                self._answers.pop(each, None)
            self._answers.update(answers)


class SpotRates:
    """Implements domain.wallets.ports.Rates."""

    def __init__(
        self, *, catalogue: Catalogue, prices: SpotPrices, parities: Collection[Parity] = ()
    ) -> None:
        self._catalogue = catalogue
        self._prices = prices
        self._parities = parities
        self._known: Mapping[InstrumentId, Instrument] = {}
        self._paths = RatePaths((), parities)

    async def rates(self, pairs: Collection[Pair]) -> Mapping[Pair, Rate | NoRate]:
        """One look at prices; another one when a shortest way has none, and there are more."""
        try:
            paths, otherwise = await self._current_paths(), NoValueReason.NO_PRICE_PATH
        except Failure:
            paths, otherwise = RatePaths((), self._parities), NoValueReason.PRICE_UNAVAILABLE
        ways = {pair: list(paths.between(*pair)) for pair in pairs}
        prices = await self._priced(way for each in ways.values() for way in each[:1])
        dark = [each for each in ways.values() if each and _rate(each[:1], prices) is None]
        prices |= await self._priced(way for each in dark for way in each[1:])
        found: dict[Pair, Rate | NoRate] = {}
        for pair, each in ways.items():
            reason = NoValueReason.PRICE_UNAVAILABLE if each else otherwise
            found[pair] = _rate(each, prices) or NoRate(reason)
        return found

    async def _current_paths(self) -> RatePaths:
        """Made anew when the catalogue was. Raises Unavailable."""
        known = await self._catalogue.of_category(Category.SPOT)
        if known is not self._known:
            markets = [
                Market(each.symbol, each.base_asset, each.quote_asset)
                for each in known.values()
                if each.status is InstrumentStatus.TRADING
            ]
            self._known, self._paths = known, RatePaths(markets, self._parities)
        return self._paths

    async def _priced(self, ways: Iterable[_Way]) -> dict[InstrumentId, Ticker]:
        ids = {_instrument(hop.market) for way in ways for hop in way if hop.market is not None}
        return dict(await self._prices.of(ids)) if ids else {}


def _instrument(market: Market) -> InstrumentId:
    return InstrumentId(Category.SPOT, Symbol(market.symbol))


def _rate(ways: Sequence[_Way], prices: _Prices) -> Rate | None:
    """By the first way on which everything has a price."""
    for way in ways:
        steps = [_step(hop, prices) for hop in way]
        found = tuple(step for step in steps if step is not None)
        if len(found) == len(steps):
            return Rate(found)
    return None


def _step(hop: Hop, prices: _Prices) -> RateStep | None:
    if hop.market is None:
        return RateStep(hop.from_asset, hop.to_asset, Decimal(1))
    ticker = prices.get(_instrument(hop.market))
    if ticker is None or ticker.last_price <= 0:
        return None
    return RateStep(
        hop.from_asset,
        hop.to_asset,
        ticker.last_price,
        inverse=hop.inverse,
        symbol=hop.market.symbol,
        as_of=ticker.as_of,
        stale=ticker.stale,
        source=ticker.source.value,
    )
