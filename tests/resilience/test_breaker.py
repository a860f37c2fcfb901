import asyncio

import pytest

from adapters.resilience import Breakers, BreakerState, BreakerThresholds, CircuitBreaker
from domain.kernel.failures import Failure, Rejected, TimedOut, Unavailable
from tests.resilience.fakes import FakeClock, Heard

THRESHOLDS = BreakerThresholds(
    window_seconds=10,
    calls_min=10,
    error_rate_max=0.5,
    consecutive_failures_max=3,
    open_seconds=2,
    open_seconds_max=5,
)


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def heard() -> Heard:
    return Heard()


@pytest.fixture
def breaker(clock: FakeClock, heard: Heard) -> CircuitBreaker:
    return CircuitBreaker(
        "venue", clock=clock, what="exchange", thresholds=THRESHOLDS, listener=heard
    )


def state_of(breaker: CircuitBreaker) -> BreakerState:
    # A call, because mypy believes that a property stays what an assertion has seen.
    return breaker.state


async def succeed() -> str:
    return "done"


async def fail(breaker: CircuitBreaker, failure: BaseException, times: int = 1) -> None:
    async def broken() -> None:
        raise failure

    for _ in range(times):
        with pytest.raises(type(failure)):
            await breaker.call(broken)


async def test_passes_results_through_while_closed(breaker: CircuitBreaker, heard: Heard) -> None:
    assert await breaker.call(succeed) == "done"

    assert state_of(breaker) is BreakerState.CLOSED
    assert breaker.retry_after_seconds == 0
    assert heard.changes == []


@pytest.mark.parametrize("failure", [Unavailable("exchange"), TimedOut("exchange")])
async def test_opens_after_consecutive_failures(
    breaker: CircuitBreaker, heard: Heard, failure: Failure
) -> None:
    await fail(breaker, failure, times=2)
    assert state_of(breaker) is BreakerState.CLOSED
    await fail(breaker, failure)

    assert state_of(breaker) is BreakerState.OPEN
    assert heard.changes == [(BreakerState.CLOSED, BreakerState.OPEN)]


async def test_open_refuses_without_calling_and_says_when_to_return(
    breaker: CircuitBreaker, clock: FakeClock
) -> None:
    await fail(breaker, TimedOut("exchange"), times=3)
    clock.seconds += 0.5
    called = False

    async def call() -> None:
        nonlocal called
        called = True

    with pytest.raises(Unavailable) as refused:
        await breaker.call(call)

    assert not called
    assert refused.value.what == "exchange"
    assert refused.value.retry_after_seconds == 1.5


@pytest.mark.parametrize("error", [Rejected("exchange"), ValueError("bug")])
async def test_refusals_and_bugs_do_not_count(breaker: CircuitBreaker, error: Exception) -> None:
    await fail(breaker, error, times=50)

    assert state_of(breaker) is BreakerState.CLOSED


async def test_a_success_between_breaks_the_row(breaker: CircuitBreaker) -> None:
    for _ in range(3):
        await fail(breaker, TimedOut("exchange"), times=2)
        await breaker.call(succeed)

    assert state_of(breaker) is BreakerState.CLOSED


async def test_opens_by_rate_only_with_enough_calls(breaker: CircuitBreaker) -> None:
    for _ in range(3):
        await breaker.call(succeed)
        await fail(breaker, TimedOut("exchange"), times=2)
    assert state_of(breaker) is BreakerState.CLOSED  # 6 of 9 failed: one call too few to judge
    await breaker.call(succeed)
    await fail(breaker, TimedOut("exchange"))

    assert state_of(breaker) is BreakerState.OPEN


async def test_outcomes_older_than_the_window_are_forgotten(
    breaker: CircuitBreaker, clock: FakeClock
) -> None:
    for _ in range(4):
        await fail(breaker, TimedOut("exchange"), times=2)
        await breaker.call(succeed)
        clock.seconds += 4
    await fail(breaker, TimedOut("exchange"), times=2)

    assert state_of(breaker) is BreakerState.CLOSED


async def test_half_open_lets_exactly_one_probe_pass(
    breaker: CircuitBreaker, clock: FakeClock
) -> None:
    await fail(breaker, TimedOut("exchange"), times=3)
    clock.seconds += 2
    assert state_of(breaker) is BreakerState.HALF_OPEN
    release = asyncio.Event()

    async with asyncio.TaskGroup() as tasks:
        probe = tasks.create_task(breaker.call(release.wait))
        await asyncio.sleep(0)
        with pytest.raises(Unavailable):
            await breaker.call(succeed)
        release.set()

    assert probe.result() is True
    assert state_of(breaker) is BreakerState.CLOSED


async def test_each_failed_probe_doubles_the_pause_up_to_its_cap(
    breaker: CircuitBreaker, clock: FakeClock
) -> None:
    await fail(breaker, TimedOut("exchange"), times=3)
    pauses = []
    for _ in range(3):
        pauses.append(breaker.retry_after_seconds)
        clock.seconds += breaker.retry_after_seconds
        await fail(breaker, TimedOut("exchange"))

    assert pauses == [2, 4, 5]


async def test_a_refusal_of_the_probe_closes(breaker: CircuitBreaker, clock: FakeClock) -> None:
    await fail(breaker, TimedOut("exchange"), times=3)
    clock.seconds += 2
    await fail(breaker, Rejected("exchange"))

    assert state_of(breaker) is BreakerState.CLOSED


async def test_a_cancelled_probe_makes_room_for_the_next(
    breaker: CircuitBreaker, clock: FakeClock
) -> None:
    await fail(breaker, TimedOut("exchange"), times=3)
    clock.seconds += 2
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0):
            await breaker.call(asyncio.Event().wait)

    assert state_of(breaker) is BreakerState.HALF_OPEN
    assert await breaker.call(succeed) == "done"
    assert state_of(breaker) is BreakerState.CLOSED


async def test_late_outcomes_of_an_earlier_state_are_ignored(
    breaker: CircuitBreaker, clock: FakeClock
) -> None:
    release = asyncio.Event()

    async def slow() -> None:
        await release.wait()
        raise TimedOut("exchange")

    async with asyncio.TaskGroup() as tasks:

        async def late() -> None:
            with pytest.raises(TimedOut):
                await breaker.call(slow)

        tasks.create_task(late())
        await asyncio.sleep(0)
        await fail(breaker, TimedOut("exchange"), times=3)
        clock.seconds += 2
        assert state_of(breaker) is BreakerState.HALF_OPEN
        release.set()

    assert state_of(breaker) is BreakerState.HALF_OPEN


async def test_open_for_holds_as_long_as_told(
    breaker: CircuitBreaker, clock: FakeClock, heard: Heard
) -> None:
    breaker.open_for(600)
    since = breaker.since
    clock.seconds += 599
    assert state_of(breaker) is BreakerState.OPEN
    assert breaker.since == since
    breaker.open_for(0)
    assert breaker.retry_after_seconds == 1
    clock.seconds += 1

    assert state_of(breaker) is BreakerState.HALF_OPEN
    assert breaker.since == clock.now()
    assert heard.changes == [
        (BreakerState.CLOSED, BreakerState.OPEN),
        (BreakerState.OPEN, BreakerState.HALF_OPEN),
    ]


async def test_the_registry_gives_one_breaker_per_name(clock: FakeClock) -> None:
    breakers = Breakers(clock)

    assert breakers.of("redis") is breakers.of("redis")
    assert breakers.of("bybit-rest", what="exchange").name == "bybit-rest"
    assert [breaker.name for breaker in breakers] == ["bybit-rest", "redis"]
    breakers.of("redis").open_for(1)
    assert breakers.states() == {"bybit-rest": BreakerState.CLOSED, "redis": BreakerState.OPEN}
