"""Ending a stream after so many values: for scripts, tests and curious people."""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass
from typing import TypeVar

from domain.kernel.errors import BadInput

T = TypeVar("T")

STOP_AFTER_MAX = 1_000_000


@dataclass(frozen=True, slots=True)
class StopAfter:
    """Passes the first ``count`` values of a stream; all of them without a count."""

    count: int | None

    async def of(self, stream: AsyncGenerator[T, None]) -> AsyncGenerator[T, None]:
        # Closed here and at once: a watcher that is merely forgotten keeps its place in the hub.
        async with aclosing(stream):
            passed = 0
            async for value in stream:
                yield value
                passed += 1
                if passed == self.count:
                    return


def stop_after_count(stop_after: int | None) -> StopAfter | BadInput:
    """The limit a client asked for, when it makes sense."""
    if stop_after is None or 1 <= stop_after <= STOP_AFTER_MAX:
        return StopAfter(stop_after)
    return BadInput("stopAfter", f"give 1 to {STOP_AFTER_MAX}, or leave it out.")
