"""Reading wallets: each call a short session of its own."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlalchemy import RowMapping, text
from sqlmodel import col, select

from adapters.postgres.engine import Database
from adapters.postgres.tables.wallets import HoldRow
from adapters.postgres.wallets.rows import hold_of
from domain.kernel.ids import AssetCode, UserId
from domain.wallets.model import Balance, EntryId, EntryKind, Hold, HoldId, HoldState, Transaction
from domain.wallets.ports import Place, TransactionQuery

_BALANCES = text(
    """
    SELECT a.owner, a.asset,
        coalesce(sum(b.amount) FILTER (WHERE a.kind = 'AVAILABLE'), 0) AS available,
        coalesce(sum(b.amount) FILTER (WHERE a.kind = 'HELD'), 0) AS held
    FROM wallets.account a JOIN wallets.balance b ON b.account_id = a.id
    WHERE a.owner = ANY(:owners) AND b.last_seq > 0
    GROUP BY a.owner, a.asset ORDER BY a.owner, a.asset
    """
)
# A user's lines of one entry and asset are two at most, available and held: twice as many lines as
# transactions are wanted, straight from the index, are enough however long the history is.
_TRANSACTIONS = """
    WITH newest AS (
        SELECT p.position, p.asset, p.account_id, p.amount, p.balance
        FROM wallets.posting p {joined}
        WHERE p.owner = :owner {narrowed}
        ORDER BY p.position DESC, p.asset DESC LIMIT 2 * CAST(:first AS integer)
    )
    SELECT n.position, n.asset, e.id, e.kind, e.at, e.source, e.reverses, e.hold_id, e.details,
        coalesce(sum(n.amount) FILTER (WHERE a.kind = 'AVAILABLE'), 0) AS available_change,
        coalesce(sum(n.amount) FILTER (WHERE a.kind = 'HELD'), 0) AS held_change,
        max(n.balance) FILTER (WHERE a.kind = 'AVAILABLE') AS available_after,
        max(n.balance) FILTER (WHERE a.kind = 'HELD') AS held_after
    FROM newest n
    JOIN wallets.entry e ON e.position = n.position
    JOIN wallets.account a ON a.id = n.account_id
    GROUP BY n.position, n.asset, e.id ORDER BY n.position DESC, n.asset DESC LIMIT :first
"""


class PostgresBooks:
    """Implements domain.wallets.ports.Books."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def balances(self, owners: Sequence[UserId]) -> Mapping[UserId, Sequence[Balance]]:
        async with self._database.read() as session:
            connection = await session.connection()
            rows = (await connection.execute(_BALANCES, {"owners": list(owners)})).all()
        found: dict[UserId, list[Balance]] = {}
        for owner, asset, available, held in rows:
            balance = Balance(UserId(owner), AssetCode(asset), available, held)
            found.setdefault(balance.owner, []).append(balance)
        return found

    async def transactions(
        self, query: TransactionQuery, *, first: int, before: Place | None
    ) -> Sequence[Transaction]:
        narrowed, values = _narrowed(query, before)
        about_entries = query.kinds or query.since or query.until
        joined = "JOIN wallets.entry e ON e.position = p.position" if about_entries else ""
        wanted = text(_TRANSACTIONS.format(joined=joined, narrowed=narrowed))
        async with self._database.read() as session:
            connection = await session.connection()
            rows = (await connection.execute(wanted, {**values, "first": first})).mappings().all()
        return [_transaction(row) for row in rows]

    async def open_holds(self, owner: UserId, asset: AssetCode) -> Sequence[Hold]:
        wanted = (
            select(HoldRow)
            .where(HoldRow.owner == owner)
            .where(HoldRow.asset == asset)
            .where(HoldRow.state == HoldState.OPEN.value)
            .order_by(col(HoldRow.created_at), col(HoldRow.id))
        )
        async with self._database.read() as session:
            return [hold_of(row) for row in await session.exec(wanted)]

    async def due_holds(self, *, now: datetime, first: int) -> Sequence[HoldId]:
        wanted = (
            select(HoldRow.id)
            .where(HoldRow.state == HoldState.OPEN.value)
            .where(col(HoldRow.expires_at) <= now)
            .order_by(col(HoldRow.expires_at))
            .limit(first)
        )
        async with self._database.read() as session:
            return [HoldId(found) for found in await session.exec(wanted)]


def _narrowed(query: TransactionQuery, before: Place | None) -> tuple[str, dict[str, object]]:
    """SQL of constants only, and its values."""
    rules, values = [], dict[str, object](owner=query.owner)
    if query.asset is not None:
        rules.append("AND p.asset = :asset")
        values["asset"] = query.asset
    if query.kinds:
        rules.append("AND e.kind = ANY(:kinds)")
        values["kinds"] = sorted(query.kinds)
    if query.since is not None:
        rules.append("AND e.at >= :since")
        values["since"] = query.since
    if query.until is not None:
        rules.append("AND e.at < :until")
        values["until"] = query.until
    if before is not None:
        rules.append("AND (p.position, p.asset) < (:position, :before_asset)")
        values |= {"position": before.position, "before_asset": before.asset}
    return " ".join(rules), values


def _transaction(row: RowMapping) -> Transaction:
    return Transaction(
        entry_id=EntryId(row["id"]),
        position=row["position"],
        kind=EntryKind(row["kind"]),
        at=row["at"],
        asset=AssetCode(row["asset"]),
        available_change=row["available_change"],
        held_change=row["held_change"],
        available_after=row["available_after"],
        held_after=row["held_after"],
        source=row["source"],
        reverses=None if row["reverses"] is None else EntryId(row["reverses"]),
        hold_id=None if row["hold_id"] is None else HoldId(row["hold_id"]),
        details=row["details"],
    )
