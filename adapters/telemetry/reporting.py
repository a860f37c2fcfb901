"""Where bugs are reported besides the log. A port: the error tracker is the deployment's choice."""

from collections.abc import Mapping
from typing import Protocol


class ErrorReporter(Protocol):
    """Takes what nobody expected. Must return at once and must never raise."""

    def report(self, error: BaseException, context: Mapping[str, str]) -> None:
        """``context`` holds identifiers only (correlation id, operation), never data."""
        ...


class NullErrorReporter:
    """The log is enough."""

    def report(self, error: BaseException, context: Mapping[str, str]) -> None:
        del error, context
