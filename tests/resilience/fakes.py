from collections.abc import Coroutine
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

from adapters.resilience import BreakerState

T = TypeVar("T")


class FakeClock:
    """Stands still until told."""

    def __init__(self) -> None:
        self.seconds = 1000.0

    def now(self) -> datetime:
        return datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=self.seconds)

    def monotonic(self) -> float:
        return self.seconds


class Heard:
    """A breaker listener that keeps what it hears."""

    def __init__(self) -> None:
        self.changes: list[tuple[BreakerState, BreakerState]] = []

    def breaker_changed(self, name: str, before: BreakerState, after: BreakerState) -> None:
        assert name == "venue"
        self.changes.append((before, after))


def run_now(coroutine: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine that never waits."""
    try:
        coroutine.send(None)
    except StopIteration as done:
        result: T = done.value
        return result
    raise AssertionError("the coroutine waits for something")
