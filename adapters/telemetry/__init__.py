"""What the platform tells its operators: logs, metrics, correlation."""

from adapters.telemetry.correlation import Correlation, outgoing_headers
from adapters.telemetry.logging import configure_logging, log_loop_exception
from adapters.telemetry.metrics import Metrics, Outcome
from adapters.telemetry.reporting import ErrorReporter, NullErrorReporter

__all__ = [
    "Correlation",
    "ErrorReporter",
    "Metrics",
    "NullErrorReporter",
    "Outcome",
    "configure_logging",
    "log_loop_exception",
    "outgoing_headers",
]
