"""Subscriptions to what happens on the caller's own account."""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from datetime import datetime
from typing import Annotated, cast
from uuid import UUID

import strawberry
from strawberry import Parent

from domain.events import ResyncRequired
from domain.kernel.errors import BadInput
from domain.kernel.events import Event, event_cursor, stream_of_user
from domain.kernel.ids import UserId
from domain.kernel.viewer import Role
from domain.users.model import (
    FrozenBy,
    Notification,
    NotificationId,
    Session,
    SessionEnd,
    SessionId,
)
from resolvers.context import Info

Following = AsyncGenerator[Event, None] | BadInput | ResyncRequired


async def account_events(
    info: Info,
    after: Annotated[
        str | None,
        strawberry.argument(description="An event's `cursor`; from now on when left out."),
    ] = None,
) -> AsyncGenerator[Event, None] | BadInput | ResyncRequired:
    return await _followed(info, after)


async def notification_added(
    info: Info,
) -> AsyncGenerator[Notification, None] | BadInput | ResyncRequired:
    events = await _followed(info, None)
    return _notifications(info, events) if isinstance(events, AsyncGenerator) else events


async def session_revoked(
    info: Info,
) -> AsyncGenerator[Session, None] | BadInput | ResyncRequired:
    events = await _followed(info, None)
    return _revoked_sessions(info, events) if isinstance(events, AsyncGenerator) else events


async def cursor_of_event(event: Parent[Event]) -> str:
    return event_cursor(event.stream, event.sequence)


async def session_of_event(event: Parent[Event], info: Info) -> Session | None:
    return await _session(info, event)


async def is_new_device(event: Parent[Event]) -> bool:
    return event.body.get("newDevice") is True


async def why_session_ended(event: Parent[Event]) -> SessionEnd:
    return SessionEnd(str(event.body["by"]))


async def who_froze(event: Parent[Event]) -> FrozenBy:
    return FrozenBy(str(event.body["by"]))


async def when_erased(event: Parent[Event]) -> datetime:
    return datetime.fromisoformat(str(event.body["eraseAfter"]))


async def roles_of_event(event: Parent[Event]) -> list[Role]:
    return [Role(name) for name in cast("list[str]", event.body["roles"])]


async def notification_of_event(event: Parent[Event], info: Info) -> Notification | None:
    return await _notification(info, event)


async def _followed(info: Info, after: str | None) -> Following:
    # The policy lets in only who signed in.
    stream = stream_of_user(cast("UserId", info.context.viewer.user_id))
    return await info.context.users.events.follow(stream, after=after)


async def _notifications(
    info: Info, events: AsyncGenerator[Event, None]
) -> AsyncGenerator[Notification, None]:
    async with aclosing(events):
        async for event in events:
            if event.type == "notification.added":
                found = await _notification(info, event)
                if found is not None:
                    yield found


async def _revoked_sessions(
    info: Info, events: AsyncGenerator[Event, None]
) -> AsyncGenerator[Session, None]:
    async with aclosing(events):
        async for event in events:
            if event.type == "session.ended" and event.body["by"] != SessionEnd.SIGNED_OUT:
                found = await _session(info, event)
                if found is not None:
                    yield found


async def _session(info: Info, event: Event) -> Session | None:
    session_id = SessionId(UUID(str(event.body["sessionId"])))
    return await info.context.users.sessions.one(info.context.viewer, session_id)


async def _notification(info: Info, event: Event) -> Notification | None:
    notification_id = NotificationId(UUID(str(event.body["notificationId"])))
    return await info.context.users.inbox.one(info.context.viewer, notification_id)
