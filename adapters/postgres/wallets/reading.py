"""Reading wallets: each call a short session of its own, as of one moment."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from decimal import Decimal

from sqlalchemy import RowMapping, text
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from adapters.postgres.engine import Database
from adapters.postgres.tables.wallets import HoldRow
from adapters.postgres.wallets.narrowing import newest_lines
from adapters.postgres.wallets.rows import hold_of
from adapters.postgres.wallets.sent import sent_lately
from domain.kernel.ids import AssetCode, UserId
from domain.kernel.money import trimmed
from domain.wallets.model import (
    Balance,
    EntryId,
    EntryKind,
    Explanation,
    Hold,
    HoldId,
    HoldState,
    Transaction,
    TransactionState,
)
from domain.wallets.ports import Place, Sent, TransactionQuery

_BALANCES = text(
    """
    SELECT a.owner, a.asset,
        coalesce(sum(b.amount) FILTER (WHERE a.kind = 'AVAILABLE'), 0) AS available,
        coalesce(sum(b.amount) FILTER (WHERE a.kind = 'HELD'), 0) AS held,
        coalesce(bool_or(b.frozen), false) AS frozen
    FROM wallets.account a JOIN wallets.balance b ON b.account_id = a.id
    WHERE a.owner = ANY(:owners) AND b.last_seq > 0
    GROUP BY a.owner, a.asset ORDER BY a.owner, a.asset
    """
)
# What became of it since. A hold is told where it was placed: what resolved it is final.
_STATE = """
    CASE
        WHEN e.kind = 'HOLD_PLACED' THEN (
            SELECT CASE h.state WHEN 'OPEN' THEN 'PENDING' WHEN 'POSTED' THEN 'SETTLED'
                WHEN 'VOIDED' THEN 'RELEASED' ELSE 'EXPIRED' END
            FROM wallets.hold h WHERE h.id = e.hold_id)
        WHEN EXISTS (SELECT FROM wallets.entry r WHERE r.reverses = e.id) THEN 'REVERSED'
        ELSE 'POSTED'
    END
"""
# A user's lines of one entry and asset are two at most, available and held: twice as many lines as
# transactions are wanted, straight from the index, are enough however long the history is.
_TRANSACTIONS = f"""
    WITH newest AS ({{lines}})
    SELECT n.position, n.asset, e.id, e.kind, e.at, e.source, e.reverses, e.hold_id, e.details,
        {_STATE} AS state,
        coalesce(sum(n.amount) FILTER (WHERE a.kind = 'AVAILABLE'), 0) AS available_change,
        coalesce(sum(n.amount) FILTER (WHERE a.kind = 'HELD'), 0) AS held_change,
        max(n.balance) FILTER (WHERE a.kind = 'AVAILABLE') AS available_after,
        max(n.balance) FILTER (WHERE a.kind = 'HELD') AS held_after
    FROM newest n
    JOIN wallets.entry e ON e.position = n.position
    JOIN wallets.account a ON a.id = n.account_id
    GROUP BY n.position, n.asset, e.id ORDER BY n.position DESC, n.asset DESC LIMIT :first
"""  # noqa: S608  # constants of ours
_OF_EACH = """
    SELECT found.* FROM unnest(CAST(:assets AS text[])) AS wanted (asset)
    CROSS JOIN LATERAL ({transactions}) AS found
"""


class PostgresBooks:
    """Implements domain.wallets.ports.Books."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def balances(self, owners: Sequence[UserId]) -> Mapping[UserId, Sequence[Balance]]:
        async with self._database.read() as session:
            return await _balances(session, owners)

    async def transactions(
        self, query: TransactionQuery, *, first: int, before: Place | None
    ) -> Sequence[Transaction]:
        wanted, values = _wanted(query, before)
        async with self._database.read() as session:
            rows = await _rows(session, wanted, {**values, "first": first})
        return [_transaction(row, query.owner) for row in rows]

    async def transactions_by_asset(
        self,
        query: TransactionQuery,
        assets: Sequence[AssetCode],
        *,
        first: int,
        before: Place | None,
    ) -> Mapping[AssetCode, Sequence[Transaction]]:
        async with self._database.read() as session:
            return await _transactions_by_asset(session, query, assets, first=first, before=before)

    async def explanations(
        self, owner: UserId, assets: Sequence[AssetCode], *, first: int
    ) -> Mapping[AssetCode, Explanation]:
        async with self._database.read() as session:
            connection = await session.connection()
            # One moment for all three looks: money moves while they are taken.
            await connection.execute(text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ"))
            balances = (await _balances(session, [owner])).get(owner, ())
            newest = await _transactions_by_asset(
                session, TransactionQuery(owner), assets, first=first, before=None
            )
            holds = await _open_holds(session, owner, assets)
        found = {each.asset: each for each in balances}
        return {
            asset: Explanation(
                found.get(asset, Balance(owner, asset, Decimal(0), Decimal(0))),
                tuple(newest.get(asset, ())),
                tuple(hold for hold in holds if hold.asset == asset),
            )
            for asset in assets
        }

    async def holds(self, hold_ids: Sequence[HoldId]) -> Mapping[HoldId, Hold]:
        wanted = select(HoldRow).where(col(HoldRow.id).in_(hold_ids))
        async with self._database.read() as session:
            return {HoldId(row.id): hold_of(row) for row in await session.exec(wanted)}

    async def sent(self, owner: UserId, asset: AssetCode, *, now: datetime) -> Sent:
        async with self._database.read() as session:
            return await sent_lately(session, owner, asset, now=now)

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


async def _balances(
    session: AsyncSession, owners: Sequence[UserId]
) -> Mapping[UserId, Sequence[Balance]]:
    connection = await session.connection()
    rows = (await connection.execute(_BALANCES, {"owners": list(owners)})).all()
    found: dict[UserId, list[Balance]] = {}
    for owner, asset, available, held, frozen in rows:
        balance = Balance(
            UserId(owner), AssetCode(asset), trimmed(available), trimmed(held), frozen
        )
        found.setdefault(balance.owner, []).append(balance)
    return found


async def _transactions_by_asset(
    session: AsyncSession,
    query: TransactionQuery,
    assets: Sequence[AssetCode],
    *,
    first: int,
    before: Place | None,
) -> Mapping[AssetCode, Sequence[Transaction]]:
    inner, values = _wanted(replace(query, asset=None), before, "AND p.asset = wanted.asset")
    wanted = _OF_EACH.format(transactions=inner)
    rows = await _rows(session, wanted, {**values, "first": first, "assets": list(assets)})
    found: dict[AssetCode, list[Transaction]] = {}
    for row in rows:
        found.setdefault(AssetCode(row["asset"]), []).append(_transaction(row, query.owner))
    return found


async def _open_holds(
    session: AsyncSession, owner: UserId, assets: Sequence[AssetCode]
) -> Sequence[Hold]:
    wanted = (
        select(HoldRow)
        .where(HoldRow.owner == owner)
        .where(col(HoldRow.asset).in_(assets))
        .where(HoldRow.state == HoldState.OPEN.value)
        .order_by(col(HoldRow.created_at), col(HoldRow.id))
    )
    return [hold_of(row) for row in await session.exec(wanted)]


async def _rows(
    session: AsyncSession, wanted: str, values: Mapping[str, object]
) -> Sequence[RowMapping]:
    connection = await session.connection()
    return (await connection.execute(text(wanted), values)).mappings().all()


def _wanted(
    query: TransactionQuery, before: Place | None, *rules: str
) -> tuple[str, dict[str, object]]:
    lines, values = newest_lines(query, before, *rules)
    return _TRANSACTIONS.format(lines=lines), values


def _transaction(row: RowMapping, owner: UserId) -> Transaction:
    return Transaction(
        owner=owner,
        entry_id=EntryId(row["id"]),
        position=row["position"],
        kind=EntryKind(row["kind"]),
        at=row["at"],
        asset=AssetCode(row["asset"]),
        available_change=trimmed(row["available_change"]),
        held_change=trimmed(row["held_change"]),
        available_after=_trimmed(row["available_after"]),
        held_after=_trimmed(row["held_after"]),
        source=row["source"],
        reverses=None if row["reverses"] is None else EntryId(row["reverses"]),
        hold_id=None if row["hold_id"] is None else HoldId(row["hold_id"]),
        details=row["details"],
        state=TransactionState(row["state"]),
    )


def _trimmed(amount: Decimal | None) -> Decimal | None:
    return None if amount is None else trimmed(amount)
