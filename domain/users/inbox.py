"""The caller's notifications."""

from collections.abc import Sequence

from domain.kernel.clock import Clock
from domain.kernel.cursor import CursorSigner
from domain.kernel.errors import BadInput
from domain.kernel.page import Page
from domain.kernel.viewer import Viewer
from domain.users.model import Notification, NotificationId
from domain.users.ports import Accounts, Works


class MyInbox:
    """Reading the inbox, and having read it."""

    def __init__(
        self, *, works: Works, accounts: Accounts, cursors: CursorSigner, clock: Clock
    ) -> None: ...

    async def page(
        self, viewer: Viewer, *, unread_only: bool, first: int, after: str | None
    ) -> Page[Notification] | BadInput:
        """Newest first."""
        raise NotImplementedError

    async def unread(self, viewer: Viewer) -> int:
        raise NotImplementedError

    async def mark_read(self, viewer: Viewer, ids: Sequence[NotificationId]) -> int | BadInput:
        """At most 100 at once; foreign and unknown ids change nothing. Returns the unread left."""
        raise NotImplementedError

    async def mark_all_read(self, viewer: Viewer) -> int:
        """Returns the unread left: those that came meanwhile."""
        raise NotImplementedError
