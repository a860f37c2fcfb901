"""What people do to their own account. What asks for a step-up, and why: docs/authorization.md."""

from typing import Annotated

import strawberry

import domain.users
import domain.users.model
from domain.kernel.policy import Audience, FieldPolicy, Rate
from domain.users import STEP_UP, Action
from resolvers import users
from schema._view import resolved_by, success_of, whole
from schema.user_errors import (
    BadInput,
    CannotErase,
    LegalIdentityLocked,
    NotFound,
    RateLimited,
    StepUpRefusal,
    Unauthenticated,
)
from schema.user_inputs import (
    MarkNotificationsReadInput,
    RevokeSessionInput,
    UpdateProfileInput,
    UpdateSettingsInput,
)
from schema.users import DataExport, Profile, Session, Settings, Viewer

# People change little of their account and read a lot of what it tells them.
_CHANGES, _READING = Rate("account", per_minute=30), Rate("inbox", per_minute=120)
# What takes access away is never "too often": whoever was robbed of a phone has to be quick.
_LEAVING = FieldPolicy(Audience.SIGNED_IN, cost=10)
_OWN = FieldPolicy(Audience.SIGNED_IN, cost=10, rate=_CHANGES)
_INBOX = FieldPolicy(Audience.SIGNED_IN, cost=10, rate=_READING)


def _proven(action: Action) -> FieldPolicy:
    return FieldPolicy(Audience.SIGNED_IN, cost=10, step_up=STEP_UP[action], rate=_CHANGES)


@success_of(domain.users.model.Profile, description="The profile was changed.")
class UpdateProfileSuccess:
    profile: Profile = whole(description="As it is now.")


@success_of(domain.users.model.Settings, description="The settings were changed.")
class UpdateSettingsSuccess:
    settings: Settings = whole(description="As they are now.")


@success_of(domain.users.model.Session, many=True, description="The caller is signed out.")
class EndSessionSuccess:
    sessions: list[Session] = whole(description="The one that ended; none when it had before.")


@success_of(domain.users.model.Session, description="The session has ended, everywhere at once.")
class RevokeSessionSuccess:
    session: Session = whole(description="As it is now.")


@success_of(domain.users.model.Session, many=True, description="Only the caller's own lives.")
class RevokeOtherSessionsSuccess:
    sessions: list[Session] = whole(description="Those that were alive.")


@success_of(
    domain.users.model.User,
    description="The account is frozen and every session has ended, this one too.",
)
class FreezeMyAccountSuccess:
    viewer: Viewer = whole(description="As it is now. It is the last that can be read.")


@success_of(domain.users.Export, description="The data was gathered.")
class ExportMyDataSuccess:
    export: DataExport = whole(description="All of it.")


@success_of(
    domain.users.model.User,
    description="The account will be erased in 14 days; `withdrawErasure` takes it back.",
)
class EraseMyAccountSuccess:
    viewer: Viewer = whole(description="As it is now.")


@success_of(domain.users.model.User, description="The account stays.")
class WithdrawErasureSuccess:
    viewer: Viewer = whole(description="As it is now.")


@success_of(int, description="They are read.")
class MarkNotificationsReadSuccess:
    unread_notification_count: int = whole(description="How many are left.")


@success_of(int, description="All are read.")
class MarkAllNotificationsReadSuccess:
    unread_notification_count: int = whole(description="Those that came meanwhile.")


UpdateProfilePayload = Annotated[
    UpdateProfileSuccess | LegalIdentityLocked | BadInput | RateLimited | Unauthenticated,
    strawberry.union("UpdateProfilePayload", description="What became of it."),
]
UpdateSettingsPayload = Annotated[
    UpdateSettingsSuccess | BadInput | RateLimited | Unauthenticated,
    strawberry.union("UpdateSettingsPayload", description="What became of it."),
]
EndSessionPayload = Annotated[
    EndSessionSuccess | Unauthenticated,
    strawberry.union("EndSessionPayload", description="What became of it."),
]
RevokeSessionPayload = Annotated[
    RevokeSessionSuccess | NotFound | BadInput | Unauthenticated,
    strawberry.union("RevokeSessionPayload", description="What became of it."),
]
RevokeOtherSessionsPayload = Annotated[
    RevokeOtherSessionsSuccess | Unauthenticated,
    strawberry.union("RevokeOtherSessionsPayload", description="What became of it."),
]
FreezeMyAccountPayload = Annotated[
    FreezeMyAccountSuccess | Unauthenticated,
    strawberry.union("FreezeMyAccountPayload", description="What became of it."),
]
ExportMyDataPayload = Annotated[
    ExportMyDataSuccess | StepUpRefusal | RateLimited | Unauthenticated,
    strawberry.union("ExportMyDataPayload", description="What became of it."),
]
EraseMyAccountPayload = Annotated[
    EraseMyAccountSuccess | CannotErase | StepUpRefusal | RateLimited | Unauthenticated,
    strawberry.union("EraseMyAccountPayload", description="What became of it."),
]
WithdrawErasurePayload = Annotated[
    WithdrawErasureSuccess | RateLimited | Unauthenticated,
    strawberry.union("WithdrawErasurePayload", description="What became of it."),
]
MarkNotificationsReadPayload = Annotated[
    MarkNotificationsReadSuccess | BadInput | RateLimited | Unauthenticated,
    strawberry.union("MarkNotificationsReadPayload", description="What became of it."),
]
MarkAllNotificationsReadPayload = Annotated[
    MarkAllNotificationsReadSuccess | RateLimited | Unauthenticated,
    strawberry.union("MarkAllNotificationsReadPayload", description="What became of it."),
]


@strawberry.type
class UserMutations:
    update_profile: UpdateProfilePayload = resolved_by(
        users.update_profile,
        takes=UpdateProfileInput,
        payload=True,
        policy=_OWN,
        description="Change the profile. The legal identity cannot be once KYC has it.",
    )
    update_settings: UpdateSettingsPayload = resolved_by(
        users.update_settings,
        takes=UpdateSettingsInput,
        payload=True,
        policy=_OWN,
        description="Change settings.",
    )
    end_session: EndSessionPayload = resolved_by(
        users.end_session,
        payload=True,
        policy=_LEAVING,
        description="Sign out: this session ends on HTTP and sockets at once.",
    )
    revoke_session: RevokeSessionPayload = resolved_by(
        users.revoke_session,
        takes=RevokeSessionInput,
        payload=True,
        policy=_LEAVING,
        description="End one session, even while its tokens live and refresh.",
    )
    revoke_other_sessions: RevokeOtherSessionsPayload = resolved_by(
        users.revoke_other_sessions,
        payload=True,
        policy=_LEAVING,
        description="End all sessions but this one.",
    )
    freeze_my_account: FreezeMyAccountPayload = resolved_by(
        users.freeze_my_account,
        payload=True,
        policy=_LEAVING,
        description="Freeze the account at once: every session ends. Only support unfreezes it.",
    )
    export_my_data: ExportMyDataPayload = resolved_by(
        users.export_my_data,
        payload=True,
        policy=_proven(Action.EXPORT_DATA),
        description="Gather everything kept about the caller. Needs a step-up.",
    )
    erase_my_account: EraseMyAccountPayload = resolved_by(
        users.erase_my_account,
        payload=True,
        policy=_proven(Action.ERASE_ACCOUNT),
        description="Erase the account after 14 days, unless withdrawn. Needs a step-up.",
    )
    withdraw_erasure: WithdrawErasurePayload = resolved_by(
        users.withdraw_erasure,
        payload=True,
        policy=_OWN,
        description="Take the wish to be erased back.",
    )
    mark_notifications_read: MarkNotificationsReadPayload = resolved_by(
        users.mark_notifications_read,
        takes=MarkNotificationsReadInput,
        payload=True,
        policy=_INBOX,
        description="Mark these notifications read.",
    )
    mark_all_notifications_read: MarkAllNotificationsReadPayload = resolved_by(
        users.mark_all_notifications_read,
        payload=True,
        policy=_INBOX,
        description="Mark the whole inbox read.",
    )
