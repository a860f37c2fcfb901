"""Partitions of the log: those of the months to come are made ahead."""

from datetime import datetime

from sqlalchemy import text

from adapters.postgres.engine import Database


async def maintain_users(database: Database, *, now: datetime) -> None:
    """Safe to repeat. Raises Unavailable, TimedOut."""
    async with database.unit_of_work() as session:
        connection = await session.connection()
        await connection.execute(text("SELECT users.maintain(:at)"), {"at": now})
