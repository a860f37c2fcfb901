"""How fast a stream may dial: doubling pauses for itself, a common limit for all of a process.

Bybit closes its door to an address that opens more than 500 connections in five minutes; pybit's
own loop was seen to try 90 times a second.
"""

import random
import threading
from collections import deque

CONNECTS_MAX = 250
"""Half of what Bybit allows: the address may be shared with another process."""
CONNECTS_WINDOW_SECONDS = 300.0


class ConnectLimit:
    """At most so many dials in a sliding window, over all streams of the process. Thread-safe."""

    def __init__(
        self, most: int = CONNECTS_MAX, window_seconds: float = CONNECTS_WINDOW_SECONDS
    ) -> None:
        self._most = most
        self._window_seconds = window_seconds
        self._dials: deque[float] = deque()
        self._lock = threading.Lock()

    def take(self, now: float) -> float:
        """Seconds to wait before dialling; when zero, the dial is counted."""
        with self._lock:
            while self._dials and self._dials[0] <= now - self._window_seconds:
                self._dials.popleft()
            if len(self._dials) >= self._most:
                return self._dials[0] + self._window_seconds - now
            self._dials.append(now)
            return 0.0


class ReconnectPause:
    """The pause before the next dial: doubling up to a cap, half of it jitter.

    It starts over only after a connection that lasted: one that is accepted and dropped at once
    must not be dialled at full speed.
    """

    def __init__(
        self,
        *,
        first_seconds: float,
        cap_seconds: float,
        stable_after_seconds: float,
        rng: random.Random | None = None,
    ) -> None:
        self._first_seconds = first_seconds
        self._cap_seconds = cap_seconds
        self._stable_after_seconds = stable_after_seconds
        self._rng = rng or random.Random()  # noqa: S311  # spreads dials, keeps no secret
        self._next_seconds = first_seconds

    def after(self, lasted_seconds: float) -> float:
        """The pause after a connection that lasted so long (0 when the dial failed)."""
        if lasted_seconds >= self._stable_after_seconds:
            self._next_seconds = self._first_seconds
        pause = self._next_seconds * self._rng.uniform(0.5, 1.0)
        self._next_seconds = min(self._next_seconds * 2, self._cap_seconds)
        return pause
