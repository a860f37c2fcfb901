"""The status board."""

import asyncio
from contextlib import aclosing

from domain.status import ComponentState, Finding, StatusBoard
from domain.status import service as status_service
from tests.domain.doubles import ManualClock

UP, DEGRADED, DOWN = ComponentState


class Probe:
    def __init__(self, name: str, *, required: bool) -> None:
        self.name = name
        self.required = required
        self.finding: Finding | None = Finding(UP)

    async def look(self) -> Finding:
        if self.finding is None:
            await asyncio.Event().wait()
        assert self.finding is not None
        return self.finding


def board() -> tuple[StatusBoard, Probe, Probe, ManualClock]:
    database, exchange = Probe("database", required=True), Probe("exchange", required=False)
    clock = ManualClock()
    return StatusBoard([database, exchange], clock), database, exchange, clock


async def test_nothing_is_ready_before_it_was_looked_at():
    status = board()[0].status()

    assert (status.state, status.ready) == (DOWN, False)


async def test_the_whole_is_as_bad_as_its_required_parts():
    whole, database, exchange, _ = board()
    seen = []
    for first, second in [(UP, UP), (UP, DOWN), (DEGRADED, UP), (DOWN, UP)]:
        database.finding, exchange.finding = Finding(first), Finding(second)
        await whole.beat()
        seen.append((whole.status().state, whole.status().ready))

    assert seen == [(UP, True), (DEGRADED, True), (DEGRADED, True), (DOWN, False)]


async def test_since_is_when_the_state_changed_not_the_detail():
    whole, database, _, clock = board()
    await whole.beat()
    clock.seconds = 5
    database.finding = Finding(UP, "slow")
    await whole.beat()

    component = whole.status().components[0]
    assert (component.detail, component.since) == ("slow", ManualClock().now())


async def test_a_probe_that_hangs_is_down(monkeypatch):
    monkeypatch.setattr(status_service, "PROBE_TIMEOUT_SECONDS", 0.001)
    whole, database, _, _ = board()
    database.finding = None
    await whole.beat()

    component = whole.status().components[0]
    assert (component.state, component.detail) == (DOWN, "does not answer")


async def test_watchers_get_the_status_at_once_and_every_change():
    whole, database, _, _ = board()
    await whole.beat()
    async with aclosing(whole.watch()) as changes:
        assert (await anext(changes)).state is UP
        await whole.beat()
        database.finding = Finding(DOWN)
        await whole.beat()
        async with asyncio.timeout(1):
            assert (await anext(changes)).state is DOWN
