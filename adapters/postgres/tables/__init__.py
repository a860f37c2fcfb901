"""Every table of the platform, one module per domain, one PostgreSQL schema per domain."""

from adapters.postgres.tables.events import EventRow, EventStreamRow, OutboxRow
from adapters.postgres.tables.market import InstrumentRow
from adapters.postgres.tables.naming import METADATA
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

__all__ = [
    "METADATA",
    "AccountRow",
    "ActivityRow",
    "DataKeyRow",
    "EventRow",
    "EventStreamRow",
    "InstrumentRow",
    "NoteRow",
    "NotificationRow",
    "OutboxRow",
    "ProfileRow",
    "RoleProposalRow",
    "RoleRow",
    "SessionRow",
    "SettingsRow",
]
