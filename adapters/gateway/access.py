"""How long somebody who signed in may stay on a socket or an event stream.

A stay ends when the token expires, and when the session, the account or the roles change. Signals
say so at once; because a signal can be lost, everybody is looked at again after every doubt and
once a minute, and every operation of a socket asks for itself before it runs.
"""

import asyncio
import random
import time
from collections.abc import Awaitable, Callable, Collection, Sequence
from itertools import islice

from domain.kernel.errors import UserError
from domain.kernel.failures import Failure
from domain.kernel.ids import UserId
from domain.kernel.viewer import Viewer
from domain.users.errors import RolesChanged, SessionEnded, TokenExpired
from domain.users.model import SessionId

LOOK_EVERY_SECONDS = 60.0
RETRY_SECONDS = 5.0
# Looking at ten thousand takes two seconds and leaves the database to the others.
BATCH = 200
PAUSE_SECONDS = 0.04

LookAgain = Callable[[Sequence[Viewer]], Awaitable[Sequence[Viewer | UserError]]]
"""How viewers of before are now, in the same order. Raises Unavailable, TimedOut."""
End = Callable[[UserError], None]


async def unchanged(viewers: Sequence[Viewer]) -> Sequence[Viewer | UserError]:
    """Where nobody can sign in there is nothing to ask."""
    return viewers


class Stay:
    """One connection's viewer. ``end`` of it is called at most once, and never after ``leave``."""

    def __init__(self, access: "Access", viewer: Viewer, end: End) -> None:
        self.viewer = viewer
        self._access = access
        self._end = end
        self._over = False
        self._expiry: asyncio.TimerHandle | None = None
        self._watch_expiry()

    def renew(self, viewer: Viewer) -> None:
        """Stay on with a newer token of the same person."""
        self.viewer = viewer
        self._watch_expiry()

    def end(self, error: UserError) -> None:
        """It is over; ``error`` says why."""
        if not self._over:
            self.leave()
            self._end(error)

    def leave(self) -> None:
        """The connection is gone, whoever ended it."""
        self._over = True
        self._access.forget(self)
        if self._expiry is not None:
            self._expiry.cancel()

    def _watch_expiry(self) -> None:
        if self._expiry is not None:
            self._expiry.cancel()
        if self.viewer.signed_in is not None:
            seconds = self.viewer.signed_in.expires_at.timestamp() - self._access.now()
            loop = asyncio.get_running_loop()
            self._expiry = loop.call_later(max(0.0, seconds), self.end, TokenExpired())


class Access:
    """All stays of a process; ``run`` is its duty."""

    def __init__(
        self,
        look_again: LookAgain = unchanged,
        *,
        now: Callable[[], float] = time.time,
        look_every_seconds: float = LOOK_EVERY_SECONDS,
    ) -> None:
        self.now = now
        """By the wall clock, as tokens are."""
        self._look_again = look_again
        self._look_every_seconds = look_every_seconds
        self._stays: dict[UserId, set[Stay]] = {}
        self._in_doubt = asyncio.Event()

    @property
    def stays(self) -> int:
        """Connections of people who signed in."""
        return sum(map(len, self._stays.values()))

    def begin(self, viewer: Viewer, end: End) -> Stay:
        """Call it as soon as the viewer is known, and ``leave`` of it at the connection's end."""
        stay = Stay(self, viewer, end)
        if viewer.user_id is not None:
            self._stays.setdefault(viewer.user_id, set()).add(stay)
        return stay

    async def again(self, stay: Stay) -> Viewer | UserError:
        """Who is there now; what ended the stay, if it did. Raises Unavailable, TimedOut."""
        if stay.viewer.user_id is None:
            return stay.viewer
        return await self._look_at([stay])

    def ended(self, user_id: UserId, sessions: Collection[SessionId] | None) -> None:
        """Somebody's access ended: in these sessions, or with None in all."""
        for stay in tuple(self._stays.get(user_id, ())):
            signed_in = stay.viewer.signed_in
            if sessions is None or (signed_in and signed_in.session_id in sessions):
                # Whether it was revoked or the account frozen is told to who comes back.
                stay.end(SessionEnded())

    def changed(self, user_id: UserId) -> None:
        """Somebody's roles are others now, in all their sessions."""
        for stay in tuple(self._stays.get(user_id, ())):
            stay.end(RolesChanged())

    def doubt(self) -> None:
        """Something may have been missed: look at everybody soon."""
        self._in_doubt.set()

    async def run(self) -> None:
        """Look at everybody, again and again; ends only by cancellation."""
        while True:
            seconds = self._look_every_seconds
            try:
                await self._look_at_all()
            except Failure:  # who cannot be asked about stays; their operations ask for themselves
                seconds = RETRY_SECONDS
            try:
                # Spread: the processes of a deployment should not all ask at once.
                async with asyncio.timeout(seconds * random.uniform(0.5, 1)):  # noqa: S311  # jitter
                    await self._in_doubt.wait()
            except TimeoutError:
                pass
            self._in_doubt.clear()

    def forget(self, stay: Stay) -> None:
        """For ``Stay.leave``."""
        user_id = stay.viewer.user_id
        if user_id is not None and stay in self._stays.get(user_id, ()):
            self._stays[user_id].discard(stay)
            if not self._stays[user_id]:
                del self._stays[user_id]

    async def _look_at_all(self) -> None:
        everybody = iter([stay for stays in self._stays.values() for stay in stays])
        while batch := list(islice(everybody, BATCH)):
            await self._look_at(batch)
            await asyncio.sleep(PAUSE_SECONDS)

    async def _look_at(self, stays: Sequence[Stay]) -> Viewer | UserError:
        """Judge each; returns what is true of the last."""
        before = [stay.viewer for stay in stays]
        verdict: Viewer | UserError = before[-1]
        found = await self._look_again(before)
        for stay, viewer, now in zip(stays, before, found, strict=True):
            verdict = now
            if isinstance(now, Viewer) and now.roles != viewer.roles:
                verdict = RolesChanged()
            # Renewed meanwhile: that was a look at the newer session, and newer than this one.
            if isinstance(verdict, UserError) and stay.viewer is viewer:
                stay.end(verdict)
        return verdict
