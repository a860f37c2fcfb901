"""Storms are let in evenly, and not at all when the queue is too long."""

import asyncio

import pytest

from adapters.gateway.fanout.flusher import Flusher
from adapters.gateway.fanout.outbox import Outbox
from adapters.gateway.fanout.pace import Pace
from domain.kernel.policy import Delivery
from tests.gateway.fanout.test_outbox import Gate, value


class Hand:
    """A clock's hand, moved by the test."""

    def __init__(self) -> None:
        self.seconds = 100.0

    def __call__(self) -> float:
        return self.seconds


def test_a_burst_goes_at_once_and_the_rest_in_its_turn():
    hand = Hand()
    pace = Pace(per_second=10, burst=3, longest_wait_seconds=0.25, now=hand)

    assert [pace.wait_seconds() for _ in range(3)] == [0, 0, 0]
    assert [pace.wait_seconds() for _ in range(2)] == pytest.approx([0.1, 0.2])
    assert pace.wait_seconds() is None  # and took no turn

    hand.seconds += 0.2
    assert pace.wait_seconds() == pytest.approx(0.1)
    hand.seconds += 60
    assert [pace.wait_seconds() for _ in range(4)] == pytest.approx([0, 0, 0, 0.1])


def test_a_pace_lets_something_through():
    for wrong in ({"per_second": 0.0}, {"burst": 0}):
        with pytest.raises(ValueError, match="lets something through"):
            Pace(now=Hand(), **wrong)


async def test_who_is_inside_is_served_while_a_storm_waits():
    pace = Pace(per_second=200, burst=5, longest_wait_seconds=1)
    gate = Gate()
    lane = Outbox(gate, Flusher()).lane("1", Delivery.LATEST)
    admitted: list[int] = []

    async def storm(number: int) -> None:
        if await pace.turn():
            admitted.append(number)

    async with asyncio.TaskGroup() as tasks:
        waiting = [tasks.create_task(storm(number)) for number in range(300)]
        await asyncio.sleep(0)
        for number in range(10):
            lane.offer(value(number))
            await asyncio.sleep(0.005)
        assert len(gate.writes) == 10
        assert 5 <= len(admitted) < 100
        for task in waiting:
            task.cancel()

    assert admitted == sorted(admitted)


async def test_who_would_wait_too_long_is_told_at_once():
    pace = Pace(per_second=1, burst=1, longest_wait_seconds=0.5)

    assert await pace.turn()
    assert not await pace.turn()
