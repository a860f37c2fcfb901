"""Circuit breakers: stop asking a dependency that is down, and find out soon when it is back.

CLOSED     calls pass; outcomes are counted over a rolling window.
OPEN       calls are refused at once with Unavailable and the time to come back.
HALF_OPEN  the pause is over: one call passes as a probe, the others are still refused.

Only Unavailable and TimedOut count: they speak of the dependency's health. A refusal (Rejected) is
the answer of a healthy one; bugs and cancellation say nothing. Outcomes of calls that began before
the last change of state are ignored: they speak of the past.
"""

import math
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol, TypeVar

import structlog

from domain.kernel.clock import Clock
from domain.kernel.failures import Failure, TimedOut, Unavailable

log = structlog.get_logger()

T = TypeVar("T")


class BreakerState(StrEnum):
    """Worse is further down."""

    CLOSED = "CLOSED"
    HALF_OPEN = "HALF_OPEN"
    OPEN = "OPEN"


_EVENTS = {
    BreakerState.CLOSED: "breaker_closed",
    BreakerState.HALF_OPEN: "breaker_half_opened",
    BreakerState.OPEN: "breaker_opened",
}


class BreakerListener(Protocol):
    """Told of every change, for metrics. Must be quick and must not raise."""

    def breaker_changed(self, name: str, before: BreakerState, after: BreakerState) -> None: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class BreakerThresholds:
    """When to open, and for how long."""

    window_seconds: float = 30.0
    calls_min: int = 20
    """Fewer calls in the window say nothing about a rate."""
    error_rate_max: float = 0.5
    consecutive_failures_max: int = 5
    open_seconds: float = 1.0
    open_seconds_max: float = 30.0
    """The pause doubles with every probe that fails, up to this."""
    samples_max: int = 10_000
    """Bound of the window's memory; the oldest outcomes are forgotten first."""


_DEFAULT = BreakerThresholds()


class CircuitBreaker:
    """The breaker of one host, used by one event loop."""

    def __init__(
        self,
        name: str,
        *,
        clock: Clock,
        what: str | None = None,
        thresholds: BreakerThresholds = _DEFAULT,
        listener: BreakerListener | None = None,
    ) -> None:
        """``what`` is the word clients read in Unavailable; without it, ``name``."""
        self.name = name
        self._what = what or name
        self._clock = clock
        self._thresholds = thresholds
        self._listener = listener
        self._state = BreakerState.CLOSED
        self._since = clock.now()
        self._open_until = -math.inf
        self._pause_seconds = thresholds.open_seconds
        self._probing = False
        self._generation = 0
        self._outcomes: deque[tuple[float, bool]] = deque(maxlen=thresholds.samples_max)
        self._failures = 0  # failures within _outcomes, so that a rate costs no walk
        self._consecutive = 0

    @property
    def state(self) -> BreakerState:
        """The state now: an open breaker is half-open as soon as its pause is over."""
        if self._state is BreakerState.OPEN and self._clock.monotonic() >= self._open_until:
            self._become(BreakerState.HALF_OPEN)
        return self._state

    @property
    def since(self) -> datetime:
        """When the present state began."""
        _ = self.state
        return self._since

    @property
    def retry_after_seconds(self) -> float:
        """How long a refused caller should wait; zero when calls pass."""
        if self.state is BreakerState.CLOSED:
            return 0.0
        return max(self._open_until - self._clock.monotonic(), self._thresholds.open_seconds / 4)

    async def call(self, fn: Callable[[], Awaitable[T]]) -> T:
        """Await ``fn()`` under this breaker. Raises Unavailable when open, and what fn raises."""
        async with self.guard():
            return await fn()

    @asynccontextmanager
    async def guard(self) -> AsyncIterator[None]:
        """The same as ``call`` for a block: ``async with breaker.guard(): ...``."""
        generation = self._enter()
        try:
            yield
        except (Unavailable, TimedOut):
            self._leave(generation, failed=True)
            raise
        except Failure:  # understood and refused: somebody healthy is there
            self._leave(generation, failed=False)
            raise
        except BaseException:  # a bug or a cancellation: nothing was learned
            self._leave(generation, failed=None)
            raise
        else:
            self._leave(generation, failed=False)

    def open_for(self, seconds: float) -> None:
        """Refuse everything for ``seconds`` (Bybit answers HTTP 403: stop for ten minutes).

        Never shortens a pause that is already longer.
        """
        until = self._clock.monotonic() + seconds
        self._open_until = max(until, self._open_until)
        self._become(BreakerState.OPEN)

    def _enter(self) -> int:
        state = self.state
        if state is BreakerState.OPEN or (state is BreakerState.HALF_OPEN and self._probing):
            raise Unavailable(self._what, retry_after_seconds=self.retry_after_seconds)
        if state is BreakerState.HALF_OPEN:
            self._probing = True
        return self._generation

    def _leave(self, generation: int, *, failed: bool | None) -> None:
        if generation != self._generation:
            return
        if self._state is BreakerState.HALF_OPEN:
            self._probing = False
            if failed is not None:
                self._settle_probe(failed=failed)
        elif failed is not None:
            self._count(failed=failed)

    def _settle_probe(self, *, failed: bool) -> None:
        if failed:
            self._pause_seconds = min(self._pause_seconds * 2, self._thresholds.open_seconds_max)
            self._open()
        else:
            self._pause_seconds = self._thresholds.open_seconds
            self._become(BreakerState.CLOSED)

    def _count(self, *, failed: bool) -> None:
        now = self._clock.monotonic()
        self._forget_before(now - self._thresholds.window_seconds)
        if len(self._outcomes) == self._outcomes.maxlen:
            self._failures -= self._outcomes.popleft()[1]
        self._outcomes.append((now, failed))
        self._failures += failed
        self._consecutive = self._consecutive + 1 if failed else 0
        if failed and self._too_sick():
            self._open()

    def _too_sick(self) -> bool:
        limits = self._thresholds
        if self._consecutive >= limits.consecutive_failures_max:
            return True
        calls = len(self._outcomes)
        return calls >= limits.calls_min and self._failures / calls > limits.error_rate_max

    def _forget_before(self, instant: float) -> None:
        while self._outcomes and self._outcomes[0][0] < instant:
            self._failures -= self._outcomes.popleft()[1]

    def _open(self) -> None:
        self._open_until = self._clock.monotonic() + self._pause_seconds
        self._become(BreakerState.OPEN)

    def _become(self, after: BreakerState) -> None:
        before = self._state
        if before is after:
            return
        self._state = after
        self._since = self._clock.now()
        self._generation += 1
        self._probing = False
        self._consecutive = 0
        self._failures = 0
        self._outcomes.clear()
        log.warning(_EVENTS[after], breaker=self.name, before=before)
        if self._listener is not None:
            self._listener.breaker_changed(self.name, before, after)


class Breakers:
    """All breakers of one process, by name: for the status board, /readyz and /metrics."""

    def __init__(self, clock: Clock, listener: BreakerListener | None = None) -> None:
        self._clock = clock
        self._listener = listener
        self._by_name: dict[str, CircuitBreaker] = {}

    def of(
        self, name: str, *, what: str | None = None, thresholds: BreakerThresholds = _DEFAULT
    ) -> CircuitBreaker:
        """The breaker called ``name``, made on first need; one per host.

        ``what`` and ``thresholds`` count for the first caller only.
        """
        if name not in self._by_name:
            self._by_name[name] = CircuitBreaker(
                name, clock=self._clock, what=what, thresholds=thresholds, listener=self._listener
            )
        return self._by_name[name]

    def states(self) -> Mapping[str, BreakerState]:
        """The state of each, by name."""
        return {breaker.name: breaker.state for breaker in self}

    def __iter__(self) -> Iterator[CircuitBreaker]:
        """In order of their names."""
        return iter([self._by_name[name] for name in sorted(self._by_name)])
