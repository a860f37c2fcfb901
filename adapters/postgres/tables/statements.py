"""The wallets' statements, in their PostgreSQL schema."""

from datetime import datetime
from typing import Any, ClassVar
from uuid import UUID

from sqlalchemy import BigInteger, DateTime, Index, SmallInteger, Text, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field

from adapters.postgres.tables.naming import Row
from adapters.postgres.tables.wallets import SCHEMA

_INSTANT = DateTime(timezone=True)
_CODE = Text(collation="C")


class StatementRow(Row, table=True):
    """A statement: what it is about never changes, where it stands does."""

    __tablename__: ClassVar[str] = "statement"
    __table_args__: ClassVar[tuple[object, ...]] = (
        Index("ix_statement_owner_id", "owner", "id"),
        Index(
            "ix_statement_requested_at",
            "requested_at",
            postgresql_where=text("state IN ('REQUESTED', 'BUILDING')"),
        ),
        Index("ix_statement_expires_at", "expires_at", postgresql_where=text("state = 'READY'")),
        {"schema": SCHEMA},
    )

    id: UUID = Field(primary_key=True)
    owner: UUID
    asset: str | None = Field(sa_type=_CODE)
    since: datetime = Field(sa_type=_INSTANT)
    until: datetime = Field(sa_type=_INSTANT)
    format: str = Field(sa_type=Text)
    requested_at: datetime = Field(sa_type=_INSTANT)
    ranges: list[dict[str, Any]] = Field(sa_type=JSONB)
    state: str = Field(sa_type=Text)
    lines_written: int = Field(sa_type=BigInteger)
    attempts: int = Field(sa_type=SmallInteger)
    lease: UUID | None
    lease_until: datetime | None = Field(sa_type=_INSTANT)
    finished_at: datetime | None = Field(sa_type=_INSTANT)
    expires_at: datetime | None = Field(sa_type=_INSTANT)
    size: int | None = Field(sa_type=BigInteger)
    sha256: str | None = Field(sa_type=Text)
    problem: str | None = Field(sa_type=Text)
    file: UUID | None
    place: UUID | None
