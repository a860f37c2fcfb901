"""Every table of the platform, one module per domain, one PostgreSQL schema per domain."""

from adapters.postgres.tables.events import EventRow, EventStreamRow, OutboxRow
from adapters.postgres.tables.idempotency import CommandRow
from adapters.postgres.tables.market import InstrumentRow
from adapters.postgres.tables.naming import METADATA
from adapters.postgres.tables.proofs import DayRootRow, LiabilityPartRow, LiabilityRow
from adapters.postgres.tables.statements import StatementRow
from adapters.postgres.tables.users import (
    AccountRow,
    ActivityRow,
    DataKeyRow,
    NoteRow,
    NotificationRow,
    ProfileRow,
    RoleProposalRow,
    RoleRow,
    SessionRow,
    SettingsRow,
)
from adapters.postgres.tables.wallets import (
    AssetRow,
    BalanceRow,
    ChainLinkRow,
    EntryRow,
    HoldRow,
    LedgerAccountRow,
    LedgerProposalRow,
    PostingRow,
    UnsealedRow,
)

__all__ = [
    "METADATA",
    "AccountRow",
    "ActivityRow",
    "AssetRow",
    "BalanceRow",
    "ChainLinkRow",
    "CommandRow",
    "DataKeyRow",
    "DayRootRow",
    "EntryRow",
    "EventRow",
    "EventStreamRow",
    "HoldRow",
    "InstrumentRow",
    "LedgerAccountRow",
    "LedgerProposalRow",
    "LiabilityPartRow",
    "LiabilityRow",
    "NoteRow",
    "NotificationRow",
    "OutboxRow",
    "PostingRow",
    "ProfileRow",
    "RoleProposalRow",
    "RoleRow",
    "SessionRow",
    "SettingsRow",
    "StatementRow",
    "UnsealedRow",
]
