"""Slips: what is given out once and comes back once. Links, SMS codes, half-done sign-ins.

A slip ends when it is used, when it is old, and when too many guesses were made at it.
"""

import secrets
from enum import StrEnum
from typing import Any

import orjson

from adapters.sandbox.identity.answers import Refused
from adapters.sandbox.identity.store import Store

_TRIES_MAX = 5
_KEPT_MAX = 10_000


class Kind(StrEnum):
    LINK = "link"
    SMS = "sms"
    TOTP_ENROLMENT = "totp-enrolment"
    PENDING = "pending"


LIFE_SECONDS = {Kind.LINK: 3600, Kind.SMS: 600, Kind.TOTP_ENROLMENT: 300, Kind.PENDING: 600}


class Slips:
    def __init__(self, store: Store) -> None:
        self._execute = store.connection.execute

    def give(self, kind: Kind, document: dict[str, Any], *, now: float) -> str:
        """A new slip; returns its id, which nobody guesses."""
        slip = secrets.token_urlsafe(40)
        self._execute("DELETE FROM slips WHERE expires_at <= ?", (now,))
        self._execute(
            "DELETE FROM slips WHERE rowid IN"
            " (SELECT rowid FROM slips ORDER BY rowid DESC LIMIT -1 OFFSET ?)",
            (_KEPT_MAX,),
        )
        self._execute(
            "INSERT INTO slips (id, kind, expires_at, document) VALUES (?, ?, ?, ?)",
            (slip, kind, now + LIFE_SECONDS[kind], orjson.dumps(document).decode()),
        )
        return slip

    def look(self, kind: Kind, slip: str, *, now: float) -> dict[str, Any] | None:
        """What was written on it; None when there is none or it has ended."""
        row = self._execute(
            "SELECT document FROM slips WHERE id = ? AND kind = ? AND expires_at > ?",
            (slip, kind, now),
        ).fetchone()
        return None if row is None else dict(orjson.loads(row[0]))

    def all(self, kind: Kind, *, now: float) -> list[tuple[str, dict[str, Any]]]:
        """Those not used yet, oldest first."""
        rows = self._execute(
            "SELECT id, document FROM slips WHERE kind = ? AND expires_at > ? ORDER BY rowid",
            (kind, now),
        )
        return [(slip, orjson.loads(document)) for slip, document in rows]

    def use(self, slip: str) -> None:
        self._execute("DELETE FROM slips WHERE id = ?", (slip,))

    def wrong(self, slip: str) -> Refused:
        """Count a wrong guess; the error to raise, outside of any transaction."""
        self._execute("UPDATE slips SET tries = tries + 1 WHERE id = ?", (slip,))
        ended = self._execute("DELETE FROM slips WHERE id = ? AND tries >= ?", (slip, _TRIES_MAX))
        return Refused("TOO_MANY_ATTEMPTS_TRY_LATER" if ended.rowcount else "INVALID_CODE")
