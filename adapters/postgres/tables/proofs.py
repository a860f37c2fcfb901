"""What the ledger publishes day by day, in the PostgreSQL schema ``wallets``. Only read here."""

from datetime import date, datetime
from decimal import Decimal
from typing import ClassVar

from sqlalchemy import BigInteger, DateTime, Integer, Numeric, Text
from sqlalchemy.dialects.postgresql import BYTEA
from sqlmodel import Field

from adapters.postgres.tables.naming import Row
from adapters.postgres.tables.wallets import SCHEMA

_CODE = Text(collation="C")


class DayRootRow(Row, table=True):
    """A day that is closed."""

    __tablename__: ClassVar[str] = "day_root"
    __table_args__: ClassVar[dict[str, str]] = {"schema": SCHEMA}

    day: date = Field(primary_key=True)
    first_number: int = Field(sa_type=BigInteger)
    last_number: int = Field(sa_type=BigInteger)
    link: bytes = Field(sa_type=BYTEA)
    liabilities: bytes = Field(sa_type=BYTEA)
    previous_root: bytes | None = Field(sa_type=BYTEA)
    root: bytes = Field(sa_type=BYTEA)
    secret: bytes = Field(sa_type=BYTEA, repr=False)
    sealed_at: datetime = Field(sa_type=DateTime(timezone=True))


class LiabilityRow(Row, table=True):
    """What was owed of one asset at a day's end, and the roots of its tree's parts."""

    __tablename__: ClassVar[str] = "liability"
    __table_args__: ClassVar[dict[str, str]] = {"schema": SCHEMA}

    day: date = Field(primary_key=True)
    asset: str = Field(sa_type=_CODE, primary_key=True)
    total: Decimal = Field(sa_type=Numeric)
    leaves: int = Field(sa_type=Integer)
    root: bytes = Field(sa_type=BYTEA)
    crowns: bytes = Field(sa_type=BYTEA)


class LiabilityPartRow(Row, table=True):
    """Leaves of a tree that are kept together, found by the first of them."""

    __tablename__: ClassVar[str] = "liability_part"
    __table_args__: ClassVar[dict[str, str]] = {"schema": SCHEMA}

    day: date = Field(primary_key=True)
    asset: str = Field(sa_type=_CODE, primary_key=True)
    first_owner: bytes = Field(sa_type=BYTEA, primary_key=True)
    number: int = Field(sa_type=Integer)
    leaves: bytes = Field(sa_type=BYTEA)
