"""The caller's own account as clients see it."""

from datetime import datetime

import strawberry

import domain.users
import domain.users.changes
import domain.users.model
import schema.user_words  # noqa: F401  # the enums must be declared before they are shown
from domain.kernel.policy import Audience, FieldPolicy
from domain.kernel.viewer import Role
from resolvers import users
from resolvers import wallets as money
from schema._ids import id_of
from schema._shared import Connection, UserError
from schema._view import resolved_by, view_of
from schema.wallets import FILTERED, Transaction, TransferLimit, Wallet


@view_of(
    domain.users.model.Profile,
    description="How somebody wants to be met. The legal identity belongs to KYC once submitted.",
)
class Profile:
    display_name: str | None = strawberry.field(description="What others see.")
    legal_name: str | None = strawberry.field(description="As in the documents.")
    date_of_birth: str | None = strawberry.field(description="`YYYY-MM-DD`.")
    country: str | None = strawberry.field(description="ISO 3166-1, two letters.")
    phone: str | None = strawberry.field(description="E.164.")
    time_zone: str = strawberry.field(description="IANA name; quiet hours are in it.")
    legal_identity_locked: bool = strawberry.field(
        description="True once KYC has legal name, date of birth and country: they cannot be "
        "edited here."
    )


@view_of(domain.users.changes.ChannelChoice, description="One cell of the matrix of notifications.")
class NotificationChoice:
    topic: domain.users.model.Topic = strawberry.field(description="About what.")
    channel: domain.users.model.Channel = strawberry.field(description="By which way.")
    on: bool = strawberry.field(description="Whether they come.")


@view_of(
    domain.users.model.QuietHours,
    description="When nothing but SECURITY may ring, in the profile's time zone. May span "
    "midnight.",
)
class QuietHours:
    start: str = resolved_by(users.start_of_quiet, description="`HH:MM`.")
    end: str = resolved_by(users.end_of_quiet, description="`HH:MM`.")


@view_of(domain.users.model.Settings, description="What somebody chose.")
class Settings:
    notifications: list[NotificationChoice] = resolved_by(
        users.choices_of_settings, description="Every topic by every channel."
    )
    display_currency: str = strawberry.field(description="What values are shown in.")
    locale: domain.users.model.Locale = strawberry.field(description="Language of texts.")
    theme: domain.users.model.Theme = strawberry.field(description="How clients look.")
    quiet_hours: QuietHours | None = strawberry.field(description="Null when there are none.")
    confirm_orders: bool = strawberry.field(description="Whether clients ask before an order.")


@view_of(domain.users.model.Session, description="One sign-in on one device.")
class Session:
    id: strawberry.ID = id_of("Session")
    current: bool = resolved_by(
        users.is_current, description="Whether this very request belongs to it."
    )
    device_id: str = strawberry.field(
        description="Chosen and kept by the client; empty when it sends none."
    )
    agent: str = strawberry.field(description="What the client says it is.")
    address: str = strawberry.field(description="Network address it began from.")
    provider: str = strawberry.field(description="`password`, `google.com`, `apple.com` ...")
    second_factor: str | None = strawberry.field(description="`totp` or `phone` when one was used.")
    signed_in_at: datetime = strawberry.field(description="When the person proved who they are.")
    created_at: datetime = strawberry.field(description="When we first saw it.")
    last_seen_at: datetime = strawberry.field(description="Exact to a minute.")
    ended_at: datetime | None = strawberry.field(description="Null while it lives.")
    ended_by: domain.users.model.SessionEnd | None = strawberry.field(
        description="Null while it lives."
    )


@view_of(domain.users.model.Device, description="A device that signed in.")
class Device:
    id: str = strawberry.field(description="Chosen by the client; empty when it sends none.")
    agent: str = strawberry.field(description="What its newest session says it is.")
    first_seen_at: datetime = strawberry.field(description="Its first sign-in.")
    last_seen_at: datetime = strawberry.field(description="Exact to a minute.")
    active_sessions: int = strawberry.field(description="How many of its sessions live.")


@view_of(domain.users.model.Detail, description="One word more about a line of a log.")
class Detail:
    name: str = strawberry.field(description="What it says.")
    value: str = strawberry.field(description="An id or a word, no personal data.")


@view_of(domain.users.model.Activity, description="Something that was done on the account.")
class Activity:
    id: strawberry.ID = id_of("Activity")
    action: str = strawberry.field(description="What, such as `session.ended`.")
    result: domain.users.model.ActivityResult = strawberry.field(description="How it ended.")
    at: datetime = strawberry.field(description="When.")
    address: str | None = strawberry.field(description="From which network address.")
    agent: str | None = strawberry.field(description="By which client.")
    details: list[Detail] = resolved_by(users.details_of_activity, description="In order of name.")


@view_of(domain.users.model.Notification, description="One message of the inbox.")
class Notification:
    id: strawberry.ID = id_of("Notification")
    topic: domain.users.model.Topic = strawberry.field(description="What it is about.")
    code: str = strawberry.field(description="What it says, for programs.")
    title: str = resolved_by(
        users.title_of_notification, description="In the language of the settings."
    )
    body: str = resolved_by(
        users.body_of_notification, description="In the language of the settings."
    )
    created_at: datetime = strawberry.field(description="When it came.")
    read_at: datetime | None = strawberry.field(description="Null while unread.")


@view_of(domain.users.Obstacle, description="One reason why not.")
class Obstacle:
    error: UserError = strawberry.field(description="What the real operation would answer.")
    unblocked_by: str | None = strawberry.field(
        description="What helps: an operation such as `Mutation.updateProfile`, or a place such as "
        "`Firebase: verify e-mail`. Null when only waiting or another service does."
    )


@view_of(domain.users.Permission, description="Whether the caller may do something right now.")
class Permission:
    action: domain.users.Action = strawberry.field(description="What was asked about.")
    allowed: bool = strawberry.field(description="True without obstacles.")
    obstacles: list[Obstacle] = strawberry.field(
        description="Everything the real operation would object to."
    )


@view_of(domain.users.Export, description="Everything kept about the caller.")
class DataExport:
    created_at: datetime = strawberry.field(description="When it was gathered.")
    document: str = strawberry.field(description="One JSON document; lists hold 10,000 at most.")


@view_of(domain.users.model.User, description="The caller's own account.")
class Viewer:
    id: strawberry.ID = id_of("User")
    email: str | None = strawberry.field(description="As Firebase knows it.")
    email_verified: bool = strawberry.field(description="Whether it is proven to be theirs.")
    state: domain.users.model.UserState = strawberry.field(description="What the account is.")
    created_at: datetime = strawberry.field(description="Since when it is there.")
    erase_after: datetime | None = strawberry.field(
        description="When it will be erased; null unless `state` is ERASING."
    )
    roles: list[Role] = resolved_by(users.roles_of_user, description="What the caller may be.")
    profile: Profile | None = resolved_by(users.profile, description="How they want to be met.")
    settings: Settings | None = resolved_by(users.settings, description="What they chose.")
    sessions: list[Session] | None = resolved_by(
        users.sessions, description="Living sessions, newest sign-in first."
    )
    devices: list[Device] | None = resolved_by(
        users.devices, description="Devices ever used, last seen first."
    )
    activity: Connection[Activity] | None = resolved_by(
        users.activity, description="What was done on the account, newest first."
    )
    notifications: Connection[Notification] | None = resolved_by(
        users.notifications, description="The inbox, newest first."
    )
    unread_notification_count: int | None = resolved_by(
        users.unread_notifications, description="How many were not read."
    )
    can: Permission | None = resolved_by(
        users.can,
        description="May I, and if not, why? Changes nothing and spends no step-up.",
    )
    wallets: list[Wallet] | None = resolved_by(
        money.wallets, description="Every asset they ever had, in order of code."
    )
    wallet: Wallet | None = resolved_by(
        money.wallet, description="One of them; null when they never had that asset."
    )
    transactions: Connection[Transaction] | None = resolved_by(
        money.transactions,
        shown_as=FILTERED,
        description="What happened in all their wallets, newest first.",
    )
    transfer_limits: list[TransferLimit] | None = resolved_by(
        money.transfer_limits, description="How much of an asset they may send to others."
    )


@strawberry.type
class UserQueries:
    viewer: Viewer | None = resolved_by(
        users.viewer,
        policy=FieldPolicy(Audience.ANYONE),
        description="The caller's own account; null when nobody is signed in.",
    )
