"""The market domain's tables, in the PostgreSQL schema ``market``."""

from datetime import datetime
from decimal import Decimal
from typing import ClassVar

from sqlalchemy import CheckConstraint, DateTime, Numeric, Text
from sqlmodel import Field

from adapters.postgres.tables.naming import Row
from domain.kernel.ids import Category
from domain.market.model import InstrumentStatus

SCHEMA = "market"

# The platform's money type: 20 integer and 18 fraction digits.
_AMOUNT = Numeric(38, 18)
_INSTANT = DateTime(timezone=True)
# Compared byte by byte, so that PostgreSQL and Python agree on what comes after a cursor.
_SYMBOL = Text(collation="C")


def _one_of(column: str, words: type[Category | InstrumentStatus]) -> CheckConstraint:
    listed = ", ".join(f"'{word.value}'" for word in words)
    return CheckConstraint(f"{column} IN ({listed})", name=column)


class InstrumentRow(Row, table=True):
    """One instrument as the venue described it last.

    ``listed`` tells whether the venue's newest answer still had it; the row stays for ever, because
    orders of the past refer to it.
    """

    __tablename__: ClassVar[str] = "instrument"
    __table_args__: ClassVar[tuple[object, ...]] = (
        _one_of("category", Category),
        _one_of("status", InstrumentStatus),
        {"schema": SCHEMA},
    )

    category: str = Field(sa_type=Text, primary_key=True)
    symbol: str = Field(sa_type=_SYMBOL, primary_key=True)
    base_asset: str = Field(sa_type=Text)
    quote_asset: str = Field(sa_type=Text)
    settle_asset: str | None = Field(sa_type=Text)
    status: str = Field(sa_type=Text)
    tick_size: Decimal = Field(sa_type=_AMOUNT)
    quantity_step: Decimal = Field(sa_type=_AMOUNT)
    min_quantity: Decimal = Field(sa_type=_AMOUNT)
    max_quantity: Decimal = Field(sa_type=_AMOUNT)
    min_notional: Decimal | None = Field(sa_type=_AMOUNT)
    max_leverage: Decimal | None = Field(sa_type=_AMOUNT)
    funding_interval_minutes: int | None
    launched_at: datetime | None = Field(sa_type=_INSTANT)
    listed: bool
    first_seen_at: datetime = Field(sa_type=_INSTANT)
    updated_at: datetime = Field(sa_type=_INSTANT)
