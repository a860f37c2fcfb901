"""What keeps one sick dependency from making everything sick: deadlines, retries, breakers.

The order around one remote call, from outside in: ``deadline`` (how long the caller waits at most),
``retry_safe_read`` (reads only, within a ``RetryBudget``), ``CircuitBreaker`` (each try is told to
it), the call. Everything here lives on one event loop; nothing is shared between threads.
"""

from adapters.resilience.breaker import (
    BreakerListener,
    Breakers,
    BreakerState,
    BreakerThresholds,
    CircuitBreaker,
)
from adapters.resilience.deadline import deadline
from adapters.resilience.retry import Backoff, RetryBudget, retry_safe_read

__all__ = [
    "Backoff",
    "BreakerListener",
    "BreakerState",
    "BreakerThresholds",
    "Breakers",
    "CircuitBreaker",
    "RetryBudget",
    "deadline",
    "retry_safe_read",
]
