"""What wallets stand on, put together: PostgreSQL, whom users know, what the market says.

The rules are put on top by app.py.
"""

from dataclasses import dataclass
from typing import Self

from adapters import settings_checks as checks
from adapters.bridges.rates import SpotPrices, SpotRates
from adapters.bridges.wallets import KnownRecipients
from adapters.foundation import Foundation
from adapters.people import People
from adapters.postgres.wallets import (
    PostgresAssets,
    PostgresBooks,
    PostgresClosings,
    PostgresWorks,
)
from domain.market import Catalogue, LiveMarket


@dataclass(frozen=True)
class Money:
    """Every port of ``domain.wallets`` that a caller's request needs, answered."""

    works: PostgresWorks
    books: PostgresBooks
    assets: PostgresAssets
    recipients: KnownRecipients
    closings: PostgresClosings
    rates: SpotRates

    @classmethod
    def over(
        cls, base: Foundation, people: People, *, catalogue: Catalogue, live: LiveMarket
    ) -> Self:
        """Nothing is dialled yet."""
        return cls(
            works=PostgresWorks(base.database, clock=base.clock),
            books=PostgresBooks(base.database),
            assets=PostgresAssets(base.database, clock=base.clock),
            recipients=KnownRecipients(people.accounts),
            closings=PostgresClosings(base.database),
            rates=SpotRates(
                catalogue=catalogue,
                prices=SpotPrices(live=live, venue=base.bybit.rest, clock=base.clock),
                parities=[checks.parity(each) for each in base.settings.declared_parities],
            ),
        )
