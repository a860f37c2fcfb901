"""REST reads, guarded: deadline ( retry within the budget ( limit, breaker ( pybit's thread ))).

Each try is told to the breaker; the deadline is around all of them.
"""

import asyncio
from collections.abc import Mapping

import structlog

from adapters.bybit.client import Answer, PybitClient
from adapters.bybit.errors import BANNED_SECONDS, EXCHANGE, Banned
from adapters.bybit.limits import EndpointLimits
from adapters.bybit.metrics import FeedMetrics
from adapters.resilience import CircuitBreaker, RetryBudget, deadline, retry_safe_read
from domain.kernel.clock import Clock
from domain.kernel.failures import Failure

log = structlog.get_logger()

SOCKET_SHARE = 0.45
"""Of the deadline: how long a try may wait for bytes, so that there is time for a second one."""
TRY_SHARE = 0.7
"""Of the deadline: how long one try may take as a whole, however its bytes drip."""


class RestCalls:
    """All reads of one process from one venue: they share threads, budget, limits and breaker."""

    def __init__(
        self,
        rest_url: str,
        *,
        clock: Clock,
        breaker: CircuitBreaker,
        timeout_seconds: float,
        metrics: FeedMetrics,
        attempts: int,
    ) -> None:
        self._clock = clock
        self._breaker = breaker
        self._timeout_seconds = timeout_seconds
        self._metrics = metrics
        self._attempts = attempts
        self._budget = RetryBudget()
        self._limits = EndpointLimits(clock)
        self._client = PybitClient(
            rest_url, clock=clock, socket_timeout_seconds=timeout_seconds * SOCKET_SHARE
        )

    async def close(self) -> None:
        """End the threads."""
        await self._client.close()

    async def get(self, method: str, query: Mapping[str, str | int]) -> Mapping[str, object]:
        """The body of an answer to pybit's ``method``. Raises Unavailable, TimedOut, Rejected."""
        async with deadline(EXCHANGE, self._timeout_seconds):
            body, _headers = await retry_safe_read(
                lambda: self._try(method, query), attempts=self._attempts, budget=self._budget
            )
        return body

    async def _try(self, method: str, query: Mapping[str, str | int]) -> Answer:
        if wait := self._limits.wait_seconds(method):
            await asyncio.sleep(wait)
        began = self._clock.monotonic()
        outcome = "CANCELLED"
        try:
            answer = await self._breaker.call(lambda: self._ask(method, query))
            outcome = "OK"
        except Banned:
            outcome = "BANNED"
            log.error("exchange_banned_us", stop_seconds=BANNED_SECONDS)  # noqa: TRY400  # the traceback says nothing
            self._breaker.open_for(BANNED_SECONDS)
            raise
        except Failure as failure:
            outcome = failure.code.value
            raise
        finally:
            self._metrics.rest_answered(method, outcome, self._clock.monotonic() - began)
        self._limits.note(method, answer[1])
        return answer

    async def _ask(self, method: str, query: Mapping[str, str | int]) -> Answer:
        # Inside the breaker: the outer deadline cancels, and a cancellation teaches it nothing. A
        # socket's timeout alone is not enough, for it starts over with every byte.
        async with deadline(EXCHANGE, self._timeout_seconds * TRY_SHARE):
            return await self._client.get(method, query)
