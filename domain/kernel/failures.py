"""Failures: the world broke. Raised by adapters at their edge, masked for clients.

Failure                 code                  may the same call be tried again?
+-- Unavailable         UNAVAILABLE           yes, after ``retry_after_seconds``
+-- TimedOut            TIMED_OUT             yes, when the call was safe to repeat
+-- Conflict            CONFLICT              yes, after reading again
+-- Rejected            UPSTREAM_REJECTED     no: the venue understood and refused

Whether a retry can help is decided here, once; nothing above asks for the vendor's reason.
"""

from enum import StrEnum
from typing import ClassVar


class FailureCode(StrEnum):
    """What clients see of a failure, with a correlation id and nothing else."""

    UNAVAILABLE = "UNAVAILABLE"
    TIMED_OUT = "TIMED_OUT"
    CONFLICT = "CONFLICT"
    UPSTREAM_REJECTED = "UPSTREAM_REJECTED"
    INTERNAL = "INTERNAL"


class Failure(Exception):
    """Base of everything that is the world's fault.

    ``what`` names the dependency in a word a client may read ("exchange", "database"). The
    vendor's own text travels as ``__cause__`` to the log and nowhere else.
    """

    code: ClassVar[FailureCode]
    retryable: ClassVar[bool]

    def __init__(self, what: str, *, retry_after_seconds: float | None = None) -> None:
        super().__init__(what)
        self.what = what
        self.retry_after_seconds = retry_after_seconds

    @property
    def message(self) -> str:
        """One sentence a client may read."""
        return f"The {self.what} cannot be reached right now. Try again shortly."


class Unavailable(Failure):
    """The dependency did not answer, or refuses work for now. Nothing was done."""

    code = FailureCode.UNAVAILABLE
    retryable = True


class TimedOut(Failure):
    """No answer in time; for anything but a read the outcome is unknown."""

    code = FailureCode.TIMED_OUT
    retryable = True

    @property
    def message(self) -> str:
        return f"The {self.what} did not answer in time. Try again shortly."


class Conflict(Failure):
    """Somebody else changed the same thing first. Nothing was done."""

    code = FailureCode.CONFLICT
    retryable = True

    @property
    def message(self) -> str:
        return "Somebody else changed this at the same moment. Read it again and retry."


class Rejected(Failure):
    """The dependency understood the request and refuses it; the same request will fail again."""

    code = FailureCode.UPSTREAM_REJECTED
    retryable = False

    @property
    def message(self) -> str:
        return f"The {self.what} refused the request."
