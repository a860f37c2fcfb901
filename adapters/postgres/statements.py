"""What a unit of work is asked in PostgreSQL's own words, past SQLAlchemy where it is in the way.

A command that moves money is sent very often and always says the same few things: around them,
SQLAlchemy costs more than the driver and the network together. Such work is done on the driver
(``DirectWork``), all other work in a session, and what both have to say is said by these functions.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import asyncpg
from sqlmodel.ext.asyncio.session import AsyncSession

_AFTER_COMMIT = "okd_after_commit"


@dataclass(frozen=True, slots=True)
class DirectWork:
    """A transaction on the driver itself."""

    driver: asyncpg.Connection
    afterwards: dict[str, None] = field(default_factory=dict)


Unit: TypeAlias = AsyncSession | DirectWork


async def call(unit: Unit, statement: str, *values: object) -> Any:  # noqa: ANN401  # any function's answer
    """The one value of one row; JSON is read. Values are ``$1``, ``$2`` ... of the statement."""
    if isinstance(unit, DirectWork):
        return await unit.driver.fetchval(statement, *values)
    connection = await unit.connection()
    return (await connection.exec_driver_sql(statement, values)).scalar_one()


async def rows(unit: Unit, statement: str, *values: object) -> Sequence[dict[str, Any]]:
    """All rows, by the names of their columns; values as for ``call``."""
    if isinstance(unit, DirectWork):
        return [dict(record) for record in await unit.driver.fetch(statement, *values)]
    connection = await unit.connection()
    found = (await connection.exec_driver_sql(statement, values)).mappings()
    return [dict(row) for row in found]


async def do(unit: Unit, statement: str) -> None:
    """Run what takes nothing and answers nothing."""
    if isinstance(unit, DirectWork):
        await unit.driver.execute(statement)
        return
    connection = await unit.connection()
    await connection.exec_driver_sql(statement)


def after_commit(unit: Unit, statement: str) -> None:
    """Have ``statement`` run by itself once the unit of work is committed; or not at all.

    For what must not be part of the transaction and is no loss: nobody hears of its failure. Soon
    rather than at once: of many units that ask for the same, it runs once for all that are done.
    """
    if isinstance(unit, DirectWork):
        unit.afterwards[statement] = None
    else:
        unit.info.setdefault(_AFTER_COMMIT, {})[statement] = None


def asked_afterwards(unit: Unit) -> Sequence[str]:
    """What was asked of ``after_commit``."""
    if isinstance(unit, DirectWork):
        return tuple(unit.afterwards)
    return tuple(unit.info.get(_AFTER_COMMIT, ()))
