"""What is told of accounts, type by type: the catalogue of this domain's events.

Every event goes to ``user:<id>`` of the account it is about. Bodies hold ids and words only.
"""

from uuid import UUID

from domain.kernel.events import NewEvent, StreamName, stream_of_user
from domain.kernel.ids import UserId
from domain.users.model import NotificationId, SessionEnd, SessionId


def user_created(user_id: UserId) -> NewEvent:
    return _event(user_id, "user.created", {})


def session_created(user_id: UserId, session_id: SessionId, *, new_device: bool) -> NewEvent:
    return _event(
        user_id, "session.created", {"sessionId": str(session_id), "newDevice": new_device}
    )


def session_ended(user_id: UserId, session_id: SessionId, by: SessionEnd) -> NewEvent:
    return _event(user_id, "session.ended", {"sessionId": str(session_id), "by": by.value})


def profile_updated(user_id: UserId) -> NewEvent:
    return _event(user_id, "profile.updated", {})


def settings_updated(user_id: UserId) -> NewEvent:
    return _event(user_id, "settings.updated", {})


def account_frozen(user_id: UserId, by: str) -> NewEvent:
    return _event(user_id, "user.frozen", {"by": by})


def account_unfrozen(user_id: UserId) -> NewEvent:
    return _event(user_id, "user.unfrozen", {})


def erasure_requested(user_id: UserId, erase_after: str) -> NewEvent:
    return _event(user_id, "user.erasure_requested", {"eraseAfter": erase_after})


def erasure_withdrawn(user_id: UserId) -> NewEvent:
    return _event(user_id, "user.erasure_withdrawn", {})


def account_erased(user_id: UserId) -> NewEvent:
    return _event(user_id, "user.erased", {})


def roles_changed(user_id: UserId, roles: list[str]) -> NewEvent:
    return _event(user_id, "user.roles_changed", {"roles": sorted(roles)})


def notification_added(user_id: UserId, notification_id: NotificationId) -> NewEvent:
    return _event(user_id, "notification.added", {"notificationId": str(notification_id)})


def user_of_stream(stream: StreamName) -> UserId | None:
    """Whose stream it is; nothing for a desk's."""
    kind, _, name = stream.partition(":")
    return UserId(UUID(name)) if kind == "user" else None


def _event(user_id: UserId, kind: str, body: dict[str, object]) -> NewEvent:
    return NewEvent(stream_of_user(user_id), kind, body)
