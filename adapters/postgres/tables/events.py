"""The events' tables, in the PostgreSQL schema ``events``; written by its functions alone."""

from datetime import datetime
from typing import Any, ClassVar
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, DateTime, Identity, Index, Text
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field

from adapters.postgres.tables.naming import Row

SCHEMA = "events"

_INSTANT = DateTime(timezone=True)
_STREAM = Text(collation="C")


class EventStreamRow(Row, table=True):
    """The last number of each stream: its row lock is what makes numbers gapless."""

    __tablename__: ClassVar[str] = "event_stream"
    __table_args__: ClassVar[tuple[object, ...]] = (
        CheckConstraint("stream ~ '^(user|desk):[a-z0-9-]+$'", name="name"),
        {"schema": SCHEMA},
    )

    stream: str = Field(sa_type=_STREAM, primary_key=True)
    last_seq: int = Field(sa_type=BigInteger)
    last_at: datetime = Field(sa_type=_INSTANT)


class EventRow(Row, table=True):
    """One event. Partitioned by month, so that forgetting is dropping a table."""

    __tablename__: ClassVar[str] = "event"
    __table_args__: ClassVar[tuple[object, ...]] = (
        {"schema": SCHEMA, "postgresql_partition_by": "RANGE (recorded_at)"},
    )

    stream: str = Field(sa_type=_STREAM, primary_key=True)
    seq: int = Field(sa_type=BigInteger, primary_key=True)
    id: UUID
    type: str = Field(sa_type=Text)
    version: int
    body: dict[str, Any] = Field(sa_type=JSONB)
    traceparent: str | None = Field(sa_type=Text)
    recorded_at: datetime = Field(sa_type=_INSTANT, primary_key=True)


class OutboxRow(Row, table=True):
    """One event that one consumer has not confirmed yet."""

    __tablename__: ClassVar[str] = "outbox"
    __table_args__: ClassVar[tuple[object, ...]] = (
        Index("ix_outbox_consumer_position", "consumer", "position"),
        {"schema": SCHEMA},
    )

    position: int = Field(
        sa_type=BigInteger, primary_key=True, sa_column_args=(Identity(always=True),)
    )
    consumer: str = Field(sa_type=Text)
    stream: str = Field(sa_type=_STREAM)
    seq: int = Field(sa_type=BigInteger)
    recorded_at: datetime = Field(sa_type=_INSTANT)
    due_at: datetime = Field(sa_type=_INSTANT)
    attempts: int = Field(sa_column_kwargs={"server_default": "0"})
