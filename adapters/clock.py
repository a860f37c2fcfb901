"""The system's clock, and one that runs faster."""

import time
from datetime import UTC, datetime, timedelta


class SystemClock:
    """Implements domain.kernel.clock.Clock with the machine's time."""

    def now(self) -> datetime:
        return datetime.now(UTC)  # noqa: TID251  # the one place that may

    def monotonic(self) -> float:
        return time.monotonic()


class FastClock:
    """The system's clock until now, and ``speed`` times as fast from now on.

    For the sandbox exchange: an hour of its market in ten minutes of a test.
    """

    def __init__(self, speed: float) -> None:
        self._speed = speed
        self._system = SystemClock()
        self._began = self._system.now()
        self._started = self._system.monotonic()

    def now(self) -> datetime:
        return self._began + timedelta(seconds=self.monotonic() - self._started)

    def monotonic(self) -> float:
        return self._started + (self._system.monotonic() - self._started) * self._speed
