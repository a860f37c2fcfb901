"""The chain over the journal: who changes what was sealed has to change everything after it."""

from domain.kernel.clock import Clock
from domain.wallets.ports import Sealing

BATCH = 500


class Chain:
    """Seals what was posted. Any number of processes may: the database lets one at a time."""

    def __init__(self, sealing: Sealing, clock: Clock) -> None:
        self._sealing = sealing
        self._clock = clock

    async def seal_all(self) -> int:
        """Seal until nothing waits, in short transactions; returns how many entries.

        Raises Unavailable, TimedOut, Conflict: what was sealed before that stays sealed.
        """
        sealed = 0
        while True:
            batch = await self._sealing.seal(now=self._clock.now(), limit=BATCH)
            sealed += batch
            if batch < BATCH:
                return sealed
