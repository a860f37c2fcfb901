"""Closing balances: of each account and day the one kept, and the last one before."""

from collections.abc import Collection, Sequence

from sqlalchemy import text

from adapters.postgres.engine import Database
from domain.kernel.money import trimmed
from domain.wallets.daily import Closing, Days
from domain.wallets.model import AccountId

# Both halves are answered by the primary key: as many rows as there are days, and one before them,
# however long the history is.
_CLOSINGS = text(
    """
    SELECT c.account_id, c.day, c.balance FROM wallets.closing c
    WHERE c.account_id = ANY(:accounts) AND c.day BETWEEN :first AND :last
    UNION ALL
    SELECT w.account_id, before.day, before.balance
    FROM unnest(CAST(:accounts AS uuid[])) AS w (account_id) CROSS JOIN LATERAL (
        SELECT c.day, c.balance FROM wallets.closing c
        WHERE c.account_id = w.account_id AND c.day < :first ORDER BY c.day DESC LIMIT 1
    ) before
    ORDER BY account_id, day
    """
)


class PostgresClosings:
    """Implements domain.wallets.ports.Closings."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def closings(self, accounts: Collection[AccountId], days: Days) -> Sequence[Closing]:
        values = {"accounts": list(accounts), "first": days.first, "last": days.last}
        async with self._database.read() as session:
            connection = await session.connection()
            rows = (await connection.execute(_CLOSINGS, values)).all()
        return [Closing(AccountId(account), day, trimmed(kept)) for account, day, kept in rows]
