"""Ways from one asset to another through markets: the shortest first, always in the same order."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from itertools import pairwise, permutations

from domain.kernel.ids import AssetCode

HUBS = (AssetCode("USDT"), AssetCode("USDC"), AssetCode("BTC"))
"""What other assets are traded for the most: a way leads over these, in this order of preference.

Anything may be between two assets, but a price of what hardly trades is nobody's price.
"""


@dataclass(frozen=True, slots=True)
class Market:
    """Where ``base`` is priced in ``quote``."""

    symbol: str
    base: AssetCode
    quote: AssetCode


@dataclass(frozen=True, slots=True)
class Hop:
    """One step of a way."""

    from_asset: AssetCode
    to_asset: AssetCode
    market: Market | None
    """Nothing: the two were declared to be worth the same."""

    @property
    def inverse(self) -> bool:
        """Whether the market quotes the other way round."""
        return self.market is not None and self.market.quote == self.from_asset


Parity = tuple[AssetCode, AssetCode]
"""Two assets that the operator declares to be worth the same, such as USDT and USD."""


class RatePaths:
    """The markets of a moment. A market comes before a declared parity of the same two."""

    def __init__(self, markets: Collection[Market], parities: Collection[Parity] = ()) -> None:
        # The first to come stays: what is quoted directly, then what is the other way round.
        self._hops: dict[tuple[AssetCode, AssetCode], Hop] = {}
        for market in markets:
            self._add(market.base, market.quote, market)
        for market in markets:
            self._add(market.quote, market.base, market)
        for one, other in parities:
            self._add(one, other, None)
            self._add(other, one, None)

    def between(self, source: AssetCode, target: AssetCode) -> Iterator[tuple[Hop, ...]]:
        """Every way over at most two hubs: the shortest first, then by the order of hubs."""
        if source == target:
            yield ()
            return
        hubs = [hub for hub in HUBS if hub not in (source, target)]
        for count in range(3):
            for over in permutations(hubs, count):
                hops = [self._hops.get(each) for each in pairwise((source, *over, target))]
                found = tuple(hop for hop in hops if hop is not None)
                if len(found) == len(hops):
                    yield found

    def _add(self, source: AssetCode, target: AssetCode, market: Market | None) -> None:
        self._hops.setdefault((source, target), Hop(source, target, market))
