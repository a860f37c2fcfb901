"""Histories of any length, written in bulk as the owner: what matters in them is the oldest."""

from datetime import timedelta

import asyncpg

from domain.kernel.ids import UserId
from domain.wallets.model import available, held
from tests.users.people import NOW
from tests.wallets.conftest import USDT
from tests.world import DatabaseUrls

_ENTRIES = """
    INSERT INTO wallets.entry (id, kind, at, hold_id, details)
    SELECT gen_random_uuid(), CASE WHEN n % 2 = 1 OR NOT $3 THEN 'HOLD_PLACED' ELSE 'HOLD_VOIDED'
        END, $1::timestamptz + n * interval '1 second',
        CASE WHEN $3 THEN md5($4 || (n + 1) / 2)::uuid ELSE md5($4 || n)::uuid END, '{}'
    FROM generate_series(1, $2::integer) AS n
"""
_POSTINGS = """
    INSERT INTO wallets.posting
        (position, line, account_id, owner, asset, amount, seq, balance, kind, sent)
    SELECT e.position, l.line, l.account, $1, 'USDT',
        CASE WHEN (e.kind = 'HOLD_PLACED') = (l.line = 1) THEN -1 ELSE 1 END,
        1000000 + e.position, 1, e.kind, 0
    FROM wallets.entry e CROSS JOIN (VALUES (1, $2::uuid), (2, $3::uuid)) AS l (line, account)
    WHERE e.position > $4
"""
_HOLDS = """
    INSERT INTO wallets.hold
        (id, owner, asset, amount, reason, created_at, state, posted, resolved_at)
    SELECT e.hold_id, $1, 'USDT', 1, 'order', e.at,
        CASE WHEN $3 THEN 'VOIDED' ELSE 'OPEN' END, 0, CASE WHEN $3 THEN e.at END
    FROM wallets.entry e WHERE e.position > $2 AND e.kind = 'HOLD_PLACED'
"""


async def grow(urls: DatabaseUrls, owner: UserId, entries: int, *, resolved: bool) -> None:
    """So many entries more: of holds that were voided, or that are all open still.

    True enough to be read, not to be verified.
    """
    began = NOW + timedelta(days=1)
    connection = await asyncpg.connect(urls.owner)
    try:
        last = await connection.fetchval("SELECT max(position) FROM wallets.entry")
        await connection.execute(_ENTRIES, began, entries, resolved, str(owner))
        accounts = available(owner, USDT).id, held(owner, USDT).id
        await connection.execute(_POSTINGS, owner, *accounts, last)
        await connection.execute(_HOLDS, owner, last, resolved)
        await connection.execute("ANALYZE wallets.entry, wallets.posting, wallets.hold")
    finally:
        await connection.close()
