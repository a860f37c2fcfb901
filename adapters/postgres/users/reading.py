"""Reading users: each call a short session of its own."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import func, text, tuple_
from sqlmodel import col, select, update
from sqlmodel.ext.asyncio.session import AsyncSession

from adapters.postgres.engine import Database
from adapters.postgres.tables.users import (
    AccountRow,
    ActivityRow,
    NoteRow,
    NotificationRow,
    ProfileRow,
    RoleProposalRow,
    RoleRow,
    SessionRow,
    SettingsRow,
)
from adapters.postgres.users.keys import Keys
from adapters.postgres.users.rows import (
    activity_of,
    note_of,
    notification_of,
    profile_of,
    proposal_of,
    session_of,
    settings_of,
    user_of,
)
from adapters.postgres.users.writing import sessions_of
from adapters.vault import BlindIndex, KeyRing
from domain.kernel.ids import UserId
from domain.users.model import (
    Activity,
    Device,
    Notification,
    NotificationId,
    Profile,
    ProposalState,
    RoleProposal,
    Session,
    SessionId,
    Settings,
    SignIn,
    StaffNote,
    User,
)
from domain.users.ports import ActivityQuery, Known, UserQuery

# Its newest session speaks for a device.
_DEVICES = text(
    """
    SELECT device_id AS id, (array_agg(agent ORDER BY last_seen_at DESC, id DESC))[1] AS agent,
        min(created_at) AS first_seen_at, max(last_seen_at) AS last_seen_at,
        count(*) FILTER (WHERE ended_at IS NULL) AS active_sessions
    FROM users.session WHERE user_id = :user_id
    GROUP BY device_id ORDER BY max(last_seen_at) DESC, device_id LIMIT :first
    """
)
_TOUCH_EVERY = timedelta(minutes=1)
_ROLES = func.array(
    select(RoleRow.role).where(col(RoleRow.user_id) == AccountRow.id).scalar_subquery()
)


class PostgresAccounts:
    """Implements domain.users.ports.Accounts."""

    def __init__(self, database: Database, *, ring: KeyRing, index: BlindIndex) -> None:
        self._database = database
        self._ring = ring
        self._index = index

    async def known(self, sign_in: SignIn, device_id: str) -> Known | None:
        identity = sign_in.identity
        async with self._database.read() as session:
            row = (
                await session.exec(
                    select(AccountRow, _ROLES, SessionRow)
                    .outerjoin(
                        SessionRow,
                        (col(SessionRow.user_id) == AccountRow.id)
                        & (col(SessionRow.signed_in_at) == sign_in.signed_in_at)
                        & (col(SessionRow.device_id) == device_id),
                    )
                    .where(AccountRow.project == identity.project)
                    .where(AccountRow.tenant == identity.tenant)
                    .where(AccountRow.uid == identity.uid)
                )
            ).one_or_none()
            if row is None:
                return None
            account, roles = row[0], row[1]
            found: SessionRow | None = row[2]  # of an outer join
            keys = Keys(self._ring, session)
            await keys.load([account.id])
            user = user_of(account, roles, keys)
            return Known(user, None if found is None else session_of(found, keys))

    async def touch(self, session: SessionId, *, now: datetime) -> None:
        async with self._database.unit_of_work() as work:
            await work.exec(
                update(SessionRow)
                .where(col(SessionRow.id) == session)
                .where(col(SessionRow.last_seen_at) < now - _TOUCH_EVERY)
                .values(last_seen_at=now)
            )

    async def user(self, user_id: UserId) -> User | None:
        return (await self.users([user_id])).get(user_id)

    async def users(self, user_ids: Sequence[UserId]) -> Mapping[UserId, User]:
        async with self._database.read() as session:
            found = await self._users(session, col(AccountRow.id).in_(user_ids))
        return {user.id: user for user in found}

    async def profiles(self, user_ids: Sequence[UserId]) -> Mapping[UserId, Profile]:
        async with self._database.read() as session:
            wanted = select(ProfileRow).where(col(ProfileRow.user_id).in_(user_ids))
            rows = (await session.exec(wanted)).all()
            keys = await self._keys(session, (row.user_id for row in rows))
            return {UserId(row.user_id): profile_of(row, keys) for row in rows}

    async def settings(self, user_id: UserId) -> Settings:
        async with self._database.read() as session:
            wanted = select(SettingsRow).where(SettingsRow.user_id == user_id)
            return settings_of((await session.exec(wanted)).one())

    async def sessions(
        self, user_id: UserId, *, active_only: bool, first: int
    ) -> Sequence[Session]:
        async with self._database.read() as session:
            keys = Keys(self._ring, session)
            return await sessions_of(session, keys, user_id, active_only=active_only, first=first)

    async def session(self, user_id: UserId, session_id: SessionId) -> Session | None:
        wanted = select(SessionRow).where(SessionRow.id == session_id)
        async with self._database.read() as session:
            row = (await session.exec(wanted.where(SessionRow.user_id == user_id))).one_or_none()
            keys = await self._keys(session, [user_id])
            return None if row is None else session_of(row, keys)

    async def living(self, sessions: Sequence[SessionId]) -> frozenset[SessionId]:
        wanted = select(SessionRow.id).where(col(SessionRow.id).in_(sessions))
        async with self._database.read() as session:
            found = await session.exec(wanted.where(col(SessionRow.ended_at).is_(None)))
            return frozenset(SessionId(session_id) for session_id in found)

    async def devices(self, user_id: UserId, *, first: int) -> Sequence[Device]:
        async with self._database.read() as session:
            connection = await session.connection()
            values = {"user_id": user_id, "first": first}
            found = (await connection.execute(_DEVICES, values)).mappings().all()
        return [Device(user_id=user_id, **row) for row in found]

    async def activity(
        self, query: ActivityQuery, *, first: int, before: tuple[datetime, str] | None
    ) -> Sequence[Activity]:
        wanted = select(ActivityRow).where(*_narrowed(query))
        if before is not None:
            wanted = wanted.where(_older(ActivityRow.at, ActivityRow.id, before))
        newest = wanted.order_by(col(ActivityRow.at).desc(), col(ActivityRow.id).desc())
        async with self._database.read() as session:
            rows = (await session.exec(newest.limit(first))).all()
            people = {row.subject_id for row in rows} | {row.actor_id for row in rows}
            keys = await self._keys(session, people - {None})
            return [activity_of(row, keys) for row in rows]

    async def notifications(
        self,
        user_id: UserId,
        *,
        unread_only: bool,
        first: int,
        before: tuple[datetime, str] | None,
    ) -> Sequence[Notification]:
        wanted = select(NotificationRow).where(NotificationRow.user_id == user_id)
        if unread_only:
            wanted = wanted.where(col(NotificationRow.read_at).is_(None))
        if before is not None:
            wanted = wanted.where(_older(NotificationRow.created_at, NotificationRow.id, before))
        newest = wanted.order_by(
            col(NotificationRow.created_at).desc(), col(NotificationRow.id).desc()
        )
        async with self._database.read() as session:
            return [notification_of(row) for row in await session.exec(newest.limit(first))]

    async def notification(
        self, user_id: UserId, notification_id: NotificationId
    ) -> Notification | None:
        wanted = select(NotificationRow).where(NotificationRow.id == notification_id)
        async with self._database.read() as session:
            row = (
                await session.exec(wanted.where(NotificationRow.user_id == user_id))
            ).one_or_none()
            return None if row is None else notification_of(row)

    async def unread(self, user_id: UserId) -> int:
        async with self._database.read() as session:
            counted = await session.exec(
                select(func.count())
                .select_from(NotificationRow)
                .where(col(NotificationRow.user_id) == user_id)
                .where(col(NotificationRow.read_at).is_(None))
            )
            return counted.one()

    async def find(self, query: UserQuery, *, first: int, after: str | None) -> Sequence[User]:
        wanted: list[Any] = []
        if query.user_id is not None:
            wanted.append(AccountRow.id == query.user_id)
        if query.uid is not None:
            wanted.append(AccountRow.uid == query.uid)
        if query.email is not None:
            wanted.append(AccountRow.email_index == self._index.of_email(query.email))
        if query.role is not None:
            holders = select(RoleRow.user_id).where(RoleRow.role == query.role.value)
            wanted.append(col(AccountRow.id).in_(holders))
        if after is not None:
            wanted.append(col(AccountRow.id) > UUID(after))
        async with self._database.read() as session:
            return await self._users(session, *wanted, limit=first)

    async def notes(self, user_id: UserId) -> Sequence[StaffNote]:
        wanted = select(NoteRow).where(NoteRow.user_id == user_id).order_by(col(NoteRow.id).desc())
        async with self._database.read() as session:
            rows = (await session.exec(wanted)).all()
            keys = await self._keys(session, [user_id])
            return [note_of(row, keys) for row in rows]

    async def open_proposals(self) -> Sequence[RoleProposal]:
        wanted = select(RoleProposalRow).where(RoleProposalRow.state == ProposalState.OPEN.value)
        async with self._database.read() as session:
            rows = await session.exec(wanted.order_by(col(RoleProposalRow.id)))
            return [proposal_of(row) for row in rows]

    async def due_for_erasure(
        self, *, now: datetime, first: int, after: UserId | None = None
    ) -> Sequence[UserId]:
        due = (
            select(AccountRow.id)
            .where(col(AccountRow.erase_after) <= now)
            .order_by(col(AccountRow.id))
            .limit(first)
        )
        if after is not None:
            due = due.where(col(AccountRow.id) > after)
        async with self._database.read() as session:
            return [UserId(found) for found in await session.exec(due)]

    async def _users(
        self,
        session: AsyncSession,
        *wanted: Any,  # noqa: ANN401  # SQL
        limit: int | None = None,
    ) -> list[User]:
        # UUIDv7: by id is by age.
        query = select(AccountRow, _ROLES).where(*wanted).order_by(col(AccountRow.id)).limit(limit)
        rows = (await session.exec(query)).all()
        keys = await self._keys(session, (row.id for row, _ in rows))
        return [user_of(row, roles, keys) for row, roles in rows]

    async def _keys(self, session: AsyncSession, user_ids: Any) -> Keys:  # noqa: ANN401  # an iterable of ids
        keys = Keys(self._ring, session)
        await keys.load(user_ids)
        return keys


def _narrowed(query: ActivityQuery) -> list[Any]:
    wanted: list[Any] = []
    if query.subject_id is not None:
        wanted.append(ActivityRow.subject_id == query.subject_id)
    if query.actor_id is not None:
        wanted.append(ActivityRow.actor_id == query.actor_id)
    if query.action is not None:
        wanted.append(ActivityRow.action == query.action)
    if query.result is not None:
        wanted.append(ActivityRow.result == query.result.value)
    if query.since is not None:
        wanted.append(ActivityRow.at >= query.since)
    if query.until is not None:
        wanted.append(ActivityRow.at < query.until)
    if query.without:
        wanted.append(col(ActivityRow.action).not_in(sorted(query.without)))
    return wanted


def _older(at: Any, row_id: Any, before: tuple[datetime, str]) -> Any:  # noqa: ANN401  # columns
    return tuple_(at, row_id) < tuple_(before[0], UUID(before[1]))
