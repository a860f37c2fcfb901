"""Accounts and sessions within one unit of work."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Text, cast, func
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import col, delete, select, update
from sqlmodel.ext.asyncio.session import AsyncSession

from adapters.postgres.tables.users import (
    AccountRow,
    DataKeyRow,
    ProfileRow,
    RoleRow,
    SessionRow,
    SettingsRow,
)
from adapters.postgres.users.keys import Keys
from adapters.postgres.users.rows import (
    profile_columns,
    profile_of,
    session_of,
    settings_columns,
    settings_of,
    user_of,
)
from adapters.vault import BlindIndex
from domain.kernel.ids import UserId, new_uuid7
from domain.kernel.viewer import Role
from domain.users.model import (
    Client,
    Profile,
    Session,
    SessionEnd,
    SessionId,
    Settings,
    SignIn,
    User,
    UserState,
    default_settings,
)


class PostgresUsers:
    """Implements domain.users.ports.Users."""

    def __init__(self, session: AsyncSession, keys: Keys, index: BlindIndex) -> None:
        self._session = session
        self._keys = keys
        self._index = index

    async def found_or_made(self, sign_in: SignIn, *, now: datetime) -> tuple[User, bool]:
        made = await self._make(sign_in, now=now)
        identity = sign_in.identity
        row = (
            await self._session.exec(
                select(AccountRow)
                .where(AccountRow.project == identity.project)
                .where(AccountRow.tenant == identity.tenant)
                .where(AccountRow.uid == identity.uid)
                .with_for_update()
            )
        ).one()
        return await self._user(row), made

    async def _make(self, sign_in: SignIn, *, now: datetime) -> bool:
        identity = sign_in.identity
        user_id = new_uuid7()
        connection = await self._session.connection()
        # A burst of first requests: one inserts, the others wait for it here and then find it.
        inserted = await connection.execute(
            insert(AccountRow)
            .values(
                id=user_id,
                project=identity.project,
                tenant=identity.tenant,
                uid=identity.uid,
                state=UserState.ACTIVE.value,
                email_verified=False,
                created_at=now,
            )
            .on_conflict_do_nothing()
        )
        if not inserted.rowcount:
            return False
        await self._keys.make(user_id)
        user = UserId(user_id)
        name = sign_in.display_name
        self._session.add(
            ProfileRow(user_id=user_id, **profile_columns(Profile(user, name), self._keys))
        )
        self._session.add(SettingsRow(user_id=user_id, **settings_columns(default_settings(user))))
        self._session.add(
            RoleRow(user_id=user_id, role=Role.USER.value, granted_by=None, granted_at=now)
        )
        await self._session.flush()
        if sign_in.email is not None:
            await self._update(
                user_id,
                **self._email(user_id, sign_in.email),
                email_verified=sign_in.email_verified,
                email_as_of=sign_in.issued_at,
            )
        return True

    async def locked(self, user_id: UserId) -> User | None:
        row = (
            await self._session.exec(
                select(AccountRow).where(AccountRow.id == user_id).with_for_update()
            )
        ).one_or_none()
        return None if row is None else await self._user(row)

    async def save(self, user: User) -> None:
        await self._keys.load([user.id])
        await self._update(
            user.id,
            state=user.state.value,
            email_verified=user.email_verified,
            frozen_by=user.frozen_by.value if user.frozen_by else None,
            frozen_reason=self._keys.seal(user.id, "account.frozen_reason", user.frozen_reason),
            erase_after=user.erase_after,
            email_as_of=user.email_as_of,
            signed_out_at=user.signed_out_at,
            **self._email(user.id, user.email),
        )

    async def profile(self, user_id: UserId) -> Profile:
        await self._keys.load([user_id])
        return profile_of(await self._one(ProfileRow, user_id), self._keys)

    async def save_profile(self, profile: Profile) -> None:
        await self._keys.load([profile.user_id])
        await self._session.exec(
            update(ProfileRow)
            .where(col(ProfileRow.user_id) == profile.user_id)
            .values(**profile_columns(profile, self._keys))
        )

    async def settings(self, user_id: UserId) -> Settings:
        return settings_of(await self._one(SettingsRow, user_id))

    async def save_settings(self, settings: Settings) -> None:
        await self._session.exec(
            update(SettingsRow)
            .where(col(SettingsRow.user_id) == settings.user_id)
            .values(**settings_columns(settings))
        )

    async def shred(self, user_id: UserId) -> None:
        await self._session.exec(delete(DataKeyRow).where(col(DataKeyRow.user_id) == user_id))
        # In clear while the account lives. Another name for each: two of one sign-in stay two.
        await self._session.exec(
            update(SessionRow)
            .where(col(SessionRow.user_id) == user_id)
            .values(agent="", device_id=cast(col(SessionRow.id), Text))
        )
        await self._update(user_id, email=None, email_index=None, email_verified=False)
        self._keys.forget(user_id)

    async def _user(self, row: AccountRow) -> User:
        await self._keys.load([row.id])
        roles = await self._session.exec(select(RoleRow.role).where(RoleRow.user_id == row.id))
        return user_of(row, roles.all(), self._keys)

    async def _one(self, table: type[Any], user_id: UserId) -> Any:  # noqa: ANN401  # a row of that table
        return (await self._session.exec(select(table).where(table.user_id == user_id))).one()

    async def _update(self, user_id: UUID, **values: object) -> None:
        await self._session.exec(
            update(AccountRow).where(col(AccountRow.id) == user_id).values(**values)
        )

    def _email(self, user_id: UUID, email: str | None) -> dict[str, bytes | None]:
        return {
            "email": self._keys.seal(user_id, "account.email", email),
            "email_index": None if email is None else self._index.of_email(email),
        }


class PostgresSessions:
    """Implements domain.users.ports.Sessions."""

    def __init__(self, session: AsyncSession, keys: Keys) -> None:
        self._session = session
        self._keys = keys

    async def found_or_made(
        self, user: User, sign_in: SignIn, client: Client, *, now: datetime
    ) -> tuple[Session, bool]:
        await self._keys.load([user.id])
        device_id = client.device_id or ""
        connection = await self._session.connection()
        inserted = await connection.execute(
            insert(SessionRow)
            .values(
                id=new_uuid7(),
                user_id=user.id,
                signed_in_at=sign_in.signed_in_at,
                device_id=device_id,
                agent=client.agent,
                address=self._keys.seal(user.id, "session.address", client.address),
                provider=sign_in.provider,
                second_factor=sign_in.second_factor,
                created_at=now,
                last_seen_at=now,
            )
            .on_conflict_do_nothing()
        )
        found = await self.of_sign_in(user.id, sign_in.signed_in_at, client)
        if found is None:
            raise LookupError("a session that was there a moment ago")
        return found, bool(inserted.rowcount)

    async def of_sign_in(
        self, user_id: UserId, signed_in_at: datetime, client: Client
    ) -> Session | None:
        row = (
            await self._session.exec(
                select(SessionRow)
                .where(SessionRow.user_id == user_id)
                .where(SessionRow.signed_in_at == signed_in_at)
                .where(SessionRow.device_id == (client.device_id or ""))
            )
        ).one_or_none()
        await self._keys.load([user_id])
        return None if row is None else session_of(row, self._keys)

    async def was_ended(self, user_id: UserId, signed_in_at: datetime) -> bool:
        found = await self._session.exec(
            select(SessionRow.id)
            .where(SessionRow.user_id == user_id)
            .where(SessionRow.signed_in_at == signed_in_at)
            .where(col(SessionRow.ended_at).is_not(None))
            .limit(1)
        )
        return found.one_or_none() is not None

    async def count(self, user_id: UserId, signed_in_at: datetime) -> int:
        counted = await self._session.exec(
            select(func.count())
            .select_from(SessionRow)
            .where(col(SessionRow.user_id) == user_id)
            .where(col(SessionRow.signed_in_at) == signed_in_at)
        )
        return counted.one()

    async def of_user(self, user_id: UserId, *, active_only: bool) -> Sequence[Session]:
        return await sessions_of(self._session, self._keys, user_id, active_only=active_only)

    async def end(
        self, user_id: UserId, sessions: Sequence[SessionId], by: SessionEnd, *, now: datetime
    ) -> Sequence[SessionId]:
        ended = await self._session.exec(
            update(SessionRow)
            .where(col(SessionRow.user_id) == user_id)
            .where(col(SessionRow.id).in_(sessions))
            .where(col(SessionRow.ended_at).is_(None))
            .values(ended_at=now, ended_by=by.value)
            .returning(col(SessionRow.id))
        )
        return [SessionId(found) for found in ended.scalars()]

    async def device_is_new(self, user_id: UserId, client: Client) -> bool:
        same = (
            select(SessionRow.id)
            .where(SessionRow.user_id == user_id)
            .where(SessionRow.device_id == (client.device_id or ""))
        )
        if client.device_id is None:
            same = same.where(SessionRow.agent == client.agent)
        found = await self._session.exec(same.limit(1))
        return found.one_or_none() is None


async def sessions_of(
    session: AsyncSession,
    keys: Keys,
    user_id: UserId,
    *,
    active_only: bool,
    first: int | None = None,
) -> list[Session]:
    """Newest sign-in first; all of them without ``first``."""
    wanted = select(SessionRow).where(SessionRow.user_id == user_id)
    if active_only:
        wanted = wanted.where(col(SessionRow.ended_at).is_(None))
    newest = wanted.order_by(col(SessionRow.signed_in_at).desc(), col(SessionRow.id).desc())
    rows = (await session.exec(newest.limit(first))).all()
    await keys.load([user_id])
    return [session_of(row, keys) for row in rows]
