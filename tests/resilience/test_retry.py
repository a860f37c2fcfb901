import asyncio
import random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from adapters.resilience import Backoff, RetryBudget, deadline, retry_safe_read
from domain.kernel.failures import Conflict, Failure, Rejected, TimedOut, Unavailable
from tests.resilience.fakes import run_now

# No deadline: a machine shared with others pauses as it likes.
FRUGAL = settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.too_slow])


class Script:
    """Raises what it is given, call by call, then succeeds; keeps the pauses between."""

    def __init__(self, *errors: Exception) -> None:
        self.errors = list(errors)
        self.calls = 0
        self.slept: list[float] = []

    async def __call__(self) -> str:
        self.calls += 1
        if self.errors:
            raise self.errors.pop(0)
        return "done"

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)


@pytest.mark.parametrize("failure", [Unavailable("exchange"), TimedOut("exchange")])
async def test_tries_again_after_a_failure_of_health(failure: Failure) -> None:
    script = Script(failure, failure)

    assert await retry_safe_read(script, budget=RetryBudget(), sleep=script.sleep) == "done"
    assert script.calls == 3
    assert len(script.slept) == 2


@pytest.mark.parametrize("error", [Rejected("exchange"), Conflict("x"), ValueError("bug")])
async def test_never_repeats_what_a_repetition_cannot_help(error: Exception) -> None:
    script = Script(error)
    with pytest.raises(type(error)):
        await retry_safe_read(script, budget=RetryBudget(), sleep=script.sleep)

    assert script.calls == 1


async def test_raises_the_last_failure_when_attempts_are_used_up() -> None:
    script = Script(Unavailable("first"), Unavailable("second"), TimedOut("third"))
    with pytest.raises(TimedOut, match="third"):
        await retry_safe_read(script, budget=RetryBudget(), sleep=script.sleep)

    assert script.calls == 3


async def test_comes_back_no_earlier_than_told() -> None:
    script = Script(Unavailable("exchange", retry_after_seconds=1.5))
    await retry_safe_read(script, budget=RetryBudget(), sleep=script.sleep)

    assert script.slept == [1.5]


async def test_gives_up_at_once_when_told_to_come_back_much_later() -> None:
    script = Script(Unavailable("exchange", retry_after_seconds=600))
    with pytest.raises(Unavailable):
        await retry_safe_read(script, budget=RetryBudget(), sleep=script.sleep)

    assert script.calls == 1
    assert script.slept == []


async def test_an_empty_budget_stops_retries_not_calls() -> None:
    script = Script(*[Unavailable("exchange")] * 5)
    budget = RetryBudget(reserve=1, ratio=0)
    for _ in range(2):
        with pytest.raises(Unavailable):
            await retry_safe_read(script, budget=budget, sleep=script.sleep)

    assert script.calls == 3
    assert budget.refused == 2


async def test_cancellation_and_the_outer_deadline_pass_through() -> None:
    started = 0

    async def hang() -> None:
        nonlocal started
        started += 1
        await asyncio.Event().wait()

    with pytest.raises(TimedOut):
        async with deadline("exchange", 0.05):
            await retry_safe_read(hang, budget=RetryBudget())

    assert started == 1


@FRUGAL
@given(
    ratio=st.floats(0, 1),
    reserve=st.floats(0, 10),
    attempts=st.integers(1, 5),
    calls=st.integers(1, 60),
)
def test_retries_stay_within_the_budget_however_sick_the_venue(
    ratio: float, reserve: float, attempts: int, calls: int
) -> None:
    budget = RetryBudget(ratio=ratio, reserve=reserve)
    script = Script()

    async def broken() -> None:
        script.calls += 1
        raise Unavailable("exchange")

    for _ in range(calls):
        with pytest.raises(Unavailable):
            run_now(retry_safe_read(broken, attempts=attempts, budget=budget, sleep=script.sleep))

    retries = script.calls - calls
    assert retries == len(script.slept)
    assert retries <= calls * (attempts - 1)
    assert retries <= reserve + ratio * calls + 1e-6


@FRUGAL
@given(
    first=st.floats(0.001, 10),
    cap=st.floats(0.001, 100),
    retry=st.integers(1, 2000),
    seed=st.integers(),
)
def test_pauses_never_exceed_the_cap_nor_the_doubling(
    first: float, cap: float, retry: int, seed: int
) -> None:
    rng = random.Random(seed)  # noqa: S311  # jitter
    pause = Backoff(first_seconds=first, cap_seconds=cap).delay(retry, rng)

    assert 0 <= pause <= min(cap, first * 2.0 ** min(retry - 1, 62))


@pytest.mark.parametrize(("ratio", "reserve", "most"), [(-0.1, 1, 1), (1.1, 1, 1), (0.1, 2, 1)])
def test_refuses_a_budget_that_makes_no_sense(ratio: float, reserve: float, most: float) -> None:
    with pytest.raises(ValueError, match="budget"):
        RetryBudget(ratio=ratio, reserve=reserve, most=most)
