"""Posting: one call of ``wallets.post``, which locks, checks, appends and moves."""

from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import text
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from adapters.postgres.engine import call
from adapters.postgres.tables.wallets import EntryRow, HoldRow, LedgerAccountRow, PostingRow
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
_FREEZE = text("SELECT wallets.freeze(:account, :wish)")


class PostgresLedger:
    """Implements domain.wallets.ports.Ledger."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def post(
        self, entry: JournalEntry, *, opens: Hold | None = None, resolves: Hold | None = None
    ) -> Posted | Refusal:
        given = _given(entry)
        if opens is not None:
            given["opens"] = _opened(opens)
        if resolves is not None:
            given["resolves"] = {
                "id": str(resolves.id),
                "state": resolves.state.value,
                "posted": plain(resolves.posted),
            }
        answer = await call(self._session, _POST, orjson.dumps(given).decode())
        return _outcome(entry, answer)

    async def sent(self, owner: UserId, asset: AssetCode, *, now: datetime) -> Sent:
        return await sent_lately(await self._session.connection(), owner, asset, now=now)

    async def entry(self, entry_id: EntryId) -> JournalEntry | None:
        wanted = (
            select(EntryRow, PostingRow, LedgerAccountRow)
            .join(PostingRow, col(PostingRow.position) == EntryRow.position)
            .join(LedgerAccountRow, col(LedgerAccountRow.id) == PostingRow.account_id)
            .where(EntryRow.id == entry_id)
            .order_by(col(PostingRow.line))
        )
        rows = (await self._session.exec(wanted)).all()
        if not rows:
            return None
        postings = [Posting(account_of(account), line.amount) for _, line, account in rows]
        return entry_of(rows[0][0], postings)

    async def hold(self, hold_id: HoldId) -> Hold | None:
        found = await self._session.exec(select(HoldRow).where(HoldRow.id == hold_id))
        row = found.one_or_none()
        return None if row is None else hold_of(row)

    async def freeze(self, account: Account, *, frozen: bool) -> bool | None:
        connection = await self._session.connection()
        answer = await connection.execute(_FREEZE, {"account": account.id, "wish": frozen})
        changed: bool | None = answer.scalar_one()
        return changed


def _given(entry: JournalEntry) -> dict[str, Any]:
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
        "account": str(account.id),
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


def _outcome(entry: JournalEntry, answer: dict[str, Any]) -> Posted | Refusal:
    if "refused" in answer:
        return _refusal(entry, answer)
    if "repeated" in answer:
        return Posted(EntryId(UUID(answer["id"])), answer["repeated"], (), repeated=True)
    states = [
        AccountState(each.account, each.amount, trimmed(Decimal(balance)), sequence)
        for each in entry.postings
        if each.account.counted
        for balance, sequence in [answer["states"][str(each.account.id)]]
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


def _text(value: UUID | None) -> str | None:
    return None if value is None else str(value)
