"""What outlives a restart: one SQLite file beside the sandbox's databases.

SQLite and not the product's PostgreSQL: Firebase is somebody else's system, so nothing of it may
stand in our tables, and signing in goes on while the databases are broken on purpose. Every call
is some microseconds and is made on the event loop; a transaction never spans an await, so that
requests do not meet in one. With a write-ahead log a killed process loses nothing it committed.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from adapters.sandbox.identity.accounts import Account

_VERSION = 1
_TABLES = """
CREATE TABLE accounts (
  uid TEXT PRIMARY KEY, email TEXT UNIQUE, phone TEXT UNIQUE, document TEXT NOT NULL
) STRICT;
CREATE TABLE links (
  provider TEXT, raw_id TEXT, uid TEXT NOT NULL REFERENCES accounts ON DELETE CASCADE,
  PRIMARY KEY (provider, raw_id)
) STRICT;
CREATE TABLE sessions (
  digest BLOB PRIMARY KEY, uid TEXT NOT NULL REFERENCES accounts ON DELETE CASCADE,
  provider TEXT NOT NULL, signed_in_at INTEGER NOT NULL, factor_kind TEXT, factor_id TEXT,
  revoked INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE INDEX sessions_of_account ON sessions (uid, signed_in_at);
CREATE TABLE slips (
  id TEXT PRIMARY KEY, kind TEXT NOT NULL, expires_at REAL NOT NULL,
  tries INTEGER NOT NULL DEFAULT 0, document TEXT NOT NULL
) STRICT;
CREATE INDEX slips_of_kind ON slips (kind, expires_at);
CREATE TABLE messages (number INTEGER PRIMARY KEY, document TEXT NOT NULL) STRICT;
CREATE TABLE secrets (name TEXT PRIMARY KEY, text TEXT NOT NULL) STRICT;
"""


class Store:
    """The file and its accounts; sessions, slips and messages are kept by those who make them."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch(mode=0o600)
        # Used by the event loop's thread alone, which need not be the one that opened it.
        self.connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        self.connection.execute("PRAGMA journal_mode = WAL")
        self.connection.execute("PRAGMA synchronous = NORMAL")
        self.connection.execute("PRAGMA foreign_keys = ON")
        if self.connection.execute("PRAGMA user_version").fetchone()[0] == 0:
            # One script, one transaction: a process killed in the middle starts anew.
            self.connection.executescript(
                f"BEGIN; {_TABLES} PRAGMA user_version = {_VERSION}; COMMIT;"
            )

    def close(self) -> None:
        self.connection.close()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All or nothing; no await inside."""
        self.connection.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self.connection.execute("ROLLBACK")
            raise
        self.connection.execute("COMMIT")

    def secret(self, name: str) -> str | None:
        row = self.connection.execute("SELECT text FROM secrets WHERE name = ?", (name,)).fetchone()
        return None if row is None else str(row[0])

    def keep_secret(self, name: str, text: str) -> None:
        self.connection.execute("INSERT INTO secrets VALUES (?, ?)", (name, text))

    def by_uid(self, uid: str) -> Account | None:
        return self._account("SELECT document FROM accounts WHERE uid = ?", uid)

    def by_email(self, email: str) -> Account | None:
        return self._account("SELECT document FROM accounts WHERE email = ?", email)

    def by_phone(self, phone: str) -> Account | None:
        return self._account("SELECT document FROM accounts WHERE phone = ?", phone)

    def by_link(self, provider: str, raw_id: str) -> Account | None:
        return self._account(
            "SELECT document FROM accounts JOIN links USING (uid) "
            "WHERE provider = ? AND raw_id = ?",
            provider,
            raw_id,
        )

    def count(self) -> int:
        return int(self.connection.execute("SELECT count(*) FROM accounts").fetchone()[0])

    def page(self, after: str, limit: int) -> list[Account]:
        """Accounts by uid, those behind ``after``."""
        rows = self.connection.execute(
            "SELECT document FROM accounts WHERE uid > ? ORDER BY uid LIMIT ?", (after, limit)
        )
        return [Account.from_json(document) for (document,) in rows]

    def save(self, account: Account) -> None:
        """Insert or replace; who asks has looked whether addresses are free."""
        self.connection.execute(
            "INSERT INTO accounts VALUES (?, ?, ?, ?) ON CONFLICT (uid) DO UPDATE SET "
            "email = excluded.email, phone = excluded.phone, document = excluded.document",
            (account.uid, account.email, account.phone, account.to_json().decode()),
        )
        self.connection.execute("DELETE FROM links WHERE uid = ?", (account.uid,))
        self.connection.executemany(
            "INSERT INTO links VALUES (?, ?, ?)",
            [(link.provider, link.raw_id, account.uid) for link in account.links],
        )

    def delete(self, uid: str) -> bool:
        return bool(self.connection.execute("DELETE FROM accounts WHERE uid = ?", (uid,)).rowcount)

    def _account(self, query: str, *words: str) -> Account | None:
        row = self.connection.execute(query, words).fetchone()
        return None if row is None else Account.from_json(row[0])
