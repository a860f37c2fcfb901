"""The data keys one unit of work or one read has opened."""

from collections.abc import Iterable
from uuid import UUID

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from adapters.postgres.engine import Database
from adapters.postgres.tables.users import DataKeyRow
from adapters.vault import DataKey, KeyRing, Shredded, WrappedKey


class Keys:
    """Seals and opens columns. A user without a key was erased: nothing of theirs opens."""

    def __init__(self, ring: KeyRing, session: AsyncSession) -> None:
        self._ring = ring
        self._session = session
        self._opened: dict[UUID, DataKey | None] = {}

    async def load(self, user_ids: Iterable[UUID]) -> None:
        """Open the keys of these users in one look."""
        missing = set(user_ids) - self._opened.keys()
        if not missing:
            return
        self._opened.update(dict.fromkeys(missing))
        found = await self._session.exec(
            select(DataKeyRow).where(col(DataKeyRow.user_id).in_(missing))
        )
        for row in found:
            wrapped = WrappedKey(row.master, row.sealed)
            self._opened[row.user_id] = self._ring.open(wrapped, str(row.user_id))

    async def make(self, user_id: UUID) -> None:
        """A key for a user made just now."""
        key, wrapped = self._ring.make(str(user_id))
        self._session.add(DataKeyRow(user_id=user_id, master=wrapped.master, sealed=wrapped.sealed))
        self._opened[user_id] = key

    def holds(self, user_id: UUID) -> bool:
        """Whether the user still has a key."""
        return self._opened.get(user_id) is not None

    def key_of(self, user_id: UUID) -> DataKey | None:
        """The user's key, once it was loaded."""
        return self._opened.get(user_id)

    def forget(self, user_id: UUID) -> None:
        self._opened[user_id] = None

    def seal(self, user_id: UUID, column: str, value: str | None) -> bytes | None:
        """Raises Shredded: who was erased gets no new personal data."""
        if value is None:
            return None
        key = self._opened[user_id]
        if key is None:
            raise Shredded(str(user_id))
        return key.seal(value, place=f"{user_id}:{column}")

    def open(self, user_id: UUID, column: str, sealed: bytes | None) -> str | None:
        """None for what was never there and for what was shredded."""
        key = self._opened[user_id]
        if sealed is None or key is None:
            return None
        return key.open(sealed, place=f"{user_id}:{column}")


class PostgresDataKeys:
    """Implements adapters.files.DataKeys: for what is sealed outside of the database."""

    def __init__(self, database: Database, *, ring: KeyRing) -> None:
        self._database = database
        self._ring = ring

    async def key_of(self, owner: UUID) -> DataKey | None:
        """None for who was erased, or never was. Raises Unavailable, TimedOut."""
        async with self._database.read() as session:
            keys = Keys(self._ring, session)
            await keys.load([owner])
        return keys.key_of(owner)
