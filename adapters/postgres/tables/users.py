"""The users domain's tables, in the PostgreSQL schema ``users``.

Columns of bytes are sealed under the user's data key (adapters.vault), but for ``email_index`` and
the data key itself.
"""

from datetime import datetime, time
from typing import Any, ClassVar
from uuid import UUID

from sqlalchemy import CheckConstraint, DateTime, Index, LargeBinary, Text, UniqueConstraint
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field, text

from adapters.postgres.tables.naming import Row

SCHEMA = "users"

_INSTANT = DateTime(timezone=True)


class AccountRow(Row, table=True):
    __tablename__: ClassVar[str] = "account"
    __table_args__: ClassVar[tuple[object, ...]] = (
        UniqueConstraint("project", "tenant", "uid"),
        CheckConstraint("state IN ('ACTIVE', 'FROZEN', 'ERASING', 'ERASED')", name="state"),
        CheckConstraint("(state = 'FROZEN') = (frozen_by IS NOT NULL)", name="frozen"),
        CheckConstraint("(state = 'ERASING') = (erase_after IS NOT NULL)", name="erasing"),
        Index("ix_account_email_index", "email_index"),
        Index("ix_account_uid", "uid"),
        Index("ix_account_erase_after", "id", postgresql_where=text("erase_after IS NOT NULL")),
        {"schema": SCHEMA},
    )

    id: UUID = Field(primary_key=True)
    project: str = Field(sa_type=Text)
    tenant: str = Field(sa_type=Text)
    uid: str = Field(sa_type=Text)
    state: str = Field(sa_type=Text)
    email: bytes | None = Field(sa_type=LargeBinary)
    email_index: bytes | None = Field(sa_type=LargeBinary)
    email_verified: bool
    email_as_of: datetime | None = Field(sa_type=_INSTANT)
    frozen_by: str | None = Field(sa_type=Text)
    frozen_reason: bytes | None = Field(sa_type=LargeBinary)
    erase_after: datetime | None = Field(sa_type=_INSTANT)
    signed_out_at: datetime | None = Field(sa_type=_INSTANT)
    created_at: datetime = Field(sa_type=_INSTANT)


class DataKeyRow(Row, table=True):
    __tablename__: ClassVar[str] = "data_key"
    __table_args__: ClassVar[tuple[object, ...]] = ({"schema": SCHEMA},)

    user_id: UUID = Field(primary_key=True)
    master: str = Field(sa_type=Text)
    sealed: bytes = Field(sa_type=LargeBinary)


class ProfileRow(Row, table=True):
    __tablename__: ClassVar[str] = "profile"
    __table_args__: ClassVar[tuple[object, ...]] = ({"schema": SCHEMA},)

    user_id: UUID = Field(primary_key=True)
    display_name: bytes | None = Field(sa_type=LargeBinary)
    legal_name: bytes | None = Field(sa_type=LargeBinary)
    date_of_birth: bytes | None = Field(sa_type=LargeBinary)
    country: bytes | None = Field(sa_type=LargeBinary)
    phone: bytes | None = Field(sa_type=LargeBinary)
    time_zone: str = Field(sa_type=Text)


class SettingsRow(Row, table=True):
    __tablename__: ClassVar[str] = "settings"
    __table_args__: ClassVar[tuple[object, ...]] = (
        CheckConstraint("(quiet_start IS NULL) = (quiet_end IS NULL)", name="quiet"),
        {"schema": SCHEMA},
    )

    user_id: UUID = Field(primary_key=True)
    notifications: dict[str, Any] = Field(sa_type=JSONB)
    display_currency: str = Field(sa_type=Text)
    locale: str = Field(sa_type=Text)
    theme: str = Field(sa_type=Text)
    quiet_start: time | None
    quiet_end: time | None
    confirm_orders: bool


class RoleRow(Row, table=True):
    __tablename__: ClassVar[str] = "role"
    __table_args__: ClassVar[tuple[object, ...]] = (
        Index("ix_role_role", "role", "user_id"),
        {"schema": SCHEMA},
    )

    user_id: UUID = Field(primary_key=True)
    role: str = Field(sa_type=Text, primary_key=True)
    granted_by: UUID | None
    granted_at: datetime = Field(sa_type=_INSTANT)


class SessionRow(Row, table=True):
    __tablename__: ClassVar[str] = "session"
    __table_args__: ClassVar[tuple[object, ...]] = (
        UniqueConstraint("user_id", "signed_in_at", "device_id"),
        CheckConstraint("(ended_at IS NULL) = (ended_by IS NULL)", name="ended"),
        {"schema": SCHEMA},
    )

    id: UUID = Field(primary_key=True)
    user_id: UUID
    signed_in_at: datetime = Field(sa_type=_INSTANT)
    device_id: str = Field(sa_type=Text)
    agent: str = Field(sa_type=Text)
    address: bytes = Field(sa_type=LargeBinary)
    provider: str = Field(sa_type=Text)
    second_factor: str | None = Field(sa_type=Text)
    created_at: datetime = Field(sa_type=_INSTANT)
    last_seen_at: datetime = Field(sa_type=_INSTANT)
    ended_at: datetime | None = Field(sa_type=_INSTANT)
    ended_by: str | None = Field(sa_type=Text)


class ActivityRow(Row, table=True):
    """Partitioned by month. ``address`` and ``sealed_agent`` are sealed under the actor's key.

    ``agent`` is in clear where there is none: an operator's, and in lines of before. So is sealed
    ``sealedReason`` of ``details``, what staff wrote about the subject, under the subject's key.
    """

    __tablename__: ClassVar[str] = "activity"
    __table_args__: ClassVar[tuple[object, ...]] = (
        CheckConstraint("result IN ('SUCCEEDED', 'DENIED', 'FAILED')", name="result"),
        Index("ix_activity_subject_id_at_id", "subject_id", "at", "id"),
        Index("ix_activity_at_id", "at", "id"),
        {"schema": SCHEMA, "postgresql_partition_by": "RANGE (at)"},
    )

    id: UUID = Field(primary_key=True)
    actor_id: UUID | None
    subject_id: UUID
    action: str = Field(sa_type=Text)
    result: str = Field(sa_type=Text)
    at: datetime = Field(sa_type=_INSTANT, primary_key=True)
    address: bytes | None = Field(sa_type=LargeBinary)
    agent: str | None = Field(sa_type=Text)
    sealed_agent: bytes | None = Field(sa_type=LargeBinary)
    details: dict[str, Any] = Field(sa_type=JSONB)


class NotificationRow(Row, table=True):
    __tablename__: ClassVar[str] = "notification"
    __table_args__: ClassVar[tuple[object, ...]] = (
        UniqueConstraint("user_id", "event_id"),
        Index("ix_notification_user_id_created_at_id", "user_id", "created_at", "id"),
        {"schema": SCHEMA},
    )

    id: UUID = Field(primary_key=True)
    user_id: UUID
    topic: str = Field(sa_type=Text)
    code: str = Field(sa_type=Text)
    values: dict[str, Any] = Field(sa_type=JSONB)
    created_at: datetime = Field(sa_type=_INSTANT)
    event_id: UUID
    read_at: datetime | None = Field(sa_type=_INSTANT)


class NoteRow(Row, table=True):
    """``text`` is sealed under the key of the user it is about."""

    __tablename__: ClassVar[str] = "note"
    __table_args__: ClassVar[tuple[object, ...]] = (
        Index("ix_note_user_id", "user_id"),
        {"schema": SCHEMA},
    )

    id: UUID = Field(primary_key=True)
    user_id: UUID
    author_id: UUID
    text: bytes = Field(sa_type=LargeBinary)
    created_at: datetime = Field(sa_type=_INSTANT)


class RoleProposalRow(Row, table=True):
    __tablename__: ClassVar[str] = "role_proposal"
    __table_args__: ClassVar[tuple[object, ...]] = (
        CheckConstraint("state IN ('OPEN', 'APPROVED', 'REJECTED')", name="state"),
        CheckConstraint("decided_by IS NULL OR decided_by <> proposed_by", name="eyes"),
        Index(
            "uq_role_proposal_open",
            "user_id",
            "role",
            unique=True,
            postgresql_where=text("state = 'OPEN'"),
        ),
        {"schema": SCHEMA},
    )

    id: UUID = Field(primary_key=True)
    user_id: UUID
    role: str = Field(sa_type=Text)
    grants: bool
    proposed_by: UUID
    created_at: datetime = Field(sa_type=_INSTANT)
    state: str = Field(sa_type=Text)
    decided_by: UUID | None
    decided_at: datetime | None = Field(sa_type=_INSTANT)
