"""Sessions and devices of the caller's own account."""

from collections.abc import Sequence
from dataclasses import replace

from domain.kernel.clock import Clock
from domain.kernel.errors import NotFound
from domain.kernel.ids import UserId
from domain.kernel.viewer import Viewer
from domain.users import events
from domain.users.acts import log_act
from domain.users.caller import owner_of, session_of
from domain.users.model import Device, Session, SessionEnd, SessionId
from domain.users.ports import AccessSignals, Accounts, Work, Works

# Newest first; who has more ends some, or asks for all of their data.
SHOWN_MAX = 100


class MySessions:
    """What the owner of an account does about its sign-ins."""

    def __init__(
        self, *, works: Works, accounts: Accounts, signals: AccessSignals, clock: Clock
    ) -> None:
        self._works = works
        self._accounts = accounts
        self._signals = signals
        self._clock = clock

    async def active(self, viewer: Viewer) -> Sequence[Session]:
        """Living sessions, newest sign-in first, at most 100."""
        return await self._accounts.sessions(owner_of(viewer), active_only=True, first=SHOWN_MAX)

    async def one(self, viewer: Viewer, session_id: SessionId) -> Session | None:
        """Any of the caller's own, living or not; nothing for a stranger's."""
        return await self._accounts.session(owner_of(viewer), session_id)

    async def devices(self, viewer: Viewer) -> Sequence[Device]:
        """Devices ever used, last seen first, at most 100."""
        return await self._accounts.devices(owner_of(viewer), first=SHOWN_MAX)

    async def end_current(self, viewer: Viewer) -> Sequence[Session]:
        """Sign out: the caller's own session, on HTTP and sockets at once; none when it was."""
        return await self._end(viewer, SessionEnd.SIGNED_OUT, only=session_of(viewer))

    async def revoke(self, viewer: Viewer, session_id: SessionId) -> Session | NotFound:
        """End exactly that session of the caller's, even while its tokens live and refresh."""
        ended = await self._end(viewer, SessionEnd.REVOKED, only=session_id)
        return ended[0] if ended else NotFound("living session of yours", "sessionId")

    async def revoke_others(self, viewer: Viewer) -> Sequence[Session]:
        """End all but the caller's own, and those not seen yet; returns those that were alive."""
        return await self._end(viewer, SessionEnd.REVOKED, but=session_of(viewer))

    async def _end(
        self,
        viewer: Viewer,
        by: SessionEnd,
        *,
        only: SessionId | None = None,
        but: SessionId | None = None,
    ) -> Sequence[Session]:
        user_id = owner_of(viewer)
        async with self._works.begin() as work:
            user = await work.users.locked(user_id)
            if but is not None and user is not None:
                await work.users.save(replace(user, signed_out_at=self._clock.now()))
            living = await work.sessions.of_user(user_id, active_only=True)
            chosen = [s.id for s in living if (only is None or s.id == only) and s.id != but]
            ended = await end_sessions(work, user_id, chosen, by, clock=self._clock)
            for session_id in ended:
                details = {"sessionId": str(session_id), "by": by.value}
                log_act(work, viewer, "session.ended", now=self._clock.now(), details=details)
            found = await work.sessions.of_user(user_id, active_only=False)
        await self._signals.ended(user_id, ended)
        return [session for session in found if session.id in ended]


async def end_sessions(
    work: Work, user_id: UserId, chosen: Sequence[SessionId], by: SessionEnd, *, clock: Clock
) -> Sequence[SessionId]:
    """End the living ones of these and tell of each; signal after the commit."""
    ended = await work.sessions.end(user_id, chosen, by, now=clock.now())
    for session_id in ended:
        work.events.append(events.session_ended(user_id, session_id, by))
    return ended


async def end_all_sessions(
    work: Work, user_id: UserId, by: SessionEnd, *, clock: Clock
) -> Sequence[SessionId]:
    """End every living session; signal after the commit.

    Set ``signed_out_at`` of the user as well, lest a sign-in nobody saw yet begins one afterwards.
    """
    living = await work.sessions.of_user(user_id, active_only=True)
    return await end_sessions(work, user_id, [s.id for s in living], by, clock=clock)
