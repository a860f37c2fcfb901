"""Rows of the users domain as the domain's values, and back."""

from base64 import b64decode
from collections.abc import Iterable
from typing import Any
from uuid import UUID

from adapters.postgres.tables.users import (
    AccountRow,
    ActivityRow,
    NoteRow,
    NotificationRow,
    ProfileRow,
    RoleProposalRow,
    SessionRow,
    SettingsRow,
)
from adapters.postgres.users.keys import Keys
from domain.kernel.ids import UserId
from domain.kernel.viewer import Role
from domain.users.model import (
    Activity,
    ActivityId,
    ActivityResult,
    Channel,
    FrozenBy,
    Identity,
    Locale,
    NoteId,
    Notification,
    NotificationId,
    Profile,
    ProposalId,
    ProposalState,
    QuietHours,
    RoleProposal,
    Session,
    SessionEnd,
    SessionId,
    Settings,
    StaffNote,
    Theme,
    Topic,
    User,
    UserState,
)


def user_of(row: AccountRow, roles: Iterable[str], keys: Keys) -> User:
    return User(
        id=UserId(row.id),
        identity=Identity(row.project, row.tenant, row.uid),
        state=UserState(row.state),
        roles=frozenset(Role(role) for role in roles),
        created_at=row.created_at,
        email=keys.open(row.id, "account.email", row.email),
        email_verified=row.email_verified,
        frozen_by=FrozenBy(row.frozen_by) if row.frozen_by else None,
        frozen_reason=keys.open(row.id, "account.frozen_reason", row.frozen_reason),
        erase_after=row.erase_after,
        email_as_of=row.email_as_of,
        signed_out_at=row.signed_out_at,
    )


_SEALED_PROFILE = ("display_name", "legal_name", "date_of_birth", "country", "phone")


def profile_of(row: ProfileRow, keys: Keys) -> Profile:
    def opened(name: str) -> str | None:
        return keys.open(row.user_id, f"profile.{name}", getattr(row, name))

    return Profile(
        user_id=UserId(row.user_id),
        display_name=opened("display_name"),
        legal_name=opened("legal_name"),
        date_of_birth=opened("date_of_birth"),
        country=opened("country"),
        phone=opened("phone"),
        time_zone=row.time_zone,
    )


def profile_columns(profile: Profile, keys: Keys) -> dict[str, Any]:
    sealed = {
        name: keys.seal(profile.user_id, f"profile.{name}", getattr(profile, name))
        for name in _SEALED_PROFILE
    }
    return {"time_zone": profile.time_zone, **sealed}


def settings_of(row: SettingsRow) -> Settings:
    quiet = None
    if row.quiet_start is not None and row.quiet_end is not None:
        quiet = QuietHours(row.quiet_start, row.quiet_end)
    return Settings(
        user_id=UserId(row.user_id),
        notifications={
            Topic(topic): frozenset(Channel(channel) for channel in channels)
            for topic, channels in row.notifications.items()
        },
        display_currency=row.display_currency,
        locale=Locale(row.locale),
        theme=Theme(row.theme),
        quiet_hours=quiet,
        confirm_orders=row.confirm_orders,
    )


def settings_columns(settings: Settings) -> dict[str, Any]:
    quiet = settings.quiet_hours
    return {
        "notifications": {
            topic.value: sorted(channel.value for channel in channels)
            for topic, channels in settings.notifications.items()
        },
        "display_currency": settings.display_currency,
        "locale": settings.locale.value,
        "theme": settings.theme.value,
        "quiet_start": quiet.start if quiet else None,
        "quiet_end": quiet.end if quiet else None,
        "confirm_orders": settings.confirm_orders,
    }


def session_of(row: SessionRow, keys: Keys) -> Session:
    return Session(
        id=SessionId(row.id),
        user_id=UserId(row.user_id),
        signed_in_at=row.signed_in_at,
        device_id=row.device_id,
        agent=row.agent,
        address=keys.open(row.user_id, "session.address", row.address) or "",
        provider=row.provider,
        second_factor=row.second_factor,
        created_at=row.created_at,
        last_seen_at=row.last_seen_at,
        ended_at=row.ended_at,
        ended_by=SessionEnd(row.ended_by) if row.ended_by else None,
    )


# Of a line's details, what staff wrote in their own words: as the domain has it, and the table.
REASON = "reason"
SEALED_REASON = "sealedReason"


def activity_of(row: ActivityRow, keys: Keys) -> Activity:
    details = dict(row.details)
    sealed = details.pop(SEALED_REASON, None)
    reason = None if sealed is None else b64decode(sealed)
    if (opened := keys.open(row.subject_id, "activity.reason", reason)) is not None:
        details[REASON] = opened
    address, agent = None, row.agent
    if row.actor_id is not None:
        address = keys.open(row.actor_id, "activity.address", row.address)
        agent = agent or keys.open(row.actor_id, "activity.agent", row.sealed_agent)
    return Activity(
        id=ActivityId(row.id),
        actor_id=_user_id(row.actor_id),
        subject_id=UserId(row.subject_id),
        action=row.action,
        result=ActivityResult(row.result),
        at=row.at,
        address=address,
        agent=agent,
        details=details,
    )


def notification_of(row: NotificationRow) -> Notification:
    return Notification(
        id=NotificationId(row.id),
        user_id=UserId(row.user_id),
        topic=Topic(row.topic),
        code=row.code,
        values=row.values,
        created_at=row.created_at,
        event_id=row.event_id,
        read_at=row.read_at,
    )


def note_of(row: NoteRow, keys: Keys) -> StaffNote:
    return StaffNote(
        id=NoteId(row.id),
        user_id=UserId(row.user_id),
        author_id=UserId(row.author_id),
        text=keys.open(row.user_id, "note.text", row.text) or "",
        created_at=row.created_at,
    )


def proposal_of(row: RoleProposalRow) -> RoleProposal:
    return RoleProposal(
        id=ProposalId(row.id),
        user_id=UserId(row.user_id),
        role=Role(row.role),
        grant=row.grants,
        proposed_by=UserId(row.proposed_by),
        created_at=row.created_at,
        state=ProposalState(row.state),
        decided_by=_user_id(row.decided_by),
        decided_at=row.decided_at,
    )


def _user_id(value: UUID | None) -> UserId | None:
    return None if value is None else UserId(value)
