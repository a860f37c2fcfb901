"""Posting: one call of ``wallets.post``, which locks, checks, appends and moves."""

from datetime import datetime
from decimal import Decimal
from functools import lru_cache
from typing import Any
from uuid import UUID

import orjson

from adapters.postgres.statements import Unit, call, rows
from adapters.postgres.tables.naming import Row
from adapters.postgres.tables.wallets import EntryRow, HoldRow, LedgerAccountRow
from adapters.postgres.wallets.rows import account_of, entry_of, hold_of
from adapters.postgres.wallets.sent import sent_lately
from domain.kernel.ids import AssetCode, UserId
from domain.kernel.money import plain, trimmed
from domain.wallets.errors import (
    HoldNotOpen,
    InsufficientFunds,
    Refusal,
    UnknownHold,
    WalletFrozen,
)
from domain.wallets.model import (
    Account,
    AccountState,
    EntryId,
    Hold,
    HoldId,
    HoldState,
    JournalEntry,
    Posted,
    Posting,
)
from domain.wallets.ports import Sent

_POST = "SELECT wallets.post($1::jsonb)"


def _columns(row: type[Row], table: str) -> str:
    """By name: a statement that is prepared outlives a migration that adds one."""
    return ", ".join(f"{table}.{name}" for name in row.model_fields)


_ENTRY = f"SELECT {_columns(EntryRow, 'e')} FROM wallets.entry e WHERE e.id = $1"  # noqa: S608  # constants
_LINES = f"""
    SELECT {_columns(LedgerAccountRow, "a")}, p.amount
    FROM wallets.posting p JOIN wallets.account a ON a.id = p.account_id
    WHERE p.position = $1 ORDER BY p.line
"""  # noqa: S608  # constants
_HOLD = f"SELECT {_columns(HoldRow, 'h')} FROM wallets.hold h WHERE h.id = $1"  # noqa: S608  # constants
_FREEZE = "SELECT wallets.freeze($1, $2)"


class PostgresLedger:
    """Implements domain.wallets.ports.Ledger."""

    def __init__(self, unit: Unit) -> None:
        self._unit = unit

    async def post(
        self, entry: JournalEntry, *, opens: Hold | None = None, resolves: Hold | None = None
    ) -> Posted | Refusal:
        given = given_of(entry)
        if opens is not None:
            given["opens"] = _opened(opens)
        if resolves is not None:
            given["resolves"] = {
                "id": str(resolves.id),
                "state": resolves.state.value,
                "posted": plain(resolves.posted),
            }
        answer = await call(self._unit, _POST, orjson.dumps(given).decode())
        return outcome_of(entry, answer)

    async def sent(self, owner: UserId, asset: AssetCode, *, now: datetime) -> Sent:
        return await sent_lately(self._unit, owner, asset, now=now)

    async def entry(self, entry_id: EntryId) -> JournalEntry | None:
        found = await rows(self._unit, _ENTRY, entry_id)
        if not found:
            return None
        lines = await rows(self._unit, _LINES, found[0]["position"])
        postings = [
            Posting(account_of(LedgerAccountRow(**line)), amount)
            for line in lines
            for amount in [line.pop("amount")]
        ]
        return entry_of(EntryRow(**found[0]), postings)

    async def hold(self, hold_id: HoldId) -> Hold | None:
        found = await rows(self._unit, _HOLD, hold_id)
        return hold_of(HoldRow(**found[0])) if found else None

    async def freeze(self, account: Account, *, frozen: bool) -> bool | None:
        changed: bool | None = await call(self._unit, _FREEZE, account.id, frozen)
        return changed


def given_of(entry: JournalEntry) -> dict[str, Any]:
    """The entry as ``wallets.post`` takes it."""
    return {
        "id": str(entry.id),
        "kind": entry.kind.value,
        "at": entry.at.isoformat(),
        "actor": _text(entry.actor),
        "source": entry.source,
        "reverses": _text(entry.reverses),
        "hold": _text(entry.hold_id),
        "details": dict(entry.details),
        "lines": [_line(number, each) for number, each in enumerate(entry.postings, start=1)],
    }


def _line(number: int, posting: Posting) -> dict[str, Any]:
    account = posting.account
    return {
        "line": number,
        "account": _text(account.id),
        "kind": account.kind.value,
        "asset": account.asset,
        "owner": _text(account.owner),
        "name": account.name,
        "amount": plain(posting.amount),
    }


def _opened(hold: Hold) -> dict[str, Any]:
    return {
        "id": str(hold.id),
        "owner": str(hold.owner),
        "asset": hold.asset,
        "amount": plain(hold.amount),
        "reason": hold.reason,
        "expires_at": None if hold.expires_at is None else hold.expires_at.isoformat(),
    }


def outcome_of(entry: JournalEntry, answer: dict[str, Any]) -> Posted | Refusal:
    """What ``wallets.post`` answered of the entry."""
    if "refused" in answer:
        return _refusal(entry, answer)
    if "repeated" in answer:
        return Posted(EntryId(UUID(answer["id"])), answer["repeated"], (), repeated=True)
    states = [
        AccountState(each.account, each.amount, trimmed(Decimal(balance)), sequence)
        for each in entry.postings
        if each.account.counted
        for balance, sequence in [answer["states"][_text(each.account.id)]]
    ]
    return Posted(entry.id, answer["position"], tuple(states))


def _refusal(entry: JournalEntry, answer: dict[str, Any]) -> Refusal:
    match answer["refused"]:
        case "UNKNOWN_HOLD":
            return UnknownHold()
        case "HOLD_NOT_OPEN":
            return HoldNotOpen(HoldState(answer["state"]))
    named = next(p.account for p in entry.postings if str(p.account.id) == answer["account"])
    if answer["refused"] == "WALLET_FROZEN":
        return WalletFrozen(named.asset)
    return InsufficientFunds(named.asset, trimmed(Decimal(answer["balance"])))


# Of the same accounts and people again and again.
@lru_cache(maxsize=4096)
def _text(value: UUID | None) -> str | None:
    return None if value is None else str(value)
