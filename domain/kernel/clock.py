"""Time as the rules see it: a port, so that a test or the sandbox may live a week in a second."""

from datetime import datetime
from typing import Protocol


class Clock(Protocol):
    """Where every rule asks for the time."""

    def now(self) -> datetime:
        """The current instant, aware, in UTC."""
        ...

    def monotonic(self) -> float:
        """Seconds since an arbitrary start: only differences mean something."""
        ...
