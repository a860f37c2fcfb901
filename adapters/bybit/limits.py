"""Bybit's own count of what is left, per endpoint: when it says none, wait for the reset.

Fed by the headers X-Bapi-Limit-Status (requests left) and X-Bapi-Limit-Reset-Timestamp (ms).
Public market data mostly comes without them; then nothing is held back here.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from adapters.bybit.errors import EXCHANGE, RESET_SECONDS_MAX, limit_header
from domain.kernel.clock import Clock
from domain.kernel.failures import Unavailable


@dataclass(frozen=True, slots=True)
class _Exhausted:
    until: float


class EndpointLimits:
    """What the last answers said, by endpoint. One event loop only."""

    def __init__(self, clock: Clock, *, wait_seconds_max: float = 2.0) -> None:
        self._clock = clock
        self._wait_seconds_max = wait_seconds_max
        self._exhausted: dict[str, _Exhausted] = {}

    def wait_seconds(self, endpoint: str) -> float:
        """How long to hold a request back.

        Raises:
            Unavailable: the reset is too far away to make a person wait for it.
        """
        exhausted = self._exhausted.get(endpoint)
        if exhausted is None:
            return 0.0
        wait = exhausted.until - self._clock.monotonic()
        if wait <= 0:
            del self._exhausted[endpoint]
            return 0.0
        if wait > self._wait_seconds_max:
            raise Unavailable(EXCHANGE, retry_after_seconds=wait)
        return wait

    def note(self, endpoint: str, headers: Mapping[str, str]) -> None:
        """Take the headers of an answer in."""
        left = limit_header(headers, "X-Bapi-Limit-Status")
        reset_ms = limit_header(headers, "X-Bapi-Limit-Reset-Timestamp")
        if left is None or left > 0 or reset_ms is None:
            return
        # The venue's clock against ours: bounded, so that a skewed one cannot lock an endpoint.
        wait = min(reset_ms / 1000 - self._clock.now().timestamp(), RESET_SECONDS_MAX)
        if wait > 0:
            self._exhausted[endpoint] = _Exhausted(self._clock.monotonic() + wait)
