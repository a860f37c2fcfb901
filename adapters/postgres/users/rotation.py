"""Rewrapping data keys under the newest master key, so that an old one can be taken away."""

from collections.abc import Sequence
from uuid import UUID

from sqlmodel import col, select, update

from adapters.postgres.engine import Database
from adapters.postgres.tables.users import DataKeyRow
from adapters.vault import KeyRing, WrappedKey

BATCH = 500


async def rotate_keys(database: Database, ring: KeyRing) -> int:
    """Rewrap every data key that the active master key does not open; returns how many were.

    A batch is a transaction: what was done stays done, and a run that was cut off is started
    again. Several at once do no harm, and nobody is locked out meanwhile. A key that was shredded
    stays so. Raises Unavailable, TimedOut, and Tampered when the ring lacks a key still in use.
    """
    rewrapped = 0
    last: UUID | None = None
    while batch := await _batch(database, ring, after=last):
        last = batch[-1].user_id
        async with database.unit_of_work() as work:
            for row in batch:
                wrapped = ring.rewrap(WrappedKey(row.master, row.sealed), str(row.user_id))
                if wrapped is None:
                    continue
                # Only what is still as it was read: not what another run or a shredding changed.
                changed = await work.exec(
                    update(DataKeyRow)
                    .where(col(DataKeyRow.user_id) == row.user_id)
                    .where(col(DataKeyRow.sealed) == row.sealed)
                    .values(master=wrapped.master, sealed=wrapped.sealed)
                )
                rewrapped += changed.rowcount
    return rewrapped


async def _batch(database: Database, ring: KeyRing, *, after: UUID | None) -> Sequence[DataKeyRow]:
    wanted = select(DataKeyRow).where(col(DataKeyRow.master) != ring.active)
    if after is not None:
        wanted = wanted.where(col(DataKeyRow.user_id) > after)
    async with database.read() as session:
        found = await session.exec(wanted.order_by(col(DataKeyRow.user_id)).limit(BATCH))
        return found.all()
