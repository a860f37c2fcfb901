"""What wallets stand on, put together: PostgreSQL, and whom the users domain knows.

The rules are put on top by app.py.
"""

from dataclasses import dataclass
from typing import Self

from adapters.bridges.wallets import KnownRecipients
from adapters.foundation import Foundation
from adapters.people import People
from adapters.postgres.wallets import (
    PostgresAssets,
    PostgresBooks,
    PostgresPublishedDays,
    PostgresWorks,
)


@dataclass(frozen=True)
class Money:
    """Every port of ``domain.wallets`` that a caller's request needs, answered."""

    works: PostgresWorks
    books: PostgresBooks
    days: PostgresPublishedDays
    assets: PostgresAssets
    recipients: KnownRecipients

    @classmethod
    def over(cls, base: Foundation, people: People) -> Self:
        """Nothing is dialled yet."""
        return cls(
            works=PostgresWorks(base.database, clock=base.clock),
            books=PostgresBooks(base.database),
            days=PostgresPublishedDays(base.database),
            assets=PostgresAssets(base.database, clock=base.clock),
            recipients=KnownRecipients(people.accounts),
        )
