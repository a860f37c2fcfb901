"""Rows of statements as the domain's own words, and back; lines of postings as bookings."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from itertools import groupby
from typing import Any
from uuid import UUID

from sqlalchemy import RowMapping

from adapters.postgres.tables.statements import StatementRow
from domain.kernel.ids import AssetCode, UserId
from domain.kernel.money import plain
from domain.wallets.model import AccountId, AccountKind, EntryId, EntryKind, HoldId
from domain.wallets.papers.model import (
    Booking,
    FileId,
    Range,
    Statement,
    StatementFormat,
    StatementId,
    StatementProblem,
    StatementState,
)
from domain.wallets.ports import Place

Columns = RowMapping | Mapping[str, Any]
"""From a query, or from a row of SQLModel."""


def range_of(row: Columns) -> Range:
    """From a row of ``wallets.statement_ranges``, or what a statement keeps of one."""
    return Range(
        asset=AssetCode(row["asset"]),
        kind=AccountKind(row["kind"]),
        account=AccountId(_uuid(row["account"])),
        after=row["after"],
        last=row["last"],
        first_position=row["first_position"],
        last_position=row["last_position"],
        opening=Decimal(row["opening"]),
        closing=Decimal(row["closing"]),
    )


def row_of(statement: Statement) -> StatementRow:
    """Of one that was asked for just now."""
    return StatementRow(
        id=statement.id,
        owner=statement.owner,
        asset=statement.asset,
        since=statement.since,
        until=statement.until,
        format=statement.format.value,
        requested_at=statement.requested_at,
        ranges=[_kept(each) for each in statement.ranges],
        state=statement.state.value,
        lines_written=0,
        attempts=0,
        lease=None,
        lease_until=None,
        finished_at=None,
        expires_at=None,
        size=None,
        sha256=None,
        problem=None,
        file=None,
        place=None,
    )


def statement_of(row: Columns) -> Statement:
    return Statement(
        id=StatementId(row["id"]),
        owner=UserId(row["owner"]),
        asset=None if row["asset"] is None else AssetCode(row["asset"]),
        since=row["since"],
        until=row["until"],
        format=StatementFormat(row["format"]),
        requested_at=row["requested_at"],
        ranges=tuple(range_of(each) for each in row["ranges"]),
        state=StatementState(row["state"]),
        lines_written=row["lines_written"],
        finished_at=row["finished_at"],
        expires_at=row["expires_at"],
        size=row["size"],
        sha256=row["sha256"],
        problem=None if row["problem"] is None else StatementProblem(row["problem"]),
        file=None if row["file"] is None else FileId(row["file"]),
        place=row["place"],
    )


def bookings_of(
    lines: Sequence[Columns], statement: Statement, *, first: int
) -> tuple[Sequence[Booking], Place | None]:
    """What belongs to ``statement`` of at most ``2 * first`` lines, and where to go on.

    An entry has two lines of an owner's asset at most: the first ``first`` are whole, whatever the
    limit has cut off behind them.
    """
    entries = [list(group) for _, group in groupby(lines, key=_entry_of)]
    more = len(lines) == 2 * first
    if more:
        entries = entries[:first]
    ranges = {each.account: each for each in statement.ranges}
    found = [booking for entry in entries if (booking := _booking(entry, ranges)) is not None]
    last = entries[-1][0] if more else None
    place = None if last is None else Place(last["position"], AssetCode(last["asset"]))
    return found, place


def _booking(lines: Sequence[Columns], ranges: Mapping[AccountId, Range]) -> Booking | None:
    """The entry as far as it is in the ranges; None when it is not."""
    shares: dict[AccountKind, Columns] = {}
    for line in lines:
        wanted = ranges.get(AccountId(_uuid(line["account_id"])))
        if wanted is not None and wanted.after < line["seq"] <= wanted.last:
            shares[wanted.kind] = line
    if not shares:
        return None
    entry = lines[0]
    available, held = shares.get(AccountKind.AVAILABLE), shares.get(AccountKind.HELD)
    return Booking(
        entry_id=EntryId(_uuid(entry["id"])),
        kind=EntryKind(entry["kind"]),
        at=entry["at"],
        asset=AssetCode(entry["asset"]),
        available_change=Decimal(0) if available is None else available["amount"],
        held_change=Decimal(0) if held is None else held["amount"],
        available_after=None if available is None else available["balance"],
        held_after=None if held is None else held["balance"],
        source=entry["source"],
        reverses=None if entry["reverses"] is None else EntryId(_uuid(entry["reverses"])),
        hold_id=None if entry["hold_id"] is None else HoldId(_uuid(entry["hold_id"])),
        details=entry["details"],
    )


def _entry_of(line: Columns) -> tuple[int, str]:
    return line["position"], line["asset"]


def _uuid(value: UUID | str) -> UUID:
    """From a column, or from JSON."""
    return value if isinstance(value, UUID) else UUID(value)


def _kept(each: Range) -> dict[str, object]:
    return {
        "asset": each.asset,
        "kind": each.kind.value,
        "account": str(each.account),
        "after": each.after,
        "last": each.last,
        "first_position": each.first_position,
        "last_position": each.last_position,
        "opening": plain(each.opening),
        "closing": plain(each.closing),
    }
