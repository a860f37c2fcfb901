"""The log, the inbox and the desk within one unit of work."""

from base64 import b64encode
from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import func
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import col, delete, select, update
from sqlmodel.ext.asyncio.session import AsyncSession

from adapters.postgres.tables.users import (
    AccountRow,
    ActivityRow,
    NoteRow,
    NotificationRow,
    RoleProposalRow,
    RoleRow,
)
from adapters.postgres.users.keys import Keys
from adapters.postgres.users.rows import REASON, SEALED_REASON, proposal_of
from domain.kernel.clock import Clock
from domain.kernel.ids import UserId, new_uuid7
from domain.kernel.viewer import Role
from domain.users.model import (
    ActivityResult,
    Client,
    Notification,
    NotificationId,
    ProposalId,
    RoleProposal,
    StaffNote,
    UserState,
)

# The neighbours of events.maintain's and users.maintain's.
_ROLES_LOCK = 7305489208
_USABLE = (UserState.ACTIVE.value, UserState.ERASING.value)


class PendingActivity:
    """Implements domain.users.ports.ActivityLog; written when the unit of work ends."""

    def __init__(self, session: AsyncSession, keys: Keys) -> None:
        self._session = session
        self._keys = keys
        self._lines: list[tuple[ActivityRow, Client | None]] = []

    def add(
        self,
        *,
        actor_id: UserId | None,
        subject_id: UserId,
        action: str,
        result: ActivityResult,
        now: datetime,
        client: Client | None = None,
        details: Mapping[str, str] | None = None,
    ) -> None:
        row = ActivityRow(
            id=new_uuid7(),
            actor_id=actor_id,
            subject_id=subject_id,
            action=action,
            result=result.value,
            at=now,
            address=None,
            agent=client.agent if client and actor_id is None else None,
            sealed_agent=None,
            details=dict(details or {}),
        )
        self._lines.append((row, client))

    async def denied_since(
        self, subject_id: UserId, action: str, since: datetime, *, field: str | None = None
    ) -> bool:
        wanted = (
            select(ActivityRow.id)
            .where(ActivityRow.subject_id == subject_id)
            .where(ActivityRow.at >= since)
            .where(ActivityRow.action == action)
            .where(ActivityRow.result == ActivityResult.DENIED.value)
        )
        if field is not None:
            wanted = wanted.where(col(ActivityRow.details)["field"].astext == field)
        found = await self._session.exec(wanted.limit(1))
        return found.one_or_none() is not None

    async def write(self) -> None:
        actors = [row.actor_id for row, client in self._lines if client and row.actor_id]
        subjects = [row.subject_id for row, _ in self._lines if REASON in row.details]
        await self._keys.load([*actors, *subjects])
        for row, client in self._lines:
            row.details = self._sealed(row.subject_id, row.details)
            if client and row.actor_id and self._keys.holds(row.actor_id):
                address = client.address or None
                row.address = self._keys.seal(row.actor_id, "activity.address", address)
                row.sealed_agent = self._keys.seal(row.actor_id, "activity.agent", client.agent)
            self._session.add(row)
        await self._session.flush()
        self._lines.clear()

    def _sealed(self, subject_id: UUID, details: Mapping[str, str]) -> dict[str, str]:
        """What staff writes of somebody is about them, and goes with them."""
        kept = dict(details)
        reason = kept.pop(REASON, None)
        if reason is not None and self._keys.holds(subject_id):
            sealed = self._keys.seal(subject_id, "activity.reason", reason)
            kept[SEALED_REASON] = b64encode(sealed or b"").decode()
        return kept


class PostgresInbox:
    """Implements domain.users.ports.Inbox."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def add(self, notification: Notification) -> bool:
        connection = await self._session.connection()
        inserted = await connection.execute(
            insert(NotificationRow)
            .values(
                id=notification.id,
                user_id=notification.user_id,
                topic=notification.topic.value,
                code=notification.code,
                values=dict(notification.values),
                created_at=notification.created_at,
                event_id=notification.event_id,
            )
            .on_conflict_do_nothing()
        )
        return bool(inserted.rowcount)

    async def mark_read(
        self, user_id: UserId, ids: Sequence[NotificationId] | None, *, now: datetime
    ) -> int:
        unread = (
            update(NotificationRow)
            .where(col(NotificationRow.user_id) == user_id)
            .where(col(NotificationRow.read_at).is_(None))
            .values(read_at=now)
        )
        if ids is not None:
            unread = unread.where(col(NotificationRow.id).in_(ids))
        return (await self._session.exec(unread)).rowcount


class PostgresDesk:
    """Implements domain.users.ports.Desk."""

    def __init__(self, session: AsyncSession, keys: Keys, clock: Clock) -> None:
        self._session = session
        self._keys = keys
        self._clock = clock

    async def add_note(self, note: StaffNote) -> None:
        await self._keys.load([note.user_id])
        sealed = self._keys.seal(note.user_id, "note.text", note.text)
        self._session.add(
            NoteRow(
                id=note.id,
                user_id=note.user_id,
                author_id=note.author_id,
                text=sealed or b"",
                created_at=note.created_at,
            )
        )
        await self._session.flush()

    async def grant(self, user_id: UserId, role: Role, *, by: UserId | None) -> bool:
        connection = await self._session.connection()
        inserted = await connection.execute(
            insert(RoleRow)
            .values(user_id=user_id, role=role.value, granted_by=by, granted_at=self._clock.now())
            .on_conflict_do_nothing()
        )
        return bool(inserted.rowcount)

    async def withdraw(self, user_id: UserId, role: Role) -> bool:
        gone = await self._session.exec(
            delete(RoleRow)
            .where(col(RoleRow.user_id) == user_id)
            .where(col(RoleRow.role) == role.value)
        )
        return bool(gone.rowcount)

    async def holders(self, role: Role) -> int:
        """How many with a usable account have a role; the answer holds until the commit."""
        # A lock of its own: rows that are not there yet cannot be locked.
        await self._session.exec(select(func.pg_advisory_xact_lock(_ROLES_LOCK)))
        counted = await self._session.exec(
            select(func.count())
            .select_from(RoleRow)
            .join(AccountRow, col(AccountRow.id) == RoleRow.user_id)
            .where(col(RoleRow.role) == role.value)
            .where(col(AccountRow.state).in_(_USABLE))
        )
        return counted.one()

    async def propose(self, proposal: RoleProposal) -> bool:
        connection = await self._session.connection()
        inserted = await connection.execute(
            insert(RoleProposalRow)
            .values(
                id=proposal.id,
                user_id=proposal.user_id,
                role=proposal.role.value,
                grants=proposal.grant,
                proposed_by=proposal.proposed_by,
                created_at=proposal.created_at,
                state=proposal.state.value,
            )
            .on_conflict_do_nothing()
        )
        return bool(inserted.rowcount)

    async def proposal_locked(self, proposal_id: ProposalId) -> RoleProposal | None:
        row = (
            await self._session.exec(
                select(RoleProposalRow).where(RoleProposalRow.id == proposal_id).with_for_update()
            )
        ).one_or_none()
        return None if row is None else proposal_of(row)

    async def decide(self, proposal: RoleProposal) -> None:
        decided_by: UUID | None = proposal.decided_by
        await self._session.exec(
            update(RoleProposalRow)
            .where(col(RoleProposalRow.id) == proposal.id)
            .values(
                state=proposal.state.value, decided_by=decided_by, decided_at=proposal.decided_at
            )
        )
