"""What each ready-made probe says of each state."""

from datetime import UTC, datetime

import pytest

from adapters.gateway import BreakerProbe, FeedProbe, PingProbe
from domain.kernel.failures import Unavailable
from domain.kernel.ids import Category
from domain.market.model import FeedReport, FeedState
from domain.status import ComponentState

SINCE = datetime(2026, 11, 22, tzinfo=UTC)


@pytest.mark.parametrize(
    ("error", "state", "detail"),
    [
        (None, ComponentState.UP, None),
        (
            Unavailable("database"),
            ComponentState.DOWN,
            "The database cannot be reached right now. Try again shortly.",
        ),
        (ConnectionRefusedError("10.0.0.7:5432"), ComponentState.DOWN, "cannot be reached"),
        (TimeoutError(), ComponentState.DOWN, "cannot be reached"),
    ],
)
async def test_a_ping_is_up_or_down(
    error: Exception | None, state: ComponentState, detail: str | None
) -> None:
    async def ping() -> None:
        if error is not None:
            raise error

    probe = PingProbe("postgres", ping, required=True)
    finding = await probe.look()

    assert (finding.state, finding.detail) == (state, detail)
    assert (probe.name, probe.required) == ("postgres", True)


async def test_a_breaker_shows_its_state() -> None:
    states = ["closed", "half_open", "open"]
    found = [(await BreakerProbe("bybit", lambda s=s: s).look()).state for s in states]  # type: ignore[misc]

    assert found == [ComponentState.UP, ComponentState.DEGRADED, ComponentState.DOWN]


@pytest.mark.parametrize(
    ("state", "shown"),
    [
        (FeedState.LIVE, ComponentState.UP),
        (FeedState.STARTING, ComponentState.DEGRADED),
        (FeedState.SILENT, ComponentState.DEGRADED),
        (FeedState.DISCONNECTED, ComponentState.DOWN),
    ],
)
async def test_a_feed_shows_its_last_report(state: FeedState, shown: ComponentState) -> None:
    reports = {Category.LINEAR: FeedReport(Category.LINEAR, state, SINCE, 1)}
    probe = FeedProbe(Category.LINEAR, lambda: reports)

    assert (await probe.look()).state is shown
    assert probe.name == "feed.LINEAR"
    assert (await FeedProbe(Category.SPOT, lambda: reports).look()).state is ComponentState.DOWN
