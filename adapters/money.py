"""What wallets stand on, put together: PostgreSQL, Redis, whom users know, what markets say.

The rules are put on top by app.py.
"""

from dataclasses import dataclass
from typing import Self

from adapters import settings_checks as checks
from adapters.bridges.rates import SpotPrices, SpotRates
from adapters.bridges.wallets import KnownRecipients
from adapters.foundation import Foundation
from adapters.listed_assets import ALLOWANCES
from adapters.people import People
from adapters.postgres.wallets import (
    PostgresAssets,
    PostgresBooks,
    PostgresClosings,
    PostgresPublishedDays,
    PostgresWorks,
)
from adapters.redis import RedisLookUps
from adapters.settings import Settings
from domain.kernel.ids import AssetCode
from domain.market import Catalogue, LiveMarket
from domain.wallets.limits import Allowance, EqualLimits


@dataclass(frozen=True)
class Money:
    """Every port of ``domain.wallets`` that a caller's request needs, answered."""

    works: PostgresWorks
    books: PostgresBooks
    days: PostgresPublishedDays
    assets: PostgresAssets
    recipients: KnownRecipients
    closings: PostgresClosings
    rates: SpotRates
    look_ups: RedisLookUps
    limits: EqualLimits

    @classmethod
    def over(
        cls, base: Foundation, people: People, *, catalogue: Catalogue, live: LiveMarket
    ) -> Self:
        """Nothing is dialled yet."""
        per_day = base.settings.recipient_lookups_per_day
        return cls(
            works=PostgresWorks(base.database, clock=base.clock),
            books=PostgresBooks(base.database),
            days=PostgresPublishedDays(base.database),
            assets=PostgresAssets(base.database, clock=base.clock),
            closings=PostgresClosings(base.database),
            rates=SpotRates(
                catalogue=catalogue,
                prices=SpotPrices(live=live, venue=base.bybit.rest, clock=base.clock),
                parities=checks.parities(base.settings.declared_parities),
            ),
            recipients=KnownRecipients(people.accounts, people.index),
            look_ups=RedisLookUps(base.redis, per_day=per_day),
            limits=limits_of(base.settings),
        )


def limits_of(settings: Settings) -> EqualLimits:
    """Those of the list, but for what the operator says otherwise."""
    chosen = {
        AssetCode(code): Allowance(*amounts)
        for code, amounts in checks.transfer_limits(settings.transfer_limits).items()
    }
    return EqualLimits(ALLOWANCES | chosen)
