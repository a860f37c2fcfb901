"""What wallets stand on, put together: PostgreSQL, Redis, and whom the users domain knows.

The rules are put on top by app.py.
"""

from dataclasses import dataclass
from typing import Self

from adapters.bridges.wallets import KnownRecipients
from adapters.foundation import Foundation
from adapters.listed_assets import ALLOWANCES
from adapters.people import People
from adapters.postgres.wallets import PostgresAssets, PostgresBooks, PostgresWorks
from adapters.redis import RedisLookUps
from adapters.settings import Settings
from adapters.settings_checks import transfer_limits
from domain.kernel.ids import AssetCode
from domain.wallets.limits import Allowance, EqualLimits


@dataclass(frozen=True)
class Money:
    """Every port of ``domain.wallets`` that a caller's request needs, answered."""

    works: PostgresWorks
    books: PostgresBooks
    assets: PostgresAssets
    recipients: KnownRecipients
    look_ups: RedisLookUps
    limits: EqualLimits

    @classmethod
    def over(cls, base: Foundation, people: People) -> Self:
        """Nothing is dialled yet."""
        per_day = base.settings.recipient_lookups_per_day
        return cls(
            works=PostgresWorks(base.database, clock=base.clock),
            books=PostgresBooks(base.database),
            assets=PostgresAssets(base.database, clock=base.clock),
            recipients=KnownRecipients(people.accounts, people.index),
            look_ups=RedisLookUps(base.redis, per_day=per_day),
            limits=limits_of(base.settings),
        )


def limits_of(settings: Settings) -> EqualLimits:
    """Those of the list, but for what the operator says otherwise."""
    chosen = {
        AssetCode(code): Allowance(*amounts)
        for code, amounts in transfer_limits(settings.transfer_limits).items()
    }
    return EqualLimits(ALLOWANCES | chosen)
