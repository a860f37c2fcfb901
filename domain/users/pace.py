"""How often one person may do something, on all their devices and in all processes together."""

import math

from domain.kernel.errors import RateLimited
from domain.kernel.failures import Failure
from domain.kernel.policy import Rate
from domain.kernel.viewer import Viewer
from domain.users.caller import owner_of
from domain.users.ports import Allowances


class Pace:
    """Asked by the guard in front of every field whose policy has a rate."""

    def __init__(self, allowances: Allowances) -> None:
        self._allowances = allowances

    async def refusal(self, viewer: Viewer, rate: Rate) -> RateLimited | None:
        """Why not yet, or nothing: then it is counted.

        Who counts may be away: a limit that protects us must not keep people from their account.
        """
        try:
            wait_seconds = await self._allowances.take(owner_of(viewer), rate)
        except Failure:
            return None
        return None if wait_seconds <= 0 else RateLimited(math.ceil(wait_seconds * 1000))
