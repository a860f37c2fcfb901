"""Users, sessions, settings, notifications, activity: the words of this domain."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, time
from enum import StrEnum
from typing import NewType
from uuid import UUID

from domain.kernel.ids import UserId
from domain.kernel.viewer import Role

SessionId = NewType("SessionId", UUID)
NotificationId = NewType("NotificationId", UUID)
ActivityId = NewType("ActivityId", UUID)
NoteId = NewType("NoteId", UUID)
ProposalId = NewType("ProposalId", UUID)


@dataclass(frozen=True, slots=True)
class Identity:
    """Who Firebase says somebody is. Never their e-mail: addresses change hands."""

    project: str
    tenant: str
    """Empty without a tenant."""
    uid: str


@dataclass(frozen=True, slots=True)
class SignIn:
    """What a verified ID token tells. The token itself goes no further than the verifier."""

    identity: Identity
    signed_in_at: datetime
    """``auth_time``: with the identity it names the sign-in this token descends from."""
    issued_at: datetime
    expires_at: datetime
    provider: str
    """``password``, ``google.com``, ``apple.com``, ``phone`` ..."""
    second_factor: str | None
    """``totp`` or ``phone`` when this sign-in used one."""
    email: str | None = field(default=None, repr=False)
    email_verified: bool = False
    display_name: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Client:
    """Where a request comes from, in the client's own words but for the address."""

    address: str
    agent: str
    """The User-Agent, clipped to 200 characters."""
    device_id: str | None
    """Chosen and kept by the client, 8 to 64 characters of ``[A-Za-z0-9_-]``."""


class UserState(StrEnum):
    """What somebody's account is."""

    ACTIVE = "ACTIVE"
    FROZEN = "FROZEN"
    """By its owner or by staff: nothing but support reaches it until staff unfreezes it."""
    ERASING = "ERASING"
    """Asked to be erased, within the grace; still usable, and the wish can be withdrawn."""
    ERASED = "ERASED"


class FrozenBy(StrEnum):
    """Who froze an account."""

    OWNER = "OWNER"
    STAFF = "STAFF"


@dataclass(frozen=True, slots=True)
class User:
    """A person with an account."""

    id: UserId
    identity: Identity
    state: UserState
    roles: frozenset[Role]
    created_at: datetime
    email: str | None = field(repr=False)
    email_verified: bool
    frozen_by: FrozenBy | None = None
    frozen_reason: str | None = None
    erase_after: datetime | None = None
    email_as_of: datetime | None = None
    """When the token was issued that the address came from: an older one does not undo it."""
    signed_out_at: datetime | None = None
    """When all sessions were last ended: no sign-in until then begins one, seen before or not."""


@dataclass(frozen=True, slots=True)
class Profile:
    """How somebody wants to be met. The legal identity belongs to KYC once submitted."""

    user_id: UserId
    display_name: str | None = field(default=None, repr=False)
    legal_name: str | None = field(default=None, repr=False)
    date_of_birth: str | None = field(default=None, repr=False)
    """ISO 8601 date."""
    country: str | None = field(default=None, repr=False)
    """ISO 3166-1 alpha-2."""
    phone: str | None = field(default=None, repr=False)
    """E.164."""
    time_zone: str = "UTC"
    legal_identity_locked: bool = False
    """True once KYC has it: legal name, date of birth and country cannot be edited here."""


@dataclass(frozen=True, slots=True)
class Revealed:
    """An account with its personal data in clear, for staff who wrote down why."""

    user: User
    profile: Profile


class Topic(StrEnum):
    """What notifications are about."""

    SECURITY = "SECURITY"
    ACCOUNT = "ACCOUNT"
    WALLET = "WALLET"
    TRADING = "TRADING"
    PRICE_ALERTS = "PRICE_ALERTS"
    NEWS = "NEWS"


class Channel(StrEnum):
    """How a notification reaches a person."""

    INBOX = "INBOX"
    PUSH = "PUSH"
    EMAIL = "EMAIL"


class Theme(StrEnum):
    """How clients look."""

    SYSTEM = "SYSTEM"
    LIGHT = "LIGHT"
    DARK = "DARK"


class Locale(StrEnum):
    """Languages texts exist in."""

    EN = "EN"
    RU = "RU"


@dataclass(frozen=True, slots=True)
class QuietHours:
    """When nothing but SECURITY may ring; both in the profile's time zone. May span midnight."""

    start: time
    end: time


@dataclass(frozen=True, slots=True)
class Settings:
    """What somebody chose. SECURITY in the INBOX cannot be switched off."""

    user_id: UserId
    notifications: Mapping[Topic, frozenset[Channel]]
    display_currency: str = "USDT"
    locale: Locale = Locale.EN
    theme: Theme = Theme.SYSTEM
    quiet_hours: QuietHours | None = None
    confirm_orders: bool = True


def default_settings(user_id: UserId) -> Settings:
    """What somebody has who never chose: everything in the inbox, SECURITY by mail as well."""
    inbox = frozenset({Channel.INBOX})
    chosen = dict.fromkeys(Topic, inbox)
    chosen[Topic.SECURITY] = inbox | {Channel.EMAIL, Channel.PUSH}
    chosen[Topic.NEWS] = frozenset()
    return Settings(user_id=user_id, notifications=chosen)


class SessionEnd(StrEnum):
    """Why a session is over."""

    SIGNED_OUT = "SIGNED_OUT"
    REVOKED = "REVOKED"
    REVOKED_BY_STAFF = "REVOKED_BY_STAFF"
    ACCOUNT_FROZEN = "ACCOUNT_FROZEN"
    ACCOUNT_ERASED = "ACCOUNT_ERASED"


@dataclass(frozen=True, slots=True)
class Session:
    """One sign-in on one device: (identity, signed_in_at, device_id)."""

    id: SessionId
    user_id: UserId
    signed_in_at: datetime
    device_id: str
    """Empty when the client sends none: then all its sign-ins of one instant are one session."""
    agent: str
    address: str = field(repr=False)
    provider: str
    second_factor: str | None
    created_at: datetime
    last_seen_at: datetime
    """At most a minute old: it is written no more often."""
    ended_at: datetime | None = None
    ended_by: SessionEnd | None = None


@dataclass(frozen=True, slots=True)
class Device:
    """A device as its owner knows it: its newest session speaks for it."""

    id: str
    user_id: UserId
    agent: str
    first_seen_at: datetime
    last_seen_at: datetime
    active_sessions: int


class ActivityResult(StrEnum):
    """How an action ended."""

    SUCCEEDED = "SUCCEEDED"
    DENIED = "DENIED"
    FAILED = "FAILED"


@dataclass(frozen=True, slots=True)
class Activity:
    """One line of the log nobody can change: who did what to whom, from where."""

    id: ActivityId
    actor_id: UserId | None
    """Empty for an operator's command."""
    subject_id: UserId
    action: str
    """``session.revoked``, ``role.granted`` ...: the words of docs/audit.md."""
    result: ActivityResult
    at: datetime
    address: str | None = field(default=None, repr=False)
    agent: str | None = None
    details: Mapping[str, str] = field(default_factory=dict)
    """Ids and words, no personal data."""


@dataclass(frozen=True, slots=True)
class Detail:
    """One word more about a line of the log."""

    name: str
    value: str


@dataclass(frozen=True, slots=True)
class Notification:
    """One message of the inbox. Its text is made from ``code`` and ``values`` when it is read."""

    id: NotificationId
    user_id: UserId
    topic: Topic
    code: str
    values: Mapping[str, str]
    created_at: datetime
    event_id: UUID
    """The event it came of: a second delivery of that event makes no second notification."""
    read_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class StaffNote:
    """What staff wrote about an account, for staff."""

    id: NoteId
    user_id: UserId
    author_id: UserId
    text: str = field(repr=False)
    created_at: datetime


class ProposalState(StrEnum):
    """Where a change that needs a second pair of eyes stands."""

    OPEN = "OPEN"
    APPROVED = "APPROVED"
    REJECTED = "REJECTED"


@dataclass(frozen=True, slots=True)
class RoleProposal:
    """A wish to make somebody an administrator, or to end that: another admin has to agree."""

    id: ProposalId
    user_id: UserId
    role: Role
    grant: bool
    proposed_by: UserId
    created_at: datetime
    state: ProposalState = ProposalState.OPEN
    decided_by: UserId | None = None
    decided_at: datetime | None = None
