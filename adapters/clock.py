"""The system's clock."""

import time
from datetime import UTC, datetime


class SystemClock:
    """Implements domain.kernel.clock.Clock with the machine's time."""

    def now(self) -> datetime:
        return datetime.now(UTC)  # noqa: TID251  # the one place that may

    def monotonic(self) -> float:
        return time.monotonic()
