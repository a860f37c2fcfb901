"""The caller's notifications, and the consumer of events that makes them."""

from collections.abc import Sequence

from domain.kernel.clock import Clock
from domain.kernel.cursor import CursorSigner
from domain.kernel.errors import BadInput
from domain.kernel.events import Event
from domain.kernel.ids import new_uuid7
from domain.kernel.page import MAX_PAGE_SIZE, Page, page_size
from domain.kernel.viewer import Viewer
from domain.users.caller import owner_of
from domain.users.events import notification_added, user_of_stream
from domain.users.model import Channel, Notification, NotificationId, Topic
from domain.users.pages import page_of, position_of
from domain.users.ports import Accounts, Works

_LIST = "notifications"

# Which events are told to the person, about what, and under which code. What is not here is not.
TOLD = {
    "session.created": (Topic.SECURITY, "NEW_DEVICE"),
    "session.ended": (Topic.SECURITY, "SESSION_ENDED"),
    "user.frozen": (Topic.SECURITY, "ACCOUNT_FROZEN"),
    "user.unfrozen": (Topic.SECURITY, "ACCOUNT_UNFROZEN"),
    "user.erasure_requested": (Topic.ACCOUNT, "ERASURE_REQUESTED"),
    "user.erasure_withdrawn": (Topic.ACCOUNT, "ERASURE_WITHDRAWN"),
    "user.roles_changed": (Topic.SECURITY, "ROLES_CHANGED"),
    "wallet.deposited": (Topic.WALLET, "MONEY_DEPOSITED"),
    "wallet.transfer_received": (Topic.WALLET, "MONEY_RECEIVED"),
    "wallet.frozen": (Topic.SECURITY, "WALLET_FROZEN"),
    "wallet.unfrozen": (Topic.SECURITY, "WALLET_UNFROZEN"),
}


class MyInbox:
    """Reading the inbox, and having read it."""

    def __init__(
        self, *, works: Works, accounts: Accounts, cursors: CursorSigner, clock: Clock
    ) -> None:
        self._works = works
        self._accounts = accounts
        self._cursors = cursors
        self._clock = clock

    async def page(
        self, viewer: Viewer, *, unread_only: bool, first: int, after: str | None
    ) -> Page[Notification] | BadInput:
        """Newest first."""
        size = page_size(first)
        if isinstance(size, BadInput):
            return size
        position = position_of(self._cursors, _LIST, after)
        if isinstance(position, BadInput):
            return position
        found = await self._accounts.notifications(
            owner_of(viewer), unread_only=unread_only, first=size + 1, before=position
        )
        return page_of(
            self._cursors, _LIST, found, size, lambda n: (n.created_at, n.id), after=after
        )

    async def one(self, viewer: Viewer, notification_id: NotificationId) -> Notification | None:
        """One of the caller's own; nothing for a stranger's."""
        return await self._accounts.notification(owner_of(viewer), notification_id)

    async def unread(self, viewer: Viewer) -> int:
        return await self._accounts.unread(owner_of(viewer))

    async def mark_read(self, viewer: Viewer, ids: Sequence[NotificationId]) -> int | BadInput:
        """At most 100 at once; foreign and unknown ids change nothing. Returns the unread left."""
        if len(ids) > MAX_PAGE_SIZE:
            return BadInput("ids", f"mark at most {MAX_PAGE_SIZE} at once.")
        return await self._mark(viewer, ids)

    async def mark_all_read(self, viewer: Viewer) -> int:
        """Returns the unread left: those that came meanwhile."""
        return await self._mark(viewer, None)

    async def _mark(self, viewer: Viewer, ids: Sequence[NotificationId] | None) -> int:
        user_id = owner_of(viewer)
        async with self._works.begin() as work:
            await work.inbox.mark_read(user_id, ids, now=self._clock.now())
        return await self._accounts.unread(user_id)


class InboxConsumer:
    """Makes notifications of events, one of each, for those who want them in the inbox."""

    name = "inbox"

    def __init__(self, works: Works) -> None:
        self._works = works

    async def consume(self, events: Sequence[Event]) -> None:
        """Raises Unavailable, TimedOut, Conflict; the same events again change nothing."""
        told = [event for event in events if is_told(event)]
        if not told:
            return
        async with self._works.begin() as work:
            for event in told:
                user_id = user_of_stream(event.stream)
                if user_id is None:
                    continue
                topic, code = TOLD[event.type]
                settings = await work.users.settings(user_id)
                always = topic is Topic.SECURITY
                if not always and Channel.INBOX not in settings.notifications.get(topic, ()):
                    continue
                notification = Notification(
                    id=NotificationId(new_uuid7()),
                    user_id=user_id,
                    topic=topic,
                    code=code,
                    values={n: _written(v) for n, v in event.body.items() if v is not None},
                    created_at=event.recorded_at,
                    event_id=event.id,
                )
                if await work.inbox.add(notification):
                    work.events.append(notification_added(user_id, notification.id))


def _written(value: object) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)


def is_told(event: Event) -> bool:
    """Whether an event is news to the person: a sign-in on a known device is not."""
    if event.type == "session.created":
        return event.body.get("newDevice") is True
    if event.type == "session.ended":
        # Leaving is no news; that the account was frozen or erased is told once, not by session.
        return event.body.get("by") in ("REVOKED", "REVOKED_BY_STAFF")
    return event.type in TOLD
