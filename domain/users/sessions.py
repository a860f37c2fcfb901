"""Sessions and devices of the caller's own account."""

from collections.abc import Sequence

from domain.kernel.clock import Clock
from domain.kernel.viewer import Viewer
from domain.users.errors import NotFound
from domain.users.model import Device, Session, SessionId
from domain.users.ports import AccessSignals, Accounts, Works


class MySessions:
    """What the owner of an account does about its sign-ins."""

    def __init__(
        self, *, works: Works, accounts: Accounts, signals: AccessSignals, clock: Clock
    ) -> None: ...

    async def active(self, viewer: Viewer) -> Sequence[Session]:
        """Living sessions, newest sign-in first."""
        raise NotImplementedError

    async def devices(self, viewer: Viewer) -> Sequence[Device]:
        """Devices ever used, last seen first."""
        raise NotImplementedError

    async def end_current(self, viewer: Viewer) -> Session:
        """Sign out: the caller's own session, on HTTP and sockets at once."""
        raise NotImplementedError

    async def revoke(self, viewer: Viewer, session_id: SessionId) -> Session | NotFound:
        """End exactly that session of the caller's, even while its tokens live and refresh."""
        raise NotImplementedError

    async def revoke_others(self, viewer: Viewer) -> Sequence[Session]:
        """End all but the caller's own; returns those that were alive."""
        raise NotImplementedError
