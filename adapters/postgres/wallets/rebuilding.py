"""Balances, ends of days and holds made from the journal again: compared, or put in their place.

They are a projection, kept because a command cannot read a whole journal. Two things are not in
it: whether a wallet is frozen, and what a hold of an old release was for; those stay as they are.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from adapters.postgres.engine import Database
from adapters.postgres.migrations.roles import adopt_owner
from domain.wallets.ports import Finding

# Nobody can move money while the lock is wanted or held: better to fail and be run again.
_LOCK = (
    "SET LOCAL lock_timeout = '5s'",
    "LOCK TABLE wallets.balance, wallets.closed_day, wallets.hold IN EXCLUSIVE MODE",
)
_SCRATCH = (
    """
    CREATE TEMPORARY TABLE rebuilt_balance ON COMMIT DROP AS
    SELECT p.account_id, sum(p.amount) AS amount, count(*) AS last_seq,
        sum(CASE WHEN e.kind = 'TRANSFER' AND p.amount < 0 THEN -p.amount ELSE 0 END) AS sent,
        max((e.at AT TIME ZONE 'UTC')::date) AS day
    FROM wallets.posting p JOIN wallets.entry e ON e.position = p.position
    WHERE p.owner IS NOT NULL GROUP BY p.account_id
    """,
    """
    CREATE TEMPORARY TABLE rebuilt_closing ON COMMIT DROP AS
    SELECT DISTINCT ON (account_id, day) account_id, day, balance, seq = newest AS is_newest
    FROM (
        SELECT p.account_id, p.seq, sum(p.amount) OVER each_account AS balance,
            max((e.at AT TIME ZONE 'UTC')::date) OVER each_account AS day,
            max(p.seq) OVER (PARTITION BY p.account_id) AS newest
        FROM wallets.posting p JOIN wallets.entry e ON e.position = p.position
        WHERE p.seq IS NOT NULL
        WINDOW each_account AS (PARTITION BY p.account_id ORDER BY p.seq)
    ) booked ORDER BY account_id, day, seq DESC
    """,
    """
    CREATE TEMPORARY TABLE rebuilt_hold ON COMMIT DROP AS
    SELECT placed.hold_id AS id, placed.position, p.owner, p.asset, p.amount,
        placed.at AS created_at,
        placed.details ->> 'reason' AS reason,
        (placed.details ->> 'expiresAt')::timestamptz AS expires_at,
        coalesce(substring(done.kind FROM 6), 'OPEN') AS state, done.at AS resolved_at,
        CASE WHEN done.kind = 'HOLD_POSTED'
            THEN coalesce((done.details ->> 'taken')::numeric, p.amount - coalesce(rest.amount, 0))
            ELSE 0 END AS posted
    FROM wallets.entry placed
    JOIN wallets.posting p ON p.position = placed.position AND p.amount > 0
    LEFT JOIN wallets.entry done
        ON done.hold_id = placed.hold_id AND done.kind <> 'HOLD_PLACED'
    LEFT JOIN LATERAL (
        SELECT r.amount FROM wallets.posting r JOIN wallets.account a ON a.id = r.account_id
        WHERE r.position = done.position AND r.owner = p.owner AND a.kind = 'AVAILABLE'
    ) rest ON true
    WHERE placed.kind = 'HOLD_PLACED'
    """,
)
_DIFFERENCES = {
    "wrong_balance": """
        SELECT coalesce(b.account_id, r.account_id)::text,
            'kept ' || coalesce(trim_scale(b.amount)::text, 'nothing') || ' after '
                || coalesce(b.last_seq, 0) || ' postings, journal '
                || coalesce(trim_scale(r.amount), 0) || ' after ' || coalesce(r.last_seq, 0)
        FROM wallets.balance b FULL JOIN rebuilt_balance r ON r.account_id = b.account_id
        WHERE coalesce(b.amount, 0) <> coalesce(r.amount, 0)
            OR coalesce(b.last_seq, 0) <> coalesce(r.last_seq, 0)
            OR b.account_id IS NULL
        ORDER BY 1
    """,
    "wrong_total_sent": """
        SELECT b.account_id::text,
            'kept ' || trim_scale(b.sent) || ', journal ' || trim_scale(r.sent)
        FROM wallets.balance b JOIN rebuilt_balance r ON r.account_id = b.account_id
        WHERE b.sent <> r.sent
        ORDER BY 1
    """,
    "wrong_closing": """
        SELECT coalesce(c.account_id, r.account_id)::text,
            coalesce(c.day, r.day) || ' kept '
                || CASE WHEN c.day IS NULL THEN 'nothing'
                    ELSE coalesce(trim_scale(c.balance)::text, 'as the newest') END
                || ', journal '
                || CASE WHEN r.day IS NULL THEN 'nothing'
                    ELSE coalesce(trim_scale(r.balance)::text, 'the newest') END
        FROM (
            SELECT account_id, day, balance FROM wallets.closed_day
            UNION ALL
            SELECT account_id, day, NULL FROM wallets.balance WHERE day IS NOT NULL
        ) c FULL JOIN (
            SELECT account_id, day, CASE WHEN NOT is_newest THEN balance END AS balance
            FROM rebuilt_closing
        ) r ON r.account_id = c.account_id AND r.day = c.day
        WHERE c.day IS NULL OR r.day IS NULL OR c.balance IS DISTINCT FROM r.balance
        ORDER BY 1, 2
    """,
    "wrong_hold": """
        SELECT coalesce(h.id, r.id)::text,
            'kept ' || coalesce(h.state || ' ' || trim_scale(h.amount), 'nothing')
                || ', journal ' || coalesce(r.state || ' ' || trim_scale(r.amount), 'nothing')
        FROM wallets.hold h FULL JOIN rebuilt_hold r ON r.id = h.id
        WHERE (h.id, h.position, h.owner, h.asset, h.amount, h.created_at, h.state, h.posted,
            h.resolved_at)
            IS DISTINCT FROM
            (r.id, r.position, r.owner, r.asset, r.amount, r.created_at, r.state, r.posted,
            r.resolved_at)
            OR (r.reason IS NOT NULL AND (h.reason, h.expires_at)
                IS DISTINCT FROM (r.reason, r.expires_at))
        ORDER BY 1
    """,
}
_WRITE = (
    """
    UPDATE wallets.balance b SET amount = coalesce(r.amount, 0),
        last_seq = coalesce(r.last_seq, 0), sent = coalesce(r.sent, 0), day = r.day
    FROM wallets.balance k LEFT JOIN rebuilt_balance r ON r.account_id = k.account_id
    WHERE k.account_id = b.account_id
        AND (b.amount, b.last_seq, b.sent, b.day) IS DISTINCT FROM
            (coalesce(r.amount, 0), coalesce(r.last_seq, 0), coalesce(r.sent, 0), r.day)
    """,
    """
    INSERT INTO wallets.balance (account_id, amount, last_seq, frozen, sent, day)
    SELECT r.account_id, r.amount, r.last_seq, false, r.sent, r.day FROM rebuilt_balance r
    WHERE NOT EXISTS (SELECT FROM wallets.balance b WHERE b.account_id = r.account_id)
    """,
    """
    DELETE FROM wallets.closed_day c WHERE NOT EXISTS (
        SELECT FROM rebuilt_closing r
        WHERE r.account_id = c.account_id AND r.day = c.day AND NOT r.is_newest)
    """,
    """
    INSERT INTO wallets.closed_day (account_id, day, balance)
    SELECT r.account_id, r.day, r.balance FROM rebuilt_closing r WHERE NOT r.is_newest
    ON CONFLICT (account_id, day) DO UPDATE SET balance = excluded.balance
    """,
    """
    DELETE FROM wallets.hold h WHERE NOT EXISTS (SELECT FROM rebuilt_hold r WHERE r.id = h.id)
    """,
    """
    INSERT INTO wallets.hold AS kept (id, owner, asset, amount, reason, created_at, expires_at,
        state, posted, resolved_at)
    SELECT r.id, r.owner, r.asset, r.amount, coalesce(r.reason, 'unknown'), r.created_at,
        r.expires_at, r.state, r.posted, r.resolved_at
    FROM rebuilt_hold r
    ON CONFLICT (id) DO UPDATE SET owner = excluded.owner, asset = excluded.asset,
        amount = excluded.amount, created_at = excluded.created_at, state = excluded.state,
        posted = excluded.posted, resolved_at = excluded.resolved_at,
        reason = CASE WHEN excluded.reason = 'unknown' THEN kept.reason ELSE excluded.reason END,
        expires_at = CASE WHEN excluded.reason = 'unknown' THEN kept.expires_at
            ELSE excluded.expires_at END
    """,
)


class CannotRebuild(Exception):
    """Why nothing was compared or written, for an operator to read."""


@dataclass(frozen=True, slots=True)
class Rebuilt:
    """What came of it."""

    balances: int
    """Of users' accounts in the journal."""
    holds: int
    differences: Sequence[Finding]
    """Between what was kept and the journal."""
    written: bool


async def rebuild_balances(database: Database, *, write: bool, first: int = 100) -> Rebuilt:
    """Compare, and with ``write`` make what is kept what the journal says, in one transaction.

    Raises CannotRebuild, Unavailable, TimedOut, and Conflict when the tables are in use.
    """
    async with database.unit_of_work() as session:
        connection = await session.connection()
        if not write:
            await connection.execute(text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ"))
        if await adopt_owner(connection):
            raise CannotRebuild("This is for okd_owner: set DATABASE_OWNER_URL accordingly.")
        for statement in (*_LOCK, *_SCRATCH) if write else _SCRATCH:
            await connection.execute(text(statement))
        differences: list[Finding] = []
        for rule, query in _DIFFERENCES.items():
            rows = await connection.execute(text(f"{query} LIMIT {int(first)}"))  # constants
            differences += [Finding(rule, subject, details) for subject, details in rows.all()]
        if write and differences:
            await _require_nobody_below_zero(connection)
            for statement in _WRITE:
                await connection.execute(text(statement))
        balances, holds = [
            int((await connection.execute(text(f"SELECT count(*) FROM {table}"))).scalar_one())  # noqa: S608  # constants
            for table in ("rebuilt_balance", "rebuilt_hold")
        ]
    return Rebuilt(balances, holds, differences, written=write and bool(differences))


async def _require_nobody_below_zero(connection: AsyncConnection) -> None:
    query = "SELECT count(*) FROM rebuilt_balance WHERE amount < 0"
    below = (await connection.execute(text(query))).scalar_one()
    if below:
        raise CannotRebuild(
            f"Nothing was written: by the journal {below} accounts are below zero. The journal "
            "itself was changed: python app.py verify-ledger says where."
        )
