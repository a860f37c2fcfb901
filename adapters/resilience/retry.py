"""Jittered retries of safe reads, within a budget shared by everything that asks one dependency.

Written here rather than taken from tenacity or stamina: both retry each call on its own, so a venue
that is down gets three times its load at the worst moment. What counts is the budget (retries are
a tenth of the calls), and neither has one.

Never for writes: after a timeout their outcome is unknown, and asking again would do it twice.
"""

import asyncio
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TypeVar

from domain.kernel.failures import TimedOut, Unavailable

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Backoff:
    """How long to wait before another try: doubling, with full jitter, never above the cap."""

    first_seconds: float = 0.1
    cap_seconds: float = 2.0

    def delay(self, retry: int, rng: random.Random) -> float:
        """Seconds before the ``retry``-th retry, the first being 1."""
        # Jitter over the whole range, because processes that failed together retry together.
        ceiling = min(self.cap_seconds, self.first_seconds * 2.0 ** min(retry - 1, 62))
        return rng.uniform(0, ceiling)


class RetryBudget:
    """A bucket of retries: every call puts ``ratio`` in, every retry takes one out.

    However many calls fail, at most ``reserve`` + ``ratio`` x calls are tried again.
    """

    def __init__(self, *, ratio: float = 0.1, reserve: float = 3.0, most: float = 10.0) -> None:
        if not (0 <= ratio <= 1 and 0 <= reserve <= most):
            raise ValueError("a retry budget needs 0 <= ratio <= 1 and 0 <= reserve <= most")
        self._ratio = ratio
        self._most = most
        self._tokens = reserve
        self.refused = 0
        """Retries that were due and not made."""

    @property
    def tokens(self) -> float:
        """Retries that could be made now."""
        return self._tokens

    def note_call(self) -> None:
        """Count a call (not a retry)."""
        self._tokens = min(self._most, self._tokens + self._ratio)

    def take(self) -> bool:
        """Take one retry out; false when there is none."""
        if self._tokens < 1:
            self.refused += 1
            return False
        self._tokens -= 1
        return True


_BACKOFF = Backoff()


async def retry_safe_read(
    fn: Callable[[], Awaitable[T]],
    *,
    attempts: int = 3,
    budget: RetryBudget,
    backoff: Backoff = _BACKOFF,
    rng: random.Random | None = None,
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
) -> T:
    """Await ``fn()`` up to ``attempts`` times while it is unavailable or times out.

    A dependency that says when to come back is not asked earlier; when that is further away than
    the backoff's cap, its failure is raised at once, for a person should not wait on a guess.
    Anything but Unavailable and TimedOut passes through untouched, cancellation too. The total
    time is the caller's matter: put ``deadline`` around it.

    Raises:
        Unavailable, TimedOut: the failure of the last attempt.
    """
    rng = rng or _SYSTEM_RANDOM
    budget.note_call()
    for attempt in range(1, attempts):
        try:
            return await fn()
        except (Unavailable, TimedOut) as failure:
            wait = max(failure.retry_after_seconds or 0.0, backoff.delay(attempt, rng))
            if wait > backoff.cap_seconds or not budget.take():
                raise
        await sleep(wait)
    return await fn()


_SYSTEM_RANDOM = random.SystemRandom()
