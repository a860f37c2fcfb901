import random

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from adapters.bybit.logs import LogGate
from adapters.bybit.pacing import CONNECTS_MAX, ConnectLimit, ReconnectPause
from adapters.bybit.timings import STREAM_TIMINGS

# No deadline: a machine shared with others pauses as it likes.
FRUGAL = settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def production_pause(seed: int) -> ReconnectPause:
    return ReconnectPause(
        first_seconds=STREAM_TIMINGS.reconnect_first_seconds,
        cap_seconds=STREAM_TIMINGS.reconnect_cap_seconds,
        stable_after_seconds=STREAM_TIMINGS.stable_after_seconds,
        rng=random.Random(seed),  # noqa: S311  # jitter
    )


@FRUGAL
@given(st.integers(), st.lists(st.floats(0, 9.9), min_size=1, max_size=50))
def test_pauses_double_to_the_cap_and_never_exceed_it(seed: int, lasted: list[float]) -> None:
    pause = production_pause(seed)
    for count, seconds in enumerate(lasted):
        ceiling = min(0.25 * 2**count, 15)
        assert ceiling / 2 <= pause.after(seconds) <= ceiling


def test_a_connection_that_lasted_starts_the_pauses_over() -> None:
    pause = production_pause(1)
    for _ in range(10):
        pause.after(0)

    assert pause.after(10) <= 0.25


@FRUGAL
@given(st.integers(), st.floats(0, 9.99))
def test_a_stream_alone_stays_far_below_bybits_limit(seed: int, lasts: float) -> None:
    # 500 connections in five minutes: here every connection is dropped before it is stable.
    pause = production_pause(seed)
    now = dials = 0.0
    while now < 300:
        dials += 1
        now += lasts + pause.after(lasts)

    assert dials <= 60


@FRUGAL
@given(st.lists(st.floats(0, 5), max_size=700))
def test_all_streams_together_never_exceed_the_limit(waits: list[float]) -> None:
    limit = ConnectLimit(most=5, window_seconds=10)
    now = 0.0
    dials: list[float] = []
    for wait in waits:
        now += wait
        must_wait = limit.take(now)
        if must_wait == 0:
            dials.append(now)
        else:
            assert 0 < must_wait <= 10
    for index, dial in enumerate(dials):
        assert sum(dial - 10 < other <= dial for other in dials[: index + 1]) <= 5


def test_the_default_is_half_of_what_bybit_allows() -> None:
    limit = ConnectLimit()
    assert [limit.take(0) for _ in range(CONNECTS_MAX)] == [0] * 250

    assert limit.take(100) == 200
    assert limit.take(300) == 0


def test_one_log_line_per_key_and_period() -> None:
    gate = LogGate(every_seconds=10)

    assert [gate.admit("a", now) for now in (0, 1, 2, 10, 11)] == [0, None, None, 2, None]
    assert gate.admit("b", 1) == 0
