"""What the users domain needs of the world.

Writing is one ``Work`` per command: rows, activity and events of a command are committed together
or not at all. Lock order: user row -> its sessions -> event streams by name (taken last).
"""

from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from domain.kernel.events import EventAppender
from domain.kernel.ids import UserId
from domain.kernel.policy import Rate
from domain.kernel.viewer import Role
from domain.users.errors import TokenExpired, TokenInvalid
from domain.users.model import (
    Activity,
    ActivityResult,
    Client,
    Device,
    Identity,
    Notification,
    NotificationId,
    Profile,
    ProposalId,
    RoleProposal,
    Session,
    SessionEnd,
    SessionId,
    Settings,
    SignIn,
    StaffNote,
    User,
)


@dataclass(frozen=True, slots=True)
class Known:
    """A user and the session of one sign-in, as one look at the database finds them."""

    user: User
    session: Session | None


class Users(Protocol):
    """Accounts, within one unit of work."""

    async def found_or_made(self, sign_in: SignIn, *, now: datetime) -> tuple[User, bool]:
        """The user of an identity, made on first sight; whether it was made just now.

        Safe under a burst: one row per (project, tenant, uid), never matched by e-mail.
        """
        ...

    async def locked(self, user_id: UserId) -> User | None:
        """The user with its row locked until the commit."""
        ...

    async def save(self, user: User) -> None: ...

    async def profile(self, user_id: UserId) -> Profile: ...

    async def save_profile(self, profile: Profile) -> None: ...

    async def settings(self, user_id: UserId) -> Settings: ...

    async def save_settings(self, settings: Settings) -> None: ...

    async def shred(self, user_id: UserId) -> None:
        """Destroy the user's data key: what it encrypts is gone, in backups too."""
        ...


class Sessions(Protocol):
    """Sign-ins, within one unit of work."""

    async def found_or_made(
        self, user: User, sign_in: SignIn, client: Client, *, now: datetime
    ) -> tuple[Session, bool]:
        """The session of (user, sign-in time, device), made on first sight; whether it was."""
        ...

    async def of_sign_in(
        self, user_id: UserId, signed_in_at: datetime, client: Client
    ) -> Session | None:
        """The session of (user, sign-in time, device), ended or not."""
        ...

    async def of_user(self, user_id: UserId, *, active_only: bool) -> Sequence[Session]:
        """Newest sign-in first."""
        ...

    async def end(
        self, user_id: UserId, sessions: Sequence[SessionId], by: SessionEnd, *, now: datetime
    ) -> Sequence[SessionId]:
        """End those of the user that still live; returns which did."""
        ...

    async def device_is_new(self, user_id: UserId, client: Client) -> bool:
        """Whether the user never had a session on it; without a name, told by its agent."""
        ...

    async def was_ended(self, user_id: UserId, signed_in_at: datetime) -> bool:
        """Whether a session of this very sign-in was ended, on whatever device it said it was."""
        ...

    async def count(self, user_id: UserId, signed_in_at: datetime) -> int:
        """How many sessions this very sign-in has, ended or not."""
        ...


class ActivityLog(Protocol):
    """The log that is only ever appended to: the runtime role cannot do otherwise."""

    async def denied_since(
        self, subject_id: UserId, action: str, since: datetime, *, field: str | None = None
    ) -> bool:
        """Whether it holds a DENIED line of that kind (and field), not older than ``since``."""
        ...

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
    ) -> None: ...


class Inbox(Protocol):
    """Notifications, within one unit of work."""

    async def add(self, notification: Notification) -> bool:
        """False when the event made its notification before."""
        ...

    async def mark_read(
        self, user_id: UserId, ids: Sequence[NotificationId] | None, *, now: datetime
    ) -> int:
        """Mark these, or all, of the user's own; returns how many were unread."""
        ...


class Desk(Protocol):
    """Staff's side, within one unit of work."""

    async def add_note(self, note: StaffNote) -> None: ...

    async def grant(self, user_id: UserId, role: Role, *, by: UserId | None) -> bool: ...

    async def withdraw(self, user_id: UserId, role: Role) -> bool: ...

    async def holders(self, role: Role) -> int:
        """How many with a usable account have a role; the answer holds until the commit."""
        ...

    async def propose(self, proposal: RoleProposal) -> bool:
        """False while another proposal about the same user and role is open."""
        ...

    async def proposal_locked(self, proposal_id: ProposalId) -> RoleProposal | None: ...

    async def decide(self, proposal: RoleProposal) -> None: ...


class Work(Protocol):
    """One transaction. Leaving the block commits; an exception rolls everything back."""

    @property
    def users(self) -> Users: ...
    @property
    def sessions(self) -> Sessions: ...
    @property
    def activity(self) -> ActivityLog: ...
    @property
    def inbox(self) -> Inbox: ...
    @property
    def desk(self) -> Desk: ...
    @property
    def events(self) -> EventAppender: ...


class Works(Protocol):
    """Begins transactions. Raises Unavailable, TimedOut, Conflict."""

    def begin(self) -> AbstractAsyncContextManager[Work]: ...


class Accounts(Protocol):
    """Reading, each call a short session of its own. Raises Unavailable, TimedOut."""

    async def known(self, sign_in: SignIn, device_id: str) -> Known | None:
        """User and session of a sign-in in one round trip; None before the first sight."""
        ...

    async def touch(self, session: SessionId, *, now: datetime) -> None:
        """Write ``last_seen_at``, unless it is younger than a minute."""
        ...

    async def user(self, user_id: UserId) -> User | None: ...

    async def users(self, user_ids: Sequence[UserId]) -> Mapping[UserId, User]: ...

    async def profiles(self, user_ids: Sequence[UserId]) -> Mapping[UserId, Profile]: ...

    async def settings(self, user_id: UserId) -> Settings: ...

    async def sessions(
        self, user_id: UserId, *, active_only: bool, first: int
    ) -> Sequence[Session]:
        """At most ``first``, newest sign-in first."""
        ...

    async def session(self, user_id: UserId, session_id: SessionId) -> Session | None:
        """One of the user's, living or not."""
        ...

    async def living(self, sessions: Sequence[SessionId]) -> frozenset[SessionId]:
        """Those of them that have not ended."""
        ...

    async def devices(self, user_id: UserId, *, first: int) -> Sequence[Device]:
        """At most ``first``, last seen first."""
        ...

    async def activity(
        self, query: "ActivityQuery", *, first: int, before: tuple[datetime, str] | None
    ) -> Sequence[Activity]:
        """Newest first, at most ``first``, older than the keyset position."""
        ...

    async def notifications(
        self,
        user_id: UserId,
        *,
        unread_only: bool,
        first: int,
        before: tuple[datetime, str] | None,
    ) -> Sequence[Notification]: ...

    async def notification(
        self, user_id: UserId, notification_id: NotificationId
    ) -> Notification | None:
        """One of the user's."""
        ...

    async def unread(self, user_id: UserId) -> int: ...

    async def find(self, query: "UserQuery", *, first: int, after: str | None) -> Sequence[User]:
        """By id, Firebase uid or whole e-mail (blind index); with neither, by age."""
        ...

    async def due_for_erasure(
        self, *, now: datetime, first: int, after: UserId | None = None
    ) -> Sequence[UserId]:
        """Accounts whose grace is over, by id, from the one after ``after`` on."""
        ...

    async def notes(self, user_id: UserId) -> Sequence[StaffNote]: ...

    async def open_proposals(self) -> Sequence[RoleProposal]: ...


@dataclass(frozen=True, slots=True)
class ActivityQuery:
    """Which lines of the log; every given field narrows."""

    subject_id: UserId | None = None
    actor_id: UserId | None = None
    action: str | None = None
    result: ActivityResult | None = None
    since: datetime | None = None
    until: datetime | None = None
    without: frozenset[str] = frozenset()
    """Actions that are left out."""


@dataclass(frozen=True, slots=True)
class UserQuery:
    """Which accounts staff looks for."""

    user_id: UserId | None = None
    uid: str | None = None
    email: str | None = None
    role: Role | None = None


@dataclass(frozen=True, slots=True)
class FirebaseAccount:
    """What Firebase itself says of an account right now."""

    disabled: bool
    valid_since: datetime
    """Tokens issued before, or in the same second, are revoked."""
    second_factors: Mapping[str, datetime]
    """``totp`` | ``phone`` to when it was enrolled."""


class TokenVerifier(Protocol):
    """Reads ID tokens. Raises Unavailable: an outage is never "signed out"."""

    async def verify(self, token: str) -> SignIn | TokenExpired | TokenInvalid: ...


class IdentityProvider(Protocol):
    """Firebase's administration. Raises Unavailable, TimedOut, Rejected."""

    async def account(self, identity: Identity) -> FirebaseAccount | None: ...

    async def revoke_tokens(self, identity: Identity) -> None:
        """No refresh token issued until now works any more."""
        ...

    async def disable(self, identity: Identity, *, disabled: bool) -> None: ...

    async def delete(self, identity: Identity) -> None: ...


class AccessSignals(Protocol):
    """Tells all processes at once whose access ended or changed. The database is the truth."""

    async def ended(self, user_id: UserId, sessions: Sequence[SessionId] | None) -> None:
        """These sessions, or with None all of the user's. Never raises: sockets look again."""
        ...

    async def changed(self, user_id: UserId) -> None:
        """Their roles are others now. Never raises, for the same reason."""
        ...


class ErasureHolds(Protocol):
    """Why an account may not be erased; answered by wallets, trading and KYC."""

    async def reasons(self, user_id: UserId) -> Sequence[str]: ...


class LegalIdentities(Protocol):
    """Whether KYC holds the legal identity; answered by KYC."""

    async def locked(self, user_id: UserId) -> bool: ...


class Allowances(Protocol):
    """Counts what people do. Raises Unavailable, TimedOut."""

    async def take(self, user_id: UserId, rate: Rate) -> float:
        """Count one; or, counting nothing, how many seconds are left until there is one."""
        ...


class StepUpGrants(Protocol):
    """Single-use permissions for one operation. Raises Unavailable, TimedOut: then nothing may."""

    async def spend(self, user_id: UserId, signed_in_at: datetime, operation: str) -> bool:
        """False when this sign-in was spent on this very operation (with its input) before.

        By the person and not by the session: clients choose their device's name, and with each
        name the same sign-in is another session.
        """
        ...


__all__ = [
    "AccessSignals",
    "Accounts",
    "ActivityLog",
    "ActivityQuery",
    "Allowances",
    "Desk",
    "ErasureHolds",
    "FirebaseAccount",
    "IdentityProvider",
    "Inbox",
    "Known",
    "LegalIdentities",
    "Sessions",
    "StepUpGrants",
    "TokenVerifier",
    "UserQuery",
    "Users",
    "Work",
    "Works",
]
