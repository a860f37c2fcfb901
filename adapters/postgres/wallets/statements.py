"""Statements: asked for and claimed within a work, read in short sessions."""

from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import datetime
from uuid import UUID

import structlog
from sqlalchemy import RowMapping, text
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from adapters.postgres.engine import Database
from adapters.postgres.events import PendingEvents
from adapters.postgres.idempotency import (
    PATIENCE_SECONDS,
    PostgresAttempt,
    PostgresIdempotency,
    attempt,
    finish,
)
from adapters.postgres.tables.statements import StatementRow
from adapters.postgres.wallets.statement_rows import (
    bookings_of,
    range_of,
    row_of,
    statement_of,
)
from domain.kernel.clock import Clock
from domain.kernel.ids import AssetCode, UserId
from domain.wallets.papers.model import (
    Booking,
    Range,
    Statement,
    StatementId,
    StatementProblem,
)
from domain.wallets.papers.ports import Claim
from domain.wallets.ports import Place

log = structlog.get_logger()

_RANGES = text("SELECT * FROM wallets.statement_ranges(:owner, :asset, :since, :until)")
# Any number that nothing else of ours locks by.
_REQUESTS_OF = text("SELECT pg_advisory_xact_lock(730548921, hashtext(CAST(:owner AS text)))")
_COUNTS = text(
    """
    SELECT count(*) FILTER (WHERE state IN ('REQUESTED', 'BUILDING')),
        count(*) FILTER (WHERE state = 'READY' AND expires_at > :now)
    FROM wallets.statement WHERE owner = :owner
    """
)
_TAKE = text(
    """
    UPDATE wallets.statement SET state = 'BUILDING', lease = :lease, lease_until = :until,
        attempts = attempts + 1
    WHERE id = (
        SELECT id FROM wallets.statement
        WHERE state IN ('REQUESTED', 'BUILDING') AND (lease_until IS NULL OR lease_until <= :now)
        ORDER BY requested_at LIMIT 1 FOR UPDATE SKIP LOCKED
    )
    RETURNING *
    """
)
_RENEW = text(
    """
    UPDATE wallets.statement
    SET lines_written = greatest(lines_written, :lines), lease_until = :until
    WHERE id = :id AND lease = :lease AND state = 'BUILDING' RETURNING lines_written
    """
)
_CONCLUDE = text(
    """
    UPDATE wallets.statement SET state = :state, lines_written = greatest(lines_written, :lines),
        finished_at = :finished_at, expires_at = :expires_at, size = :size, sha256 = :sha256,
        problem = :problem, file = :file, place = :place, lease = NULL, lease_until = NULL
    WHERE id = :id AND lease = :lease AND state = 'BUILDING' RETURNING id
    """
)
_EXPIRE = text(
    """
    UPDATE wallets.statement SET state = 'EXPIRED'
    WHERE id IN (
        SELECT id FROM wallets.statement WHERE state = 'READY' AND expires_at <= :now
        ORDER BY expires_at LIMIT :first FOR UPDATE SKIP LOCKED
    )
    RETURNING *
    """
)
# Straight from the index of the owner's postings, in order of booking; what belongs to the
# statement is sorted out behind it, or the plan might sort a year for every page.
_LINES = """
    SELECT p.position, p.asset, p.account_id, p.seq, p.amount, p.balance,
        e.id, e.kind, e.at, e.source, e.reverses, e.hold_id, e.details
    FROM (
        SELECT * FROM wallets.posting
        WHERE owner = :owner AND position BETWEEN :lowest AND :highest {narrowed}
        ORDER BY position, asset LIMIT 2 * CAST(:first AS integer)
    ) p JOIN wallets.entry e ON e.position = p.position
    ORDER BY p.position, p.asset
"""
_LINES_OF_ALL = text(_LINES.format(narrowed="AND (position, asset) > (:position, :asset)"))
_LINES_OF_ONE = text(_LINES.format(narrowed="AND asset = :asset AND position > :position"))


class PostgresStatementRecords:
    """Implements domain.wallets.papers.ports.StatementRecords."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def ranges(
        self, owner: UserId, asset: AssetCode | None, *, since: datetime, until: datetime
    ) -> Sequence[Range]:
        values = {"owner": owner, "asset": asset, "since": since, "until": until}
        return [range_of(row) for row in await self._rows(_RANGES, **values)]

    async def counts(self, owner: UserId, *, now: datetime) -> tuple[int, int]:
        connection = await self._session.connection()
        await connection.execute(_REQUESTS_OF, {"owner": str(owner)})
        found = await connection.execute(_COUNTS, {"owner": owner, "now": now})
        being_built, kept = found.one()
        return being_built, kept

    async def add(self, statement: Statement) -> None:
        self._session.add(row_of(statement))
        await self._session.flush()

    async def take(self, *, lease: UUID, now: datetime, until: datetime) -> Claim | None:
        rows = await self._rows(_TAKE, lease=lease, now=now, until=until)
        if not rows:
            return None
        (row,) = rows
        return Claim(statement_of(row), lease, row["attempts"])

    async def renew(self, claim: Claim, *, lines_written: int, until: datetime) -> int | None:
        rows = await self._rows(
            _RENEW, id=claim.statement.id, lease=claim.lease, lines=lines_written, until=until
        )
        return rows[0]["lines_written"] if rows else None

    async def conclude(
        self, claim: Claim, statement: Statement, *, why: Exception | None = None
    ) -> bool:
        rows = await self._rows(
            _CONCLUDE,
            id=statement.id,
            lease=claim.lease,
            state=statement.state.value,
            lines=statement.lines_written,
            finished_at=statement.finished_at,
            expires_at=statement.expires_at,
            size=statement.size,
            sha256=statement.sha256,
            problem=None if statement.problem is None else statement.problem.value,
            file=statement.file,
            place=statement.place,
        )
        wrong = statement.problem not in (None, StatementProblem.OWNER_ERASED)
        if rows and wrong:
            log.error(
                "statement_failed",
                statement_id=str(statement.id),
                problem=statement.problem,
                attempt=claim.attempt,
                exc_info=why,
            )
        return bool(rows)

    async def expire(self, *, now: datetime, first: int) -> Sequence[Statement]:
        return [statement_of(row) for row in await self._rows(_EXPIRE, now=now, first=first)]

    async def _rows(self, statement: object, **values: object) -> Sequence[RowMapping]:
        connection = await self._session.connection()
        return (await connection.execute(statement, values)).mappings().all()  # type: ignore[call-overload, no-any-return]  # all are text()


class PostgresStatementWork:
    """Implements domain.wallets.papers.ports.Work."""

    def __init__(self, session: AsyncSession, *, patience_seconds: float) -> None:
        self._session = session
        self.idempotency = PostgresIdempotency(session, patience_seconds=patience_seconds)
        self.statements = PostgresStatementRecords(session)
        self.events = PendingEvents()

    def attempt(self) -> AbstractAsyncContextManager[PostgresAttempt]:
        return attempt(self._session, self.events)


class PostgresStatementWorks:
    """Implements domain.wallets.papers.ports.Works."""

    def __init__(self, database: Database, *, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    @asynccontextmanager
    async def begin(self) -> AsyncIterator[PostgresStatementWork]:
        async with self._database.unit_of_work() as session:
            work = PostgresStatementWork(session, patience_seconds=PATIENCE_SECONDS)
            yield work
            await finish(session, work.idempotency, work.events, now=self._clock.now())


class PostgresShelf:
    """Implements domain.wallets.papers.ports.Shelf."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def page(
        self, owner: UserId, *, first: int, before: StatementId | None
    ) -> Sequence[Statement]:
        wanted = select(StatementRow).where(StatementRow.owner == owner)
        if before is not None:
            wanted = wanted.where(col(StatementRow.id) < before)
        # UUIDv7: in the order of time.
        wanted = wanted.order_by(col(StatementRow.id).desc()).limit(first)
        async with self._database.read() as session:
            return [statement_of(vars(row)) for row in await session.exec(wanted)]

    async def statement(self, statement_id: StatementId) -> Statement | None:
        async with self._database.read() as session:
            row = await session.get(StatementRow, statement_id)
        return None if row is None else statement_of(vars(row))

    async def bookings(
        self, statement: Statement, *, first: int, after: Place | None
    ) -> tuple[Sequence[Booking], Place | None]:
        lowest = [r.first_position for r in statement.ranges if r.first_position is not None]
        highest = [r.last_position for r in statement.ranges if r.last_position is not None]
        if not lowest:
            return (), None
        begin = after or Place(0, AssetCode(""))
        values = {
            "owner": statement.owner,
            "lowest": max(min(lowest), begin.position),
            "highest": max(highest),
            "position": begin.position,
            "asset": statement.asset or begin.asset,
            "first": first,
        }
        # Of one asset by its own index: between two of its lines may be a life of others.
        wanted = _LINES_OF_ONE if statement.asset else _LINES_OF_ALL
        async with self._database.read() as session:
            connection = await session.connection()
            lines = (await connection.execute(wanted, values)).mappings().all()
        return bookings_of(lines, statement, first=first)
