"""Fields about the caller's own account. Whose it is comes from the context, never the parent."""

from collections.abc import Sequence
from typing import Annotated

import strawberry
from strawberry import Parent

from domain.kernel.errors import BadInput, NotFound
from domain.kernel.page import DEFAULT_PAGE_SIZE, Page
from domain.kernel.viewer import Role
from domain.users import Action, Export, Permission
from domain.users.changes import ChannelChoice, ProfileChange, SettingsChange
from domain.users.errors import CannotErase, LegalIdentityLocked
from domain.users.model import (
    Activity,
    Channel,
    Detail,
    Device,
    Notification,
    NotificationId,
    Profile,
    QuietHours,
    Session,
    SessionId,
    Settings,
    Topic,
    User,
)
from domain.users.texts import text_of
from resolvers.context import Info
from resolvers.market import After, First


async def viewer(info: Info) -> User | None:
    if info.context.viewer.user_id is None:
        return None
    return await info.context.users.account.user(info.context.viewer)


async def roles_of_user(user: Parent[User]) -> Sequence[Role]:
    return sorted(user.roles)


async def profile(info: Info) -> Profile:
    return await info.context.users.account.profile(info.context.viewer)


async def settings(info: Info) -> Settings:
    return await info.context.users.account.settings(info.context.viewer)


async def sessions(info: Info) -> Sequence[Session]:
    return await info.context.users.sessions.active(info.context.viewer)


async def devices(info: Info) -> Sequence[Device]:
    return await info.context.users.sessions.devices(info.context.viewer)


async def activity(
    info: Info, first: First = DEFAULT_PAGE_SIZE, after: After = None
) -> Page[Activity] | BadInput:
    return await info.context.users.account.activity(info.context.viewer, first=first, after=after)


async def notifications(
    info: Info,
    first: First = DEFAULT_PAGE_SIZE,
    after: After = None,
    *,
    unread_only: Annotated[
        bool, strawberry.argument(description="Leave out what was read.")
    ] = False,
) -> Page[Notification] | BadInput:
    return await info.context.users.inbox.page(
        info.context.viewer, unread_only=unread_only, first=first, after=after
    )


async def unread_notifications(info: Info) -> int:
    return await info.context.users.inbox.unread(info.context.viewer)


async def can(
    info: Info, action: Annotated[Action, strawberry.argument(description="What.")]
) -> Permission:
    return await info.context.users.permissions.check(info.context.viewer, action)


async def is_current(session: Parent[Session], info: Info) -> bool:
    signed_in = info.context.viewer.signed_in
    return signed_in is not None and signed_in.session_id == session.id


async def details_of_activity(line: Parent[Activity]) -> Sequence[Detail]:
    return [Detail(name, value) for name, value in sorted(line.details.items())]


async def choices_of_settings(settings: Parent[Settings]) -> Sequence[ChannelChoice]:
    chosen = settings.notifications
    return [ChannelChoice(t, c, c in chosen.get(t, ())) for t in Topic for c in Channel]


async def start_of_quiet(quiet: Parent[QuietHours]) -> str:
    return quiet.start.strftime("%H:%M")


async def end_of_quiet(quiet: Parent[QuietHours]) -> str:
    return quiet.end.strftime("%H:%M")


async def title_of_notification(notification: Parent[Notification], info: Info) -> str:
    settings = await info.context.loaders.settings.load(notification.user_id)
    return text_of(notification, settings.locale).title


async def body_of_notification(notification: Parent[Notification], info: Info) -> str:
    settings = await info.context.loaders.settings.load(notification.user_id)
    return text_of(notification, settings.locale).body


async def update_profile(
    info: Info, command: ProfileChange
) -> Profile | LegalIdentityLocked | BadInput:
    return await info.context.users.account.update_profile(info.context.viewer, command)


async def update_settings(info: Info, command: SettingsChange) -> Settings | BadInput:
    return await info.context.users.account.update_settings(info.context.viewer, command)


async def end_session(info: Info) -> Sequence[Session]:
    return await info.context.users.sessions.end_current(info.context.viewer)


async def revoke_session(info: Info, command: SessionId) -> Session | NotFound:
    return await info.context.users.sessions.revoke(info.context.viewer, command)


async def revoke_other_sessions(info: Info) -> Sequence[Session]:
    return await info.context.users.sessions.revoke_others(info.context.viewer)


async def freeze_my_account(info: Info) -> User:
    return await info.context.users.account.freeze(info.context.viewer)


async def export_my_data(info: Info) -> Export:
    return await info.context.users.export.of_caller(info.context.viewer)


async def erase_my_account(info: Info) -> User | CannotErase:
    return await info.context.users.account.request_erasure(info.context.viewer)


async def withdraw_erasure(info: Info) -> User:
    return await info.context.users.account.withdraw_erasure(info.context.viewer)


async def mark_notifications_read(info: Info, command: list[NotificationId]) -> int | BadInput:
    return await info.context.users.inbox.mark_read(info.context.viewer, command)


async def mark_all_notifications_read(info: Info) -> int:
    return await info.context.users.inbox.mark_all_read(info.context.viewer)
