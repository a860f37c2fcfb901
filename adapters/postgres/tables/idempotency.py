"""What became of commands with a key; written by the functions of its schema alone."""

from datetime import datetime
from typing import Any, ClassVar
from uuid import UUID

from sqlalchemy import DateTime, Index, Text
from sqlalchemy.dialects.postgresql import BYTEA, JSONB
from sqlmodel import Field

from adapters.postgres.tables.naming import Row


class CommandRow(Row, table=True):
    """One key of one actor for one mutation."""

    __tablename__: ClassVar[str] = "command"
    __table_args__: ClassVar[tuple[object, ...]] = (
        Index("ix_command_claimed_at", "claimed_at"),
        {"schema": "idempotency"},
    )

    actor: UUID = Field(primary_key=True)
    mutation: str = Field(sa_type=Text, primary_key=True)
    key: UUID = Field(primary_key=True)
    digest: bytes = Field(sa_type=BYTEA)
    state: str = Field(sa_type=Text)
    outcome: dict[str, Any] | None = Field(sa_type=JSONB)
    claimed_at: datetime = Field(sa_type=DateTime(timezone=True))
