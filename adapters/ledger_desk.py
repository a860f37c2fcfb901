"""What the back office for money stands on: PostgreSQL, and the keys that personal words are under.

The rules are put on top by app.py.
"""

from dataclasses import dataclass
from typing import Self

from adapters.bridges.ledger_desk import PostgresDeskWorks
from adapters.foundation import Foundation
from adapters.people import People
from adapters.postgres.wallets import PostgresAssets, PostgresLedgerBooks


@dataclass(frozen=True)
class LedgerDesk:
    """Every port of ``domain.wallets.desk``, answered."""

    works: PostgresDeskWorks
    books: PostgresLedgerBooks
    assets: PostgresAssets

    @classmethod
    def over(cls, base: Foundation, people: People) -> Self:
        """Nothing is dialled yet."""
        return cls(
            works=PostgresDeskWorks(base.database, ring=people.ring, clock=base.clock),
            books=PostgresLedgerBooks(base.database, ring=people.ring),
            assets=PostgresAssets(base.database, clock=base.clock),
        )
