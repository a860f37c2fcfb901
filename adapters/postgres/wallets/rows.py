"""Rows of the journal as the domain's own words, and back."""

from collections.abc import Sequence
from decimal import Decimal

from adapters.postgres.tables.wallets import AssetRow, EntryRow, HoldRow, LedgerAccountRow
from domain.kernel.ids import AssetCode, UserId
from domain.kernel.money import plain, trimmed
from domain.wallets.model import (
    Account,
    AccountKind,
    Asset,
    EntryId,
    EntryKind,
    Hold,
    HoldId,
    HoldState,
    JournalEntry,
    Network,
    Posting,
)


def account_of(row: LedgerAccountRow) -> Account:
    owner = None if row.owner is None else UserId(row.owner)
    return Account(AccountKind(row.kind), AssetCode(row.asset), owner, row.name)


def entry_of(row: EntryRow, postings: Sequence[Posting]) -> JournalEntry:
    return JournalEntry(
        id=EntryId(row.id),
        kind=EntryKind(row.kind),
        postings=tuple(postings),
        at=row.at,
        actor=None if row.actor is None else UserId(row.actor),
        source=row.source,
        reverses=None if row.reverses is None else EntryId(row.reverses),
        hold_id=None if row.hold_id is None else HoldId(row.hold_id),
        details=row.details,
    )


def hold_of(row: HoldRow) -> Hold:
    return Hold(
        id=HoldId(row.id),
        owner=UserId(row.owner),
        asset=AssetCode(row.asset),
        amount=trimmed(row.amount),
        reason=row.reason,
        created_at=row.created_at,
        expires_at=row.expires_at,
        state=HoldState(row.state),
        posted=trimmed(row.posted),
        resolved_at=row.resolved_at,
    )


def asset_of(row: AssetRow) -> Asset:
    networks = [
        Network(**(network | {"min_deposit": Decimal(network["min_deposit"])}))
        for network in row.networks
    ]
    return Asset(AssetCode(row.code), row.name, row.scale, tuple(networks))


def network_columns(network: Network) -> dict[str, object]:
    return {
        "code": network.code,
        "name": network.name,
        "scale": network.scale,
        "confirmations": network.confirmations,
        "min_deposit": plain(network.min_deposit),
        "memo": network.memo,
    }
