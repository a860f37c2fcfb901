"""The wallets' tables, in the PostgreSQL schema ``wallets``: the journal and what follows from it.

Money moves through ``wallets.post`` alone: these are read, and compared with the migrations.
"""

from datetime import date, datetime
from decimal import Decimal
from typing import Any, ClassVar
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    Date,
    DateTime,
    ForeignKeyConstraint,
    Identity,
    Index,
    Numeric,
    SmallInteger,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import BYTEA, JSONB
from sqlmodel import Field

from adapters.postgres.tables.naming import Row

SCHEMA = "wallets"

_INSTANT = DateTime(timezone=True)
_CODE = Text(collation="C")
_AMOUNT = Numeric(38, 18)
# Of a lifetime: no bound of a single amount's is one of it.
_TOTAL = Numeric()


class AssetRow(Row, table=True):
    """Something wallets hold."""

    __tablename__: ClassVar[str] = "asset"
    __table_args__: ClassVar[dict[str, str]] = {"schema": SCHEMA}

    code: str = Field(sa_type=_CODE, primary_key=True)
    name: str = Field(sa_type=Text)
    scale: int = Field(sa_type=SmallInteger)
    networks: list[dict[str, Any]] = Field(sa_type=JSONB)


class LedgerAccountRow(Row, table=True):
    """What an account is. Never changed."""

    __tablename__: ClassVar[str] = "account"
    __table_args__: ClassVar[tuple[object, ...]] = (
        UniqueConstraint(
            "owner",
            "asset",
            "kind",
            "name",
            name="uq_account_owner_asset_kind_name",
            postgresql_nulls_not_distinct=True,
        ),
        ForeignKeyConstraint(["asset"], [f"{SCHEMA}.asset.code"], name="fk_account_asset"),
        {"schema": SCHEMA},
    )

    id: UUID = Field(primary_key=True)
    kind: str = Field(sa_type=Text)
    asset: str = Field(sa_type=_CODE)
    owner: UUID | None
    name: str = Field(sa_type=Text)
    opened_at: datetime = Field(sa_type=_INSTANT)


class BalanceRow(Row, table=True):
    """Where a user's account stands: the row its postings queue for."""

    __tablename__: ClassVar[str] = "balance"
    __table_args__: ClassVar[dict[str, str]] = {"schema": SCHEMA}

    account_id: UUID = Field(primary_key=True)
    amount: Decimal = Field(sa_type=_AMOUNT)
    last_seq: int = Field(sa_type=BigInteger)
    frozen: bool
    sent: Decimal = Field(sa_type=_TOTAL, sa_column_kwargs={"server_default": "0"})
    """All that ever left it for other users."""
    day: date | None = Field(sa_type=Date)
    """The newest on which something was booked on it."""


class EntryRow(Row, table=True):
    """One entry of the journal."""

    __tablename__: ClassVar[str] = "entry"
    __table_args__: ClassVar[tuple[object, ...]] = (
        UniqueConstraint("position", name="uq_entry_position"),
        Index(
            "uq_entry_source",
            "source",
            unique=True,
            postgresql_where=text("source IS NOT NULL"),
        ),
        Index(
            "uq_entry_reverses",
            "reverses",
            unique=True,
            postgresql_where=text("reverses IS NOT NULL"),
        ),
        Index("ix_entry_hold_id", "hold_id", postgresql_where=text("hold_id IS NOT NULL")),
        {"schema": SCHEMA},
    )

    id: UUID = Field(primary_key=True)
    position: int = Field(sa_type=BigInteger, sa_column_args=(Identity(always=True),))
    kind: str = Field(sa_type=Text)
    at: datetime = Field(sa_type=_INSTANT)
    actor: UUID | None
    source: str | None = Field(sa_type=Text)
    reverses: UUID | None
    hold_id: UUID | None
    details: dict[str, str] = Field(sa_type=JSONB)


class PostingRow(Row, table=True):
    """One account's share of an entry, and what the account came to with it."""

    __tablename__: ClassVar[str] = "posting"
    __table_args__: ClassVar[tuple[object, ...]] = (
        Index(
            "uq_posting_account_id_seq",
            "account_id",
            "seq",
            unique=True,
            postgresql_where=text("seq IS NOT NULL"),
        ),
        Index(
            "ix_posting_owner_position",
            "owner",
            "position",
            postgresql_where=text("owner IS NOT NULL"),
        ),
        # What the house's accounts come to is a sum over their postings.
        Index(
            "ix_posting_account_id_position",
            "account_id",
            "position",
            postgresql_include=["amount"],
            postgresql_where=text("owner IS NULL"),
        ),
        Index(
            "ix_posting_owner_asset_position",
            "owner",
            "asset",
            "position",
            postgresql_where=text("owner IS NOT NULL"),
        ),
        Index(
            "ix_posting_owner_kind_position",
            "owner",
            "kind",
            "position",
            postgresql_where=text("owner IS NOT NULL"),
        ),
        {"schema": SCHEMA},
    )

    position: int = Field(
        sa_type=BigInteger, primary_key=True, sa_column_kwargs={"autoincrement": False}
    )
    line: int = Field(sa_type=SmallInteger, primary_key=True)
    account_id: UUID
    owner: UUID | None
    asset: str = Field(sa_type=_CODE)
    amount: Decimal = Field(sa_type=_AMOUNT)
    seq: int | None = Field(sa_type=BigInteger)
    balance: Decimal | None = Field(sa_type=_AMOUNT)
    kind: str = Field(sa_type=Text)
    """The entry's, so that lines of one kind are found without looking at all."""
    sent: Decimal | None = Field(sa_type=_TOTAL)
    """What the account had sent to other users with it."""


class ClosedDayRow(Row, table=True):
    """What a user's account came to at the end of a day on which something was booked on it.

    Of the newest such day, ``BalanceRow`` tells; the view ``wallets.closing`` has all of them.
    """

    __tablename__: ClassVar[str] = "closed_day"
    __table_args__: ClassVar[dict[str, str]] = {"schema": SCHEMA}

    account_id: UUID = Field(primary_key=True)
    day: date = Field(sa_type=Date, primary_key=True)
    balance: Decimal = Field(sa_type=_AMOUNT)


class HoldRow(Row, table=True):
    """An amount reserved."""

    __tablename__: ClassVar[str] = "hold"
    __table_args__: ClassVar[tuple[object, ...]] = (
        Index("ix_hold_owner_state_position", "owner", "state", "position"),
        Index("ix_hold_owner_asset_state_position", "owner", "asset", "state", "position"),
        Index(
            "ix_hold_expires_at",
            "expires_at",
            postgresql_where=text("state = 'OPEN' AND expires_at IS NOT NULL"),
        ),
        Index("ix_hold_created_at_id", "created_at", "id", postgresql_where=text("state = 'OPEN'")),
        {"schema": SCHEMA},
    )

    id: UUID = Field(primary_key=True)
    owner: UUID
    asset: str = Field(sa_type=_CODE)
    amount: Decimal = Field(sa_type=_AMOUNT)
    reason: str = Field(sa_type=Text)
    created_at: datetime = Field(sa_type=_INSTANT)
    expires_at: datetime | None = Field(sa_type=_INSTANT)
    state: str = Field(sa_type=Text)
    posted: Decimal = Field(sa_type=_AMOUNT)
    resolved_at: datetime | None = Field(sa_type=_INSTANT)
    position: int | None = Field(sa_type=BigInteger)
    """Of the entry that placed it."""


class LedgerProposalRow(Row, table=True):
    """A wish to correct the books. ``reason`` is sealed under the owner's data key."""

    __tablename__: ClassVar[str] = "proposal"
    __table_args__: ClassVar[tuple[object, ...]] = (
        Index(
            "uq_proposal_entry_id",
            "entry_id",
            unique=True,
            postgresql_where=text("state = 'OPEN' AND entry_id IS NOT NULL"),
        ),
        Index("ix_proposal_state_id", "state", "id"),
        {"schema": SCHEMA},
    )

    id: UUID = Field(primary_key=True)
    kind: str = Field(sa_type=Text)
    owner: UUID
    asset: str | None = Field(sa_type=_CODE)
    amount: Decimal | None = Field(sa_type=_AMOUNT)
    entry_id: UUID | None
    reason: bytes = Field(sa_type=BYTEA)
    proposed_by: UUID
    created_at: datetime = Field(sa_type=_INSTANT)
    expires_at: datetime = Field(sa_type=_INSTANT)
    state: str = Field(sa_type=Text)
    decided_by: UUID | None
    decided_at: datetime | None = Field(sa_type=_INSTANT)
    posted_as: UUID | None


class UnsealedRow(Row, table=True):
    """An entry that waits for its link of the chain."""

    __tablename__: ClassVar[str] = "unsealed"
    __table_args__: ClassVar[dict[str, str]] = {"schema": SCHEMA}

    position: int = Field(
        sa_type=BigInteger, primary_key=True, sa_column_kwargs={"autoincrement": False}
    )
    since: datetime = Field(sa_type=_INSTANT)


class ChainLinkRow(Row, table=True):
    """One link: the digest of an entry, hashed with the link before."""

    __tablename__: ClassVar[str] = "chain_link"
    __table_args__: ClassVar[tuple[object, ...]] = (
        UniqueConstraint("position", name="uq_chain_link_position"),
        {"schema": SCHEMA},
    )

    number: int = Field(
        sa_type=BigInteger, primary_key=True, sa_column_kwargs={"autoincrement": False}
    )
    position: int = Field(sa_type=BigInteger)
    digest: bytes = Field(sa_type=BYTEA)
    link: bytes = Field(sa_type=BYTEA)
    sealed_at: datetime = Field(sa_type=_INSTANT)
