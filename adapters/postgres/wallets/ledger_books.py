"""Reading the books for staff: each call a short session of its own."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from operator import itemgetter
from typing import Any
from uuid import UUID

from sqlalchemy import RowMapping, or_, text, tuple_
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from adapters.postgres.engine import Database
from adapters.postgres.tables.wallets import HoldRow, LedgerProposalRow
from adapters.postgres.users.keys import Keys
from adapters.postgres.wallets.moments import BEFORE, NOT_BEFORE
from adapters.postgres.wallets.proposals import proposal_of
from adapters.postgres.wallets.rows import hold_of
from adapters.vault import KeyRing
from domain.kernel.ids import AssetCode, UserId
from domain.kernel.money import trimmed
from domain.wallets.desk.model import (
    LedgerAccount,
    LedgerEntry,
    LedgerLine,
    LedgerProposal,
    LedgerProposalId,
    LedgerProposalState,
    TrialBalance,
    TrialRow,
    trial_balance,
)
from domain.wallets.desk.ports import AccountQuery, EntryQuery, HoldPlace, HoldQuery
from domain.wallets.model import (
    Account,
    AccountId,
    AccountKind,
    EntryId,
    EntryKind,
    Hold,
    HoldId,
    HoldState,
)

# Positions first, from whichever index the filter has; then what stands at them.
_ENTRIES = """
    WITH wanted AS ({wanted} ORDER BY position DESC LIMIT :first)
    SELECT e.*, p.line, p.amount, p.seq, p.balance, a.kind AS account_kind, a.asset, a.owner,
        a.name, r.id AS reversed_by
    FROM wanted
    JOIN wallets.entry e USING (position)
    JOIN wallets.posting p USING (position)
    JOIN wallets.account a ON a.id = p.account_id
    LEFT JOIN wallets.entry r ON r.reverses = e.id
    ORDER BY e.position DESC, p.line
"""
_BY_ENTRY = "SELECT e.position FROM wallets.entry e WHERE true {rules}"
# A user's few lines are found by their own index, and not by going through everybody's entries.
_BY_POSTING = """
    SELECT DISTINCT p.position FROM wallets.posting p JOIN wallets.entry e USING (position)
    WHERE true {rules}
"""
_ACCOUNTS = """
    SELECT a.id, a.kind, a.asset, a.owner, a.name, a.opened_at, b.last_seq,
        coalesce(b.frozen, false) AS frozen,
        CASE WHEN a.owner IS NULL THEN (
            SELECT coalesce(sum(p.amount), 0) FROM wallets.posting p
            WHERE p.account_id = a.id AND p.owner IS NULL
        ) ELSE coalesce(b.amount, 0) END AS balance
    FROM wallets.account a LEFT JOIN wallets.balance b ON b.account_id = a.id
    WHERE true {rules} ORDER BY a.id LIMIT :first
"""
# By account before anything is joined: a million postings are few accounts.
_TRIAL = """
    SELECT a.asset, a.kind, CASE WHEN a.owner IS NULL THEN a.name ELSE '' END AS name,
        count(*) AS accounts, sum(s.debits) AS debits, sum(s.credits) AS credits,
        max(s.position) AS position
    FROM (
        SELECT p.account_id, max(p.position) AS position,
            -coalesce(sum(p.amount) FILTER (WHERE p.amount < 0), 0) AS debits,
            coalesce(sum(p.amount) FILTER (WHERE p.amount > 0), 0) AS credits
        FROM wallets.posting p {until} GROUP BY p.account_id
    ) s JOIN wallets.account a ON a.id = s.account_id
    GROUP BY 1, 2, 3 ORDER BY 1, 2, 3
"""
_UNTIL = "JOIN wallets.entry e ON e.position = p.position WHERE e.at <= :until"


@dataclass(frozen=True, slots=True)
class _Rules:
    """SQL of constants only, and its values."""

    sql: list[str]
    values: dict[str, object]

    def add(self, rule: str, **values: object) -> None:
        self.sql.append(f"AND {rule}")
        self.values.update(values)

    def __str__(self) -> str:
        return " ".join(self.sql)


class PostgresLedgerBooks:
    """Implements domain.wallets.desk.ports.LedgerBooks."""

    def __init__(self, database: Database, *, ring: KeyRing) -> None:
        self._database = database
        self._ring = ring

    async def entries(
        self, query: EntryQuery, *, first: int, before: int | None
    ) -> Sequence[LedgerEntry]:
        async with self._database.read() as session:
            by_posting = query.owner is not None or query.account_id is not None
            # Of the table that is gone through: an index of the other would not see it.
            place = f"{'p' if by_posting else 'e'}.position"
            rules = await _entry_rules(session, query, place)
            if before is not None:
                rules.add(f"{place} < :before", before=before)
            wanted = (_BY_POSTING if by_posting else _BY_ENTRY).format(rules=rules)
            rules.values["first"] = first
            return await _entries(session, wanted, rules.values)

    async def entry(self, entry_id: EntryId) -> LedgerEntry | None:
        wanted = _BY_ENTRY.format(rules="AND e.id = :id")
        async with self._database.read() as session:
            found = await _entries(session, wanted, {"id": entry_id, "first": 1})
        return found[0] if found else None

    async def accounts(
        self, query: AccountQuery, *, first: int, after: AccountId | None
    ) -> Sequence[LedgerAccount]:
        rules = _Rules([], {"first": first})
        if query.owner is not None:
            rules.add("a.owner = :owner", owner=query.owner)
        if query.asset is not None:
            rules.add("a.asset = :asset", asset=query.asset)
        if query.kinds:
            rules.add("a.kind = ANY(:kinds)", kinds=sorted(query.kinds))
        if query.frozen is not None:
            rules.add("coalesce(b.frozen, false) = :frozen", frozen=query.frozen)
        if after is not None:
            rules.add("a.id > :after", after=after)
        return await self._accounts(rules)

    async def account(self, account_id: AccountId) -> LedgerAccount | None:
        found = await self._accounts(_Rules(["AND a.id = :id"], {"id": account_id, "first": 1}))
        return found[0] if found else None

    async def trial_balance(self, *, until: datetime | None, now: datetime) -> TrialBalance:
        wanted = _TRIAL.format(until="" if until is None else _UNTIL)
        values = {} if until is None else {"until": until}
        async with self._database.read() as session:
            connection = await session.connection()
            found = (await connection.execute(text(wanted), values)).mappings().all()
        return trial_balance(
            [_trial_row(row) for row in found],
            as_of=until or now,
            position=max((row["position"] for row in found), default=None),
        )

    async def stuck_holds(
        self, query: HoldQuery, *, first: int, after: HoldPlace | None
    ) -> Sequence[Hold]:
        wanted = (
            select(HoldRow)
            .where(HoldRow.state == HoldState.OPEN.value)
            .where(
                or_(
                    col(HoldRow.created_at) <= query.created_until,
                    col(HoldRow.expires_at) <= query.now,
                )
            )
        )
        if query.reason is not None:
            wanted = wanted.where(HoldRow.reason == query.reason)
        if after is not None:
            place = tuple_(col(HoldRow.created_at), col(HoldRow.id))
            wanted = wanted.where(place > tuple_(*after))
        oldest = wanted.order_by(col(HoldRow.created_at), col(HoldRow.id)).limit(first)
        async with self._database.read() as session:
            return [hold_of(row) for row in await session.exec(oldest)]

    async def proposals(
        self, state: LedgerProposalState | None, *, now: datetime, first: int, before: str | None
    ) -> Sequence[LedgerProposal]:
        wanted = select(LedgerProposalRow).order_by(col(LedgerProposalRow.id).desc()).limit(first)
        if state is not None:
            wanted = wanted.where(_in_state(state, now))
        if before is not None:
            wanted = wanted.where(col(LedgerProposalRow.id) < UUID(before))
        return await self._proposals(wanted)

    async def proposal(self, proposal_id: LedgerProposalId) -> LedgerProposal | None:
        wanted = select(LedgerProposalRow).where(LedgerProposalRow.id == proposal_id)
        found = await self._proposals(wanted)
        return found[0] if found else None

    async def _accounts(self, rules: _Rules) -> list[LedgerAccount]:
        async with self._database.read() as session:
            connection = await session.connection()
            wanted = text(_ACCOUNTS.format(rules=rules))
            found = (await connection.execute(wanted, rules.values)).mappings().all()
        return [_ledger_account(row) for row in found]

    async def _proposals(self, wanted: Any) -> list[LedgerProposal]:  # noqa: ANN401  # a select
        async with self._database.read() as session:
            rows = (await session.exec(wanted)).all()
            keys = Keys(self._ring, session)
            await keys.load(row.owner for row in rows)
            return [proposal_of(row, keys) for row in rows]


async def _entry_rules(session: AsyncSession, query: EntryQuery, place: str) -> _Rules:
    rules = _Rules([], {})
    if query.account_id is not None:
        connection = await session.connection()
        of_account = text("SELECT owner FROM wallets.account WHERE id = :id")
        owner = (await connection.execute(of_account, {"id": query.account_id})).scalar()
        # Said twice, so that an index of users' postings, or of the house's, finds them.
        if owner is None:
            rules.add("p.owner IS NULL AND p.account_id = :account", account=query.account_id)
        else:
            rules.add(
                "p.owner = :account_owner AND p.account_id = :account",
                account_owner=owner,
                account=query.account_id,
            )
    if query.owner is not None:
        rules.add("p.owner = :owner", owner=query.owner)
    if query.asset is not None:
        of_posting = query.owner is not None or query.account_id is not None
        elsewhere = (
            "EXISTS (SELECT FROM wallets.posting q"
            " WHERE q.position = e.position AND q.asset = :asset)"
        )
        rules.add("p.asset = :asset" if of_posting else elsewhere, asset=query.asset)
    if query.kinds:
        rules.add("e.kind = ANY(:kinds)", kinds=sorted(query.kinds))
    if query.source is not None:
        rules.add("e.source = :source", source=query.source)
    if query.hold_id is not None:
        rules.add("e.hold_id = :hold", hold=query.hold_id)
    if query.since is not None:
        rules.add(f"e.at >= :since AND {place} >= {NOT_BEFORE}", since=query.since)
    if query.until is not None:
        rules.add(f"e.at < :until AND {place} < {BEFORE}", until=query.until)
    return rules


async def _entries(
    session: AsyncSession, wanted: str, values: dict[str, object]
) -> list[LedgerEntry]:
    connection = await session.connection()
    found = await connection.execute(text(_ENTRIES.format(wanted=wanted)), values)
    by_position = groupby(found.mappings().all(), key=itemgetter("position"))
    return [_ledger_entry(list(rows)) for _, rows in by_position]


def _ledger_entry(rows: list[RowMapping]) -> LedgerEntry:
    entry = rows[0]
    return LedgerEntry(
        id=EntryId(entry["id"]),
        position=entry["position"],
        kind=EntryKind(entry["kind"]),
        at=entry["at"],
        actor=None if entry["actor"] is None else UserId(entry["actor"]),
        source=entry["source"],
        reverses=_entry_id(entry["reverses"]),
        reversed_by=_entry_id(entry["reversed_by"]),
        hold_id=None if entry["hold_id"] is None else HoldId(entry["hold_id"]),
        details=entry["details"],
        lines=tuple(_line(row) for row in rows),
    )


def _line(row: RowMapping) -> LedgerLine:
    balance = None if row["balance"] is None else trimmed(row["balance"])
    return LedgerLine(_account(row), trimmed(row["amount"]), row["seq"], balance)


def _account(row: RowMapping) -> Account:
    owner = None if row["owner"] is None else UserId(row["owner"])
    return Account(AccountKind(row["account_kind"]), AssetCode(row["asset"]), owner, row["name"])


def _ledger_account(row: RowMapping) -> LedgerAccount:
    owner = None if row["owner"] is None else UserId(row["owner"])
    account = Account(AccountKind(row["kind"]), AssetCode(row["asset"]), owner, row["name"])
    return LedgerAccount(
        account, row["opened_at"], trimmed(row["balance"]), row["last_seq"], row["frozen"]
    )


def _trial_row(row: RowMapping) -> TrialRow:
    return TrialRow(
        asset=AssetCode(row["asset"]),
        kind=AccountKind(row["kind"]),
        name=row["name"],
        accounts=row["accounts"],
        debits=trimmed(row["debits"]),
        credits=trimmed(row["credits"]),
    )


def _in_state(state: LedgerProposalState, now: datetime) -> Any:  # noqa: ANN401  # SQL
    """Who was not decided in time has expired, whatever is written."""
    written = col(LedgerProposalRow.state) == state.value
    due = col(LedgerProposalRow.expires_at) <= now
    if state is LedgerProposalState.OPEN:
        return written & ~due
    if state is LedgerProposalState.EXPIRED:
        open_still = col(LedgerProposalRow.state) == LedgerProposalState.OPEN.value
        return written | (open_still & due)
    return written


def _entry_id(value: UUID | None) -> EntryId | None:
    return None if value is None else EntryId(value)
