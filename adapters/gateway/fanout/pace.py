"""Letting a storm in evenly: whoever is inside already is served meanwhile."""

import asyncio
import time
from collections.abc import Callable

PER_SECOND = 400.0
BURST = 200
LONGEST_WAIT_SECONDS = 10.0


class Pace:
    """So many turns per second, ``burst`` of them at once after a quiet while.

    One per process. Turns are given in the order they were asked for.
    """

    def __init__(
        self,
        *,
        per_second: float = PER_SECOND,
        burst: int = BURST,
        longest_wait_seconds: float = LONGEST_WAIT_SECONDS,
        now: Callable[[], float] | None = None,
    ) -> None:
        if per_second <= 0 or burst < 1:
            raise ValueError("a pace lets something through")
        self._interval = 1 / per_second
        self._ahead = burst * self._interval
        self._longest_wait = longest_wait_seconds
        self._now = now or time.monotonic
        self._next = self._now() - self._ahead

    def wait_seconds(self) -> float | None:
        """Take a turn: how long to wait for it. None, and no turn, when that is too long."""
        now = self._now()
        turn = max(self._next + self._interval, now - self._ahead + self._interval)
        wait = max(0.0, turn - now)
        if wait > self._longest_wait:
            return None
        self._next = turn
        return wait

    async def turn(self) -> bool:
        """Wait for a turn; False at once when the wait would be too long: come back later."""
        wait = self.wait_seconds()
        if wait is None:
            return False
        if wait > 0:
            await asyncio.sleep(wait)
        return True
