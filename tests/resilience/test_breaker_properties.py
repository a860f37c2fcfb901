"""The breaker against a plain model of its words, over arbitrary histories."""

from contextlib import AbstractAsyncContextManager

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, invariant, rule

from adapters.resilience import BreakerState, BreakerThresholds, CircuitBreaker
from domain.kernel.failures import Rejected, TimedOut, Unavailable
from tests.resilience.fakes import FakeClock, run_now

OPEN_SECONDS = 2.0
PASSES = {BreakerState.CLOSED, BreakerState.HALF_OPEN}
ALLOWED = {
    (BreakerState.CLOSED, BreakerState.OPEN),
    (BreakerState.OPEN, BreakerState.HALF_OPEN),
    (BreakerState.HALF_OPEN, BreakerState.OPEN),
    (BreakerState.HALF_OPEN, BreakerState.CLOSED),
}

Call = AbstractAsyncContextManager[None]


class Breaking(RuleBasedStateMachine):
    calls = Bundle("calls")

    def __init__(self) -> None:
        super().__init__()
        self.clock = FakeClock()
        self.changed_at = self.clock.seconds
        self.open_until = 0.0
        self.probes = 0
        self.breaker = CircuitBreaker(
            "venue",
            clock=self.clock,
            thresholds=BreakerThresholds(
                window_seconds=5,
                calls_min=4,
                consecutive_failures_max=3,
                open_seconds=OPEN_SECONDS,
                open_seconds_max=8,
            ),
            listener=self,
        )

    def breaker_changed(self, name: str, before: BreakerState, after: BreakerState) -> None:
        assert name == "venue"
        assert (before, after) in ALLOWED
        if after is BreakerState.HALF_OPEN:
            assert self.clock.seconds >= self.open_until
        self.changed_at = self.clock.seconds
        self.probes = 0

    @rule(target=calls)
    def begin(self) -> tuple[Call, BreakerState, float] | None:
        state = self.breaker.state
        guard = self.breaker.guard()
        may = state is BreakerState.CLOSED or (state is BreakerState.HALF_OPEN and self.probes == 0)
        if may:
            run_now(guard.__aenter__())
            self.probes += state is BreakerState.HALF_OPEN
            return guard, state, self.changed_at
        with pytest.raises(Unavailable) as refused:
            run_now(guard.__aenter__())
        wait = refused.value.retry_after_seconds
        assert wait is not None
        assert wait > 0
        return None

    @rule(
        call=consumes(calls),
        error=st.sampled_from([None, Unavailable, TimedOut, Rejected, OSError]),
    )
    def end(
        self, call: tuple[Call, BreakerState, float] | None, error: type[Exception] | None
    ) -> None:
        if call is None:
            return
        guard, began_in, began_at = call
        before = self.breaker.state
        if error is None:
            run_now(guard.__aexit__(None, None, None))
        else:
            raised = error("venue")
            assert not run_now(guard.__aexit__(error, raised, None))
        after = self.breaker.state
        if before is not after:
            assert began_in is before, "an outcome of the past changed the present"
        is_probe = before is began_in is BreakerState.HALF_OPEN and began_at == self.changed_at
        if is_probe and before is after:
            self.probes = 0  # it taught nothing (OSError): the next may try

    @rule(seconds=st.floats(0, 6))
    def wait(self, seconds: float) -> None:
        self.clock.seconds += seconds

    @rule(seconds=st.floats(0.1, 20))
    def ban(self, seconds: float) -> None:
        self.breaker.open_for(seconds)
        self.open_until = max(self.open_until, self.clock.seconds + seconds)
        assert self.breaker.state is BreakerState.OPEN

    @invariant()
    def waiting_is_announced_exactly_when_calls_are_refused(self) -> None:
        closed = self.breaker.state is BreakerState.CLOSED
        assert (self.breaker.retry_after_seconds == 0) == closed


TestBreaking = Breaking.TestCase
TestBreaking.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
