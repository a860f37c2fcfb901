"""Days of the ledger: closed by functions of the database, read for whoever asks."""

from collections.abc import AsyncGenerator, Sequence
from datetime import date, datetime
from decimal import Decimal

from sqlalchemy import text
from sqlmodel import col, select

from adapters.postgres.engine import Database
from adapters.postgres.tables.proofs import DayRootRow, LiabilityPartRow, LiabilityRow
from domain.kernel.ids import AssetCode, UserId
from domain.wallets.proof_ports import KeptLeaf
from domain.wallets.proofs import DayRoot, Liabilities, Tree, owed_in

ROWS_AT_ONCE = 1000

# The chain is in the order of sealing: what is looked for is among its last links.
_LAST_NUMBER = text(
    """
    SELECT c.number FROM wallets.chain_link c JOIN wallets.entry e ON e.position = c.position
    WHERE e.at < :before ORDER BY c.number DESC LIMIT 1
    """
)
_IS_SEALED = text(
    """
    SELECT NOT EXISTS (
        SELECT FROM wallets.unsealed u JOIN wallets.entry e ON e.position = u.position
        WHERE e.at < :before)
    """
)
_FIRST_AT = text(
    """
    SELECT e.at FROM wallets.chain_link c JOIN wallets.entry e ON e.position = c.position
    WHERE c.number = 1
    """
)
_TOTALS = text(
    """
    SELECT p.asset, p.owner, sum(p.amount)
    FROM wallets.posting p JOIN wallets.chain_link c ON c.position = p.position
    WHERE p.owner IS NOT NULL AND c.number <= :last
    GROUP BY p.asset, p.owner ORDER BY p.asset
    """
)
_BEGIN = text("SELECT wallets.begin_day(:day)")
_KEEP_TREE = text(
    "SELECT wallets.keep_tree(:day, :asset, :total, :leaves, :root, :crowns,"
    " CAST(:parts AS bytea[]))"
)
_CLOSE = text("SELECT wallets.close_day(:day, :last, :secret, :at)")


class PostgresClosing:
    """Implements domain.wallets.proof_ports.Closing.

    Totals are summed over the whole journal: give it a Database with more patience than a request.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    async def last(self) -> DayRoot | None:
        newest = select(DayRootRow).order_by(col(DayRootRow.day).desc()).limit(1)
        async with self._database.read() as session:
            row = (await session.exec(newest)).one_or_none()
        return None if row is None else day_root_of(row)

    async def first_day(self) -> date | None:
        async with self._database.read() as session:
            connection = await session.connection()
            first: datetime | None = (await connection.execute(_FIRST_AT)).scalar_one_or_none()
        return None if first is None else first.date()

    async def is_sealed(self, before: datetime) -> bool:
        async with self._database.read() as session:
            connection = await session.connection()
            return bool((await connection.execute(_IS_SEALED, {"before": before})).scalar_one())

    async def last_number(self, before: datetime) -> int:
        async with self._database.read() as session:
            connection = await session.connection()
            found = await connection.execute(_LAST_NUMBER, {"before": before})
            return int(found.scalar_one_or_none() or 0)

    async def totals(
        self, last_number: int
    ) -> AsyncGenerator[tuple[AssetCode, UserId, Decimal], None]:
        async with self._database.read() as session:
            connection = await session.connection()
            rows = await connection.stream(
                _TOTALS,
                {"last": last_number},
                execution_options={"yield_per": ROWS_AT_ONCE},
            )
            async for asset, owner, total in rows:
                yield AssetCode(asset), UserId(owner), total

    async def close(
        self,
        day: date,
        *,
        last_number: int,
        trees: Sequence[Tree],
        secret: bytes,
        at: datetime,
    ) -> DayRoot | None:
        async with self._database.unit_of_work() as session:
            connection = await session.connection()
            if not (await connection.execute(_BEGIN, {"day": day})).scalar_one():
                return None
            for tree in trees:
                await connection.execute(_KEEP_TREE, {"day": day, **_columns(tree)})
            closing = {"day": day, "last": last_number, "secret": secret, "at": at}
            await connection.execute(_CLOSE, closing)
            row = (await session.exec(select(DayRootRow).where(DayRootRow.day == day))).one()
            return day_root_of(row)


class PostgresPublishedDays:
    """Implements domain.wallets.proof_ports.PublishedDays."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def day_root(self, day: date) -> DayRoot | None:
        async with self._database.read() as session:
            row = (
                await session.exec(select(DayRootRow).where(DayRootRow.day == day))
            ).one_or_none()
        return None if row is None else day_root_of(row)

    async def liabilities(self, day: date) -> Sequence[Liabilities]:
        wanted = (
            select(LiabilityRow).where(LiabilityRow.day == day).order_by(col(LiabilityRow.asset))
        )
        async with self._database.read() as session:
            return [liabilities_of(row) for row in await session.exec(wanted)]

    async def secret(self, day: date) -> bytes | None:
        wanted = select(DayRootRow.secret).where(DayRootRow.day == day)
        async with self._database.read() as session:
            return (await session.exec(wanted)).one_or_none()

    async def leaf(self, day: date, asset: AssetCode, owner: bytes) -> KeptLeaf | None:
        wanted = (
            select(LiabilityRow, LiabilityPartRow)
            .join(
                LiabilityPartRow,
                (col(LiabilityPartRow.day) == LiabilityRow.day)
                & (col(LiabilityPartRow.asset) == LiabilityRow.asset),
            )
            .where(LiabilityRow.day == day)
            .where(LiabilityRow.asset == asset)
            .where(col(LiabilityPartRow.first_owner) <= owner)
            .order_by(col(LiabilityPartRow.first_owner).desc())
            .limit(1)
        )
        async with self._database.read() as session:
            found = (await session.exec(wanted)).one_or_none()
        if found is None:
            return None
        tree, part = found
        return KeptLeaf(liabilities_of(tree), owed_in(part.leaves), part.number, tree.crowns)


def day_root_of(row: DayRootRow) -> DayRoot:
    return DayRoot(
        day=row.day,
        first_number=row.first_number,
        last_number=row.last_number,
        link=row.link.hex(),
        liabilities=row.liabilities.hex(),
        previous_root=None if row.previous_root is None else row.previous_root.hex(),
        root=row.root.hex(),
        sealed_at=row.sealed_at,
    )


def liabilities_of(row: LiabilityRow) -> Liabilities:
    return Liabilities(AssetCode(row.asset), row.total, row.root.hex(), row.leaves)


def _columns(tree: Tree) -> dict[str, object]:
    shown = tree.published
    return {
        "asset": shown.asset,
        "total": shown.total_liabilities,
        "leaves": shown.leaves,
        "root": bytes.fromhex(shown.root),
        "crowns": tree.crowns,
        "parts": list(tree.parts),
    }
