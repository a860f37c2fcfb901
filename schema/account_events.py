"""What happens on the caller's account, as it is told: one type for each kind of event."""

from collections.abc import Callable
from datetime import datetime

import strawberry

import domain.kernel.events
import domain.users.model
import schema.user_words  # noqa: F401  # the enums must be declared before they are shown
from domain.kernel.policy import Audience, Delivery, FieldPolicy
from domain.kernel.viewer import Role
from resolvers import account_events as events
from resolvers import statements, users
from schema._ids import id_of
from schema._view import Stream, T, resolved_by, streamed_by, view_of
from schema.statements import Statement
from schema.users import Notification, Profile, Session, Settings

Event = domain.kernel.events.Event


@strawberry.interface(
    description="Something that happened on the caller's account. New kinds appear as new types; "
    "a kind this schema does not know is an OtherEvent."
)
class AccountEvent:
    id: strawberry.ID = id_of("Event")
    cursor: str = resolved_by(
        events.cursor_of_event, description="Pass it as `after` to go on behind this one."
    )
    type: str = strawberry.field(description="Its kind, for programs: `session.ended`.")
    recorded_at: datetime = strawberry.field(description="When it was committed.")


_KNOWN: set[str] = set()


def event_of(kind: str, description: str) -> Callable[[T], T]:
    """Declare the type of one kind of event; root.py hands all of them to the schema."""
    _KNOWN.add(kind)
    return view_of(Event, description=description, when=lambda event: event.type == kind)


@event_of("user.created", "The account was made, at the first sign-in.")
class AccountCreatedEvent(AccountEvent):
    pass


@event_of("session.created", "Somebody signed in.")
class SessionCreatedEvent(AccountEvent):
    session: Session | None = resolved_by(events.session_of_event, description="As it is now.")
    new_device: bool = resolved_by(
        events.is_new_device, description="Whether the account never saw the device."
    )


@event_of("session.ended", "A session is over.")
class SessionEndedEvent(AccountEvent):
    session: Session | None = resolved_by(events.session_of_event, description="As it is now.")
    ended_by: domain.users.model.SessionEnd = resolved_by(
        events.why_session_ended, description="Why."
    )


@event_of("profile.updated", "The profile was changed.")
class ProfileUpdatedEvent(AccountEvent):
    profile: Profile | None = resolved_by(users.profile, description="As it is now.")


@event_of("settings.updated", "The settings were changed.")
class SettingsUpdatedEvent(AccountEvent):
    settings: Settings | None = resolved_by(users.settings, description="As they are now.")


@event_of("user.frozen", "The account was frozen.")
class AccountFrozenEvent(AccountEvent):
    frozen_by: domain.users.model.FrozenBy = resolved_by(events.who_froze, description="By whom.")


@event_of("user.unfrozen", "The account works again.")
class AccountUnfrozenEvent(AccountEvent):
    pass


@event_of("user.erasure_requested", "The account will be erased.")
class ErasureRequestedEvent(AccountEvent):
    erase_after: datetime = resolved_by(events.when_erased, description="When.")


@event_of("user.erasure_withdrawn", "The account stays.")
class ErasureWithdrawnEvent(AccountEvent):
    pass


@event_of("user.erased", "The account is gone; the last event of all.")
class AccountErasedEvent(AccountEvent):
    pass


@event_of("user.roles_changed", "The caller may other things than before.")
class RolesChangedEvent(AccountEvent):
    roles: list[Role] = resolved_by(events.roles_of_event, description="All of them.")


@event_of("notification.added", "A message came to the inbox.")
class NotificationAddedEvent(AccountEvent):
    notification: Notification | None = resolved_by(
        events.notification_of_event, description="As it is now."
    )


@event_of("statement.progressed", "A statement is being built, and has come so far.")
class StatementProgressedEvent(AccountEvent):
    statement: Statement | None = resolved_by(
        statements.statement_of_event, description="As it is now."
    )


@event_of("statement.ready", "A statement can be downloaded.")
class StatementReadyEvent(AccountEvent):
    statement: Statement | None = resolved_by(
        statements.statement_of_event, description="As it is now."
    )


@event_of("statement.failed", "A statement could not be built.")
class StatementFailedEvent(AccountEvent):
    statement: Statement | None = resolved_by(
        statements.statement_of_event, description="As it is now."
    )


@view_of(
    Event,
    description="An event of a kind this schema does not know yet.",
    when=lambda event: event.type not in _KNOWN,
)
class OtherEvent(AccountEvent):
    pass


ACCOUNT_EVENTS = (
    AccountCreatedEvent,
    SessionCreatedEvent,
    SessionEndedEvent,
    ProfileUpdatedEvent,
    SettingsUpdatedEvent,
    AccountFrozenEvent,
    AccountUnfrozenEvent,
    ErasureRequestedEvent,
    ErasureWithdrawnEvent,
    AccountErasedEvent,
    RolesChangedEvent,
    NotificationAddedEvent,
    StatementProgressedEvent,
    StatementReadyEvent,
    StatementFailedEvent,
    OtherEvent,
)
_OWN = FieldPolicy(Audience.SIGNED_IN, cost=10, delivery=Delivery.LOSSLESS)


@strawberry.type
class AccountSubscriptions:
    account_events: Stream[AccountEvent] = streamed_by(
        events.account_events,
        policy=_OWN,
        description="Everything that happened after `after`, in order and without a gap, then "
        "everything new. Without `after` from now on. RESYNC_REQUIRED when the cursor is older "
        "than the 30 days that are kept.",
    )
    notification_added: Stream[Notification] = streamed_by(
        events.notification_added,
        policy=_OWN,
        description="Every new message of the inbox, from now on.",
    )
    session_revoked: Stream[Session] = streamed_by(
        events.session_revoked,
        policy=_OWN,
        description="Every session that is ended other than by signing out, from now on.",
    )
