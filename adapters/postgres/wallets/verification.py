"""Proving the books from the journal alone, and sealing it so that changes leave a trace.

Every query looks for what must not be. Together they say: balances, sequences, holds, the chain and
the days are what the postings make them, and nothing else. Digests, links and trees are computed
here and not by the database's functions: who can change a row could change those, too.
"""

from collections.abc import Sequence
from datetime import date, datetime

from sqlalchemy import text

from adapters.postgres.engine import Database
from adapters.postgres.wallets.verifying_chain import CHAIN_RULES, chain_findings
from adapters.postgres.wallets.verifying_days import (
    DAY_RULES,
    closed_days,
    day_findings,
    kept_findings,
)
from domain.wallets.ports import Finding

PATIENCE_SECONDS = 3600.0
"""For the Database of who reads a whole journal, or locks it for that long."""

# By rule: subject and details of what breaks it.
_RULES = {
    "unbalanced_entry": """
        SELECT position::text, asset || ' sums to ' || sum(amount)
        FROM wallets.posting GROUP BY position, asset HAVING sum(amount) <> 0
    """,
    "entry_without_postings": """
        SELECT e.position::text, e.kind FROM wallets.entry e
        WHERE NOT EXISTS (SELECT FROM wallets.posting p WHERE p.position = e.position)
    """,
    "posting_without_entry": """
        SELECT p.position::text, p.line::text FROM wallets.posting p
        WHERE NOT EXISTS (SELECT FROM wallets.entry e WHERE e.position = p.position)
    """,
    "posting_of_another_account": """
        SELECT p.position::text, p.account_id::text
        FROM wallets.posting p LEFT JOIN wallets.account a ON a.id = p.account_id
        WHERE a.id IS NULL OR a.asset <> p.asset OR a.owner IS DISTINCT FROM p.owner
    """,
    "posting_of_another_kind": """
        SELECT p.position::text, p.kind || ' in ' || e.kind
        FROM wallets.posting p JOIN wallets.entry e ON e.position = p.position
        WHERE p.kind <> e.kind
    """,
    "too_fine_a_posting": """
        SELECT p.position::text, trim_scale(p.amount)::text
        FROM wallets.posting p JOIN wallets.asset s ON s.code = p.asset
        WHERE scale(trim_scale(p.amount)) > s.scale
    """,
    "wrong_balance": """
        SELECT coalesce(b.account_id, j.account_id)::text,
            'kept ' || coalesce(b.amount, 0) || ', journal ' || coalesce(j.amount, 0)
        FROM wallets.balance b FULL JOIN (
            SELECT account_id, sum(amount) AS amount, count(*) AS lines
            FROM wallets.posting WHERE owner IS NOT NULL GROUP BY account_id
        ) j ON j.account_id = b.account_id
        WHERE coalesce(b.amount, 0) <> coalesce(j.amount, 0)
            OR coalesce(b.last_seq, 0) <> coalesce(j.lines, 0)
    """,
    "wrong_running_balance": """
        SELECT account_id::text, 'posting ' || seq || ' says ' || balance || ', is ' || ran
        FROM (
            SELECT account_id, seq, balance, sum(amount) OVER each_account AS ran
            FROM wallets.posting WHERE owner IS NOT NULL
            WINDOW each_account AS (PARTITION BY account_id ORDER BY seq)
        ) p WHERE balance <> ran OR ran < 0
    """,
    "wrong_total_sent": """
        SELECT account_id::text, 'posting ' || seq || ' says ' || sent || ', is ' || ran
        FROM (
            SELECT p.account_id, p.seq, coalesce(p.sent, -1) AS sent, sum(
                CASE WHEN e.kind = 'TRANSFER' AND p.amount < 0 THEN -p.amount ELSE 0 END
            ) OVER (PARTITION BY p.account_id ORDER BY p.seq) AS ran
            FROM wallets.posting p JOIN wallets.entry e ON e.position = p.position
            WHERE p.owner IS NOT NULL
        ) t WHERE sent <> ran
        UNION ALL
        SELECT b.account_id::text, 'kept ' || b.sent || ', journal ' || p.sent
        FROM wallets.balance b
        JOIN wallets.posting p ON p.account_id = b.account_id AND p.seq = b.last_seq
        WHERE b.sent <> p.sent
    """,
    "gap_in_sequence": """
        SELECT account_id::text, 'posting ' || seq || ' is number ' || place
        FROM (
            SELECT account_id, seq, row_number() OVER each_account AS place
            FROM wallets.posting WHERE owner IS NOT NULL
            WINDOW each_account AS (PARTITION BY account_id ORDER BY seq)
        ) p WHERE seq <> place
    """,
    # Of its newest day a balance is the end, and has a rule of its own.
    "wrong_closing": """
        SELECT coalesce(c.account_id, j.account_id)::text,
            coalesce(c.day, j.day) || ' kept '
                || CASE WHEN c.day IS NULL THEN 'nothing'
                    ELSE coalesce(c.balance::text, 'as the newest') END
                || ', journal '
                || CASE WHEN j.day IS NULL THEN 'nothing'
                    ELSE coalesce(j.balance::text, 'the newest') END
        FROM (
            SELECT account_id, day, balance FROM wallets.closed_day
            UNION ALL
            SELECT account_id, day, NULL FROM wallets.balance WHERE day IS NOT NULL
        ) c FULL JOIN (
            SELECT DISTINCT ON (account_id, day) account_id, day,
                CASE WHEN seq < newest THEN balance END AS balance
            FROM (
                SELECT p.account_id, p.seq, p.balance, max((e.at AT TIME ZONE 'UTC')::date)
                    OVER (PARTITION BY p.account_id ORDER BY p.seq) AS day,
                    max(p.seq) OVER (PARTITION BY p.account_id) AS newest
                FROM wallets.posting p JOIN wallets.entry e ON e.position = p.position
                WHERE p.seq IS NOT NULL
            ) booked ORDER BY account_id, day, seq DESC
        ) j ON j.account_id = c.account_id AND j.day = c.day
        WHERE c.day IS NULL OR j.day IS NULL OR c.balance IS DISTINCT FROM j.balance
    """,
    "held_without_holds": """
        SELECT coalesce(a.owner, h.owner) || ' ' || coalesce(a.asset, h.asset),
            'held ' || coalesce(a.amount, 0) || ', open holds ' || coalesce(h.amount, 0)
        FROM (
            SELECT k.owner, k.asset, sum(p.amount) AS amount
            FROM wallets.account k JOIN wallets.posting p ON p.account_id = k.id
            WHERE k.kind = 'HELD' GROUP BY k.owner, k.asset
        ) a FULL JOIN (
            SELECT owner, asset, sum(amount) AS amount
            FROM wallets.hold WHERE state = 'OPEN' GROUP BY owner, asset
        ) h ON h.owner = a.owner AND h.asset = a.asset
        WHERE coalesce(a.amount, 0) <> coalesce(h.amount, 0)
    """,
    "misplaced_hold": """
        SELECT h.id::text,
            'kept ' || coalesce(h.position::text, 'nowhere') || ', journal '
                || coalesce(e.position::text, 'nowhere')
        FROM wallets.hold h
        LEFT JOIN wallets.entry e ON e.hold_id = h.id AND e.kind = 'HOLD_PLACED'
        WHERE h.position IS DISTINCT FROM e.position OR e.position IS NULL
    """,
    "outside_of_the_chain": """
        SELECT e.position::text, e.kind FROM wallets.entry e
        WHERE NOT EXISTS (SELECT FROM wallets.chain_link c WHERE c.position = e.position)
            AND NOT EXISTS (SELECT FROM wallets.unsealed u WHERE u.position = e.position)
    """,
}


RULES = (*_RULES, *CHAIN_RULES, *DAY_RULES)
"""The words of all findings."""


class PostgresVerification:
    """Implements domain.wallets.ports.Verification.

    ``every_tree``: build the trees of all days again, not of the newest one alone; what was owed in
    total is added up for every day in any case. ``kept_roots``: roots of days, in hex, that were
    kept where the owner of this database cannot write.
    """

    def __init__(
        self,
        database: Database,
        *,
        every_tree: bool = False,
        kept_roots: Sequence[tuple[date, str]] = (),
    ) -> None:
        self._database = database
        self._every_tree = every_tree
        self._kept_roots = kept_roots

    async def findings(self, *, first: int = 100) -> Sequence[Finding]:
        found: list[Finding] = []
        async with self._database.read() as session:
            connection = await session.connection()
            # One moment for all rules: money moves while they look.
            await connection.execute(text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ"))
            for rule, query in _RULES.items():
                rows = await connection.execute(text(f"{query} LIMIT {int(first)}"))  # constants
                found += [Finding(rule, subject, details) for subject, details in rows.all()]
            days = await closed_days(session)
            marks = {day.root.last_number for day in days}
            links, broken = await chain_findings(connection, marks=marks, first=first)
            found += broken
            found += kept_findings(days, self._kept_roots, first=first)
            found += await day_findings(
                connection, days, links=links, first=first, every_tree=self._every_tree
            )
        return found


class PostgresSealing:
    """Implements domain.wallets.ports.Sealing."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def seal(self, *, now: datetime, limit: int = 1000) -> int:
        async with self._database.unit_of_work() as session:
            connection = await session.connection()
            sealed = await connection.execute(
                text("SELECT wallets.seal(:most, :at)"), {"most": limit, "at": now}
            )
            return int(sealed.scalar_one())
