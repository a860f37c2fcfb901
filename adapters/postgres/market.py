"""The market domain's repositories."""

from collections.abc import Sequence
from datetime import datetime
from decimal import Context, Decimal
from typing import Any

import orjson
from sqlalchemy import DateTime, Text, bindparam, text
from sqlmodel import col, select

from adapters.postgres.engine import Database
from adapters.postgres.tables.market import InstrumentRow
from domain.kernel.clock import Clock
from domain.kernel.ids import AssetCode, Category, InstrumentId, Symbol
from domain.market.model import Instrument, InstrumentStatus

# Wide enough for numeric(38,18): the default context would round at 28 digits.
_EXACT = Context(prec=60)

_DESCRIPTION = {
    "base_asset": "text",
    "quote_asset": "text",
    "settle_asset": "text",
    "status": "text",
    "tick_size": "numeric(38,18)",
    "quantity_step": "numeric(38,18)",
    "min_quantity": "numeric(38,18)",
    "max_quantity": "numeric(38,18)",
    "min_notional": "numeric(38,18)",
    "max_leverage": "numeric(38,18)",
    "funding_interval_minutes": "integer",
    "launched_at": "timestamptz",
}


def _replacement() -> str:
    names = ", ".join(_DESCRIPTION)
    typed = ", ".join(f"{name} {kind}" for name, kind in _DESCRIPTION.items())
    kept = ", ".join(f"kept.{name}" for name in _DESCRIPTION)
    brought = ", ".join(f"excluded.{name}" for name in _DESCRIPTION)
    # Names above are constants of this file; every value travels as a parameter.
    return f"""
    WITH found AS (
        SELECT * FROM jsonb_to_recordset(CAST(:found AS jsonb)) AS f(symbol text, {typed})
    ), brought AS (
        INSERT INTO market.instrument AS kept
            (category, symbol, {names}, listed, first_seen_at, updated_at)
        SELECT :category, symbol, {names}, true, :now, :now FROM found
        ON CONFLICT (category, symbol) DO UPDATE
            SET ({names}, listed, updated_at) = ({brought}, true, excluded.updated_at)
            WHERE ({kept}, kept.listed) IS DISTINCT FROM ({brought}, true)
        RETURNING 1
    ), closed AS (
        UPDATE market.instrument AS kept
            SET status = 'CLOSED', listed = false, updated_at = :now
            WHERE category = :category AND listed
                AND NOT EXISTS (SELECT FROM found WHERE found.symbol = kept.symbol)
        RETURNING 1
    )
    SELECT (SELECT count(*) FROM brought) + (SELECT count(*) FROM closed)
    """  # noqa: S608


_REPLACE = text(_replacement()).bindparams(
    bindparam("category", type_=Text), bindparam("now", type_=DateTime(timezone=True))
)
# In a statement of its own: what comes after it sees everything the holder before us committed.
_TAKE_TURN = text("SELECT pg_advisory_xact_lock(hashtextextended(:turn, 0))")


class PostgresInstruments:
    """Implements domain.market.ports.Instruments."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def of_category(self, category: Category) -> Sequence[Instrument]:
        """All instruments of a category, closed ones too, by symbol."""
        wanted = (
            select(InstrumentRow)
            .where(col(InstrumentRow.category) == category.value)
            .order_by(col(InstrumentRow.symbol))
        )
        async with self._database.read() as session:
            return [_instrument(row) for row in await session.exec(wanted)]

    async def replace(self, category: Category, found: Sequence[Instrument]) -> int:
        """As the port says, in one statement; two workers take turns per category.

        Raises Conflict when the other one takes long, Unavailable, TimedOut.
        """
        if stranger := next((i for i in found if i.category is not category), None):
            raise ValueError(f"{stranger.id} does not belong to {category}")
        # By symbol: PostgreSQL refuses to touch one row twice in one statement.
        described = list({i.symbol: _described(i) for i in found}.values())
        parameters = {
            "category": category.value,
            "found": orjson.dumps(described).decode(),
            "now": self._clock.now(),
        }
        async with self._database.unit_of_work() as session:
            connection = await session.connection()
            await connection.execute(_TAKE_TURN, {"turn": f"market.instrument:{category}"})
            changed = await connection.execute(_REPLACE, parameters)
            return int(changed.scalar_one())


def _described(instrument: Instrument) -> dict[str, Any]:
    """The instrument as JSON whose numbers are strings: a float would not be exact."""
    values = {name: getattr(instrument, name) for name in _DESCRIPTION}
    return {"symbol": instrument.symbol} | {
        name: str(value) if isinstance(value, Decimal | datetime) else value
        for name, value in values.items()
    }


def _instrument(row: InstrumentRow) -> Instrument:
    return Instrument(
        id=InstrumentId(Category(row.category), Symbol(row.symbol)),
        base_asset=AssetCode(row.base_asset),
        quote_asset=AssetCode(row.quote_asset),
        settle_asset=AssetCode(row.settle_asset) if row.settle_asset is not None else None,
        status=InstrumentStatus(row.status),
        tick_size=_plain(row.tick_size),
        quantity_step=_plain(row.quantity_step),
        min_quantity=_plain(row.min_quantity),
        max_quantity=_plain(row.max_quantity),
        min_notional=_plain(row.min_notional) if row.min_notional is not None else None,
        max_leverage=_plain(row.max_leverage) if row.max_leverage is not None else None,
        funding_interval_minutes=row.funding_interval_minutes,
        launched_at=row.launched_at,
    )


def _plain(stored: Decimal) -> Decimal:
    """0.100000000000000000 as 0.1, and 100.000000000000000000 as 100 rather than 1E+2."""
    shortest = stored.normalize(_EXACT)
    exponent = shortest.as_tuple().exponent
    if isinstance(exponent, int) and exponent > 0:
        return shortest.quantize(Decimal(1), context=_EXACT)
    return shortest
