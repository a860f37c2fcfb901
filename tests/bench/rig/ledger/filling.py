"""Books of any length, written in bulk as the owner, and true to every rule of the verification.

A hundred people. The first is at four entries of five, the second at fifty whatever the length;
everybody's deposits, one of each asset, are the oldest entries there are.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import asyncpg

from adapters.postgres import Database
from adapters.postgres.wallets import PostgresVerification
from adapters.sandbox.servers import Servers
from domain.kernel.ids import AssetCode, UserId
from domain.wallets.model import Account, AccountKind, available, house
from tests.bench.rig.ledger.poster import USDT, person
from tests.world import DatabaseUrls, create_migrated_database

BTC = AssetCode("BTC")
PEOPLE = 100
VERY_MANY, FEW = person(0), person(1)
FEW_TRANSFERS = 50
BEGAN = datetime(2026, 1, 1, tzinfo=UTC)
"""Of the books: an entry each second from then on."""

_ASSETS = """
INSERT INTO wallets.asset (code, name, scale, networks)
VALUES ('USDT', 'Tether', 6, '[]'), ('BTC', 'Bitcoin', 18, '[]')
"""
_OPENED = """
INSERT INTO wallets.account (id, kind, asset, owner, name, opened_at)
VALUES ($1, $2, $3, $4, '', $5)
"""
_PURSES = (
    "CREATE TEMPORARY TABLE purse (number bigint, account_id uuid, asset text, owner uuid)",
    "INSERT INTO purse VALUES ($1, $2, $3, $4)",
)
_FAUCET = -1
# By number of person, the faucet's is -1: $1 entries, $2 people, $3 transfers of the second.
_MOVES = """
CREATE TEMPORARY TABLE move AS
SELECT position, kind, asset, amount,
    CASE WHEN kind = 'DEPOSIT' THEN -1
        WHEN few THEN 1
        WHEN position % 5 = 0 THEN 2 + position % (people - 3)
        ELSE 0 END AS giver,
    CASE WHEN kind = 'DEPOSIT' THEN (position - 1) % people
        WHEN few OR position % 5 <> 0 THEN 2 + position % (people - 2)
        ELSE 3 + position % (people - 3) END AS taker
FROM (
    SELECT position, $2::bigint AS people,
        CASE WHEN position <= 2 * $2 THEN 'DEPOSIT' ELSE 'TRANSFER' END AS kind,
        CASE WHEN position > $2 AND position <= 2 * $2 THEN 'BTC' ELSE 'USDT' END AS asset,
        CASE WHEN position <= 2 * $2 THEN 1000000000 ELSE 1 END::numeric AS amount,
        position % greatest(($1 - 2 * $2) / $3, 1) = 1 AS few
    FROM generate_series(1, $1::bigint) AS position
) m
"""
_ENTRIES = """
INSERT INTO wallets.entry (id, position, kind, at, details) OVERRIDING SYSTEM VALUE
SELECT gen_random_uuid(), position, kind, $1::timestamptz + position * interval '1 second', '{}'
FROM move ORDER BY position
"""
_POSTINGS = """
INSERT INTO wallets.posting
    (position, line, account_id, owner, asset, amount, seq, balance, kind, sent)
SELECT position, line, account_id, owner, asset, amount,
    CASE WHEN owner IS NOT NULL THEN row_number() OVER each_account END,
    CASE WHEN owner IS NOT NULL THEN sum(amount) OVER each_account END,
    kind,
    CASE WHEN owner IS NOT NULL THEN
        sum(CASE WHEN kind = 'TRANSFER' THEN greatest(-amount, 0) ELSE 0 END) OVER each_account
    END
FROM (
    SELECT m.position, s.line, a.account_id, a.owner, m.asset, s.amount, m.kind
    FROM move m
    CROSS JOIN LATERAL (VALUES (1, m.giver, -m.amount), (2, m.taker, m.amount))
        AS s (line, who, amount)
    JOIN purse a ON a.number = s.who AND a.asset = m.asset
) l
WINDOW each_account AS (PARTITION BY account_id ORDER BY position)
ORDER BY position, line
"""
_REST = (
    """
    INSERT INTO wallets.balance (account_id, amount, last_seq, frozen, sent, day)
    SELECT p.account_id, sum(p.amount), count(*), false, max(p.sent),
        max((e.at AT TIME ZONE 'UTC')::date)
    FROM wallets.posting p JOIN wallets.entry e ON e.position = p.position
    WHERE p.owner IS NOT NULL GROUP BY p.account_id
    """,
    """
    INSERT INTO wallets.closed_day (account_id, day, balance)
    SELECT DISTINCT ON (account_id, day) account_id, day, balance
    FROM (
        SELECT p.account_id, p.seq, p.balance, max((e.at AT TIME ZONE 'UTC')::date)
            OVER (PARTITION BY p.account_id ORDER BY p.seq) AS day
        FROM wallets.posting p JOIN wallets.entry e ON e.position = p.position
        WHERE p.seq IS NOT NULL
    ) booked
    WHERE day < (SELECT b.day FROM wallets.balance b WHERE b.account_id = booked.account_id)
    ORDER BY account_id, day, seq DESC
    """,
    "INSERT INTO wallets.unsealed (position, since) SELECT position, at FROM wallets.entry",
    """
    SELECT setval(pg_get_serial_sequence('wallets.entry', 'position'), max(position)) FROM move
    """,
    "VACUUM (ANALYZE) wallets.entry, wallets.posting, wallets.balance, wallets.account",
)


@dataclass(frozen=True, slots=True)
class Books:
    """A database with so many lines."""

    urls: DatabaseUrls
    lines: int

    async def lines_of(self, owner: UserId) -> int:
        connection = await asyncpg.connect(self.urls.app)
        try:
            wanted = "SELECT count(*) FROM wallets.posting WHERE owner = $1"
            return int(await connection.fetchval(wanted, owner))
        finally:
            await connection.close()

    async def wrong(self) -> Sequence[object]:
        """What the verification finds."""
        database = Database(self.urls.app, role="bench", pool_size=1, timeout_seconds=900)
        try:
            return await PostgresVerification(database).findings()
        finally:
            await database.aclose()


async def filled(servers: Servers, lines: int) -> Books:
    """Books of ``lines`` postings, two of each entry."""
    urls = await create_migrated_database(servers, f"okd_books_{lines}")
    connection = await asyncpg.connect(urls.owner)
    try:
        await connection.execute(_ASSETS)
        purses = [
            (number, _account(number, asset))
            for number in (_FAUCET, *range(PEOPLE))
            for asset in (USDT, BTC)
        ]
        await connection.executemany(
            _OPENED, [(a.id, a.kind.value, a.asset, a.owner, BEGAN) for _, a in purses]
        )
        create, insert = _PURSES
        await connection.execute(create)
        await connection.executemany(insert, [(n, a.id, a.asset, a.owner) for n, a in purses])
        await connection.execute(_moves(lines // 2))
        await connection.execute(_ENTRIES, BEGAN)
        await connection.execute(_POSTINGS)
        for statement in _REST:
            await connection.execute(statement)
    finally:
        await connection.close()
    return Books(urls, lines)


def _moves(entries: int) -> str:
    """With its numbers in it: a statement that makes a table takes no values."""
    made = _MOVES
    for name, value in (("$1", entries), ("$2", PEOPLE), ("$3", FEW_TRANSFERS)):
        made = made.replace(name, str(value))
    return made


def _account(number: int, asset: AssetCode) -> Account:
    if number == _FAUCET:
        return house(AccountKind.FAUCET, asset)
    return available(person(number), asset)
