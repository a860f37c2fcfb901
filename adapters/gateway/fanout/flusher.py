"""When what was filled goes out: once per tick, for all connections of the process."""

import asyncio
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

WINDOW_SECONDS = 0.001
# A turn of the loop writes to so many connections, then lets others work.
CONNECTIONS_PER_TURN = 256


@dataclass(slots=True)
class OutboxCounters:
    """What became of values on their way out, for metrics to read when they are scraped."""

    deliveries: int = 0
    """Values of operations that went out."""
    writes: int = 0
    conflated: int = 0
    """Values that never went out: something newer came, or there was no room."""
    closed: Counter[int] = field(default_factory=Counter)
    """Connections closed by this side, by code."""


@dataclass(frozen=True, slots=True)
class OutboxLimits:
    """How much patience a connection gets."""

    slow_reader_seconds: float = 15.0
    bytes_max: int = 8 * 1024 * 1024


class Flushable(Protocol):
    """An outbox, as far as the flusher knows it."""

    def flush(self) -> None: ...


class Flusher:
    """Flushes all outboxes that were filled within one window, one after another."""

    def __init__(
        self,
        *,
        window_seconds: float = WINDOW_SECONDS,
        limits: OutboxLimits | None = None,
        counters: OutboxCounters | None = None,
    ) -> None:
        self.limits = limits or OutboxLimits()
        self.counters = counters or OutboxCounters()
        self._window_seconds = window_seconds
        self._filled: list[Flushable] = []
        self._scheduled = False

    def schedule(self, outbox: Flushable) -> None:
        self._filled.append(outbox)
        if not self._scheduled:
            self._scheduled = True
            asyncio.get_running_loop().call_later(self._window_seconds, self._flush)

    def later(self, seconds: float, call: Callable[[], None]) -> asyncio.TimerHandle:
        return asyncio.get_running_loop().call_later(seconds, call)

    def _flush(self) -> None:
        now, self._filled = (
            self._filled[:CONNECTIONS_PER_TURN],
            self._filled[CONNECTIONS_PER_TURN:],
        )
        if self._filled:
            asyncio.get_running_loop().call_soon(self._flush)
        else:
            self._scheduled = False
        for outbox in now:
            outbox.flush()
