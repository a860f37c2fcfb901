"""What wallets are worth in a currency of somebody's choice."""

from collections.abc import Sequence

from domain.kernel.ids import AssetCode
from domain.wallets.ports import Assets, Rates
from domain.wallets.valuation import (
    MINOR_UNITS,
    SCALE_MAX,
    Holding,
    TotalValue,
    Valuation,
    total_value,
    valued,
)


class Values:
    """Tells what money is worth. Never fails for want of a price: that is an answer."""

    def __init__(self, *, rates: Rates, assets: Assets) -> None:
        self._rates = rates
        self._assets = assets

    async def of(self, holdings: Sequence[Holding]) -> Sequence[Valuation]:
        """Of each, in order; the rates of all of them are asked for once.

        Raises Unavailable, TimedOut when nobody can say how finely a currency is counted.
        """
        rates = await self._rates.rates({(each.asset, each.currency) for each in holdings})
        scales = {
            currency: await self._scale(currency)
            for currency in {each.currency for each in holdings}
        }
        return [
            valued(each, rates[each.asset, each.currency], scales[each.currency])
            for each in holdings
        ]

    async def total(self, valuations: Sequence[Valuation], currency: AssetCode) -> TotalValue:
        """Together: rounded once, not the sum of what was rounded. Raises Unavailable, TimedOut."""
        return total_value(valuations, currency, await self._scale(currency))

    async def _scale(self, currency: AssetCode) -> int:
        if currency in MINOR_UNITS:
            return MINOR_UNITS[currency]
        asset = await self._assets.asset(currency)
        return SCALE_MAX if asset is None else min(asset.scale, SCALE_MAX)
