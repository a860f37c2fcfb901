"""Whoever tries what only staff may: refused where they ask, and remembered here."""

from contextlib import suppress
from datetime import timedelta

from domain.kernel.clock import Clock
from domain.kernel.errors import Forbidden
from domain.kernel.failures import Failure
from domain.kernel.viewer import Viewer
from domain.users.caller import client_of, owner_of
from domain.users.model import ActivityResult
from domain.users.ports import Works

# Who keeps trying must not fill a log that is kept for ever.
TOLD_EVERY = timedelta(hours=1)


class Denials:
    """Writes that somebody asked for something of staff's and may not."""

    def __init__(self, *, works: Works, clock: Clock) -> None:
        self._works = works
        self._clock = clock

    async def note(self, viewer: Viewer, operation: str) -> None:
        """One line per person, operation and hour. Never raises: a refusal needs no database."""
        actor, now = owner_of(viewer), self._clock.now()
        with suppress(Failure):
            async with self._works.begin() as work:
                if await work.activity.denied_since(actor, operation, now - TOLD_EVERY):
                    return
                work.activity.add(
                    actor_id=actor,
                    subject_id=actor,
                    action=operation,
                    result=ActivityResult.DENIED,
                    now=now,
                    client=client_of(viewer),
                    details={"code": Forbidden.code.value},
                )
