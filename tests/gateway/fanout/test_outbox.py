"""What a slow reader gets: by the field's delivery, in order, within bounds."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import orjson
import pytest

from adapters.gateway.fanout.flusher import Flusher, OutboxLimits
from adapters.gateway.fanout.lanes import BATCHES_MAX, FINAL_MAX, LOSSLESS_MAX
from adapters.gateway.fanout.outbox import Outbox
from adapters.gateway.fanout.sink import Encoded
from adapters.gateway.fanout.wires import AsgiWire, Message
from domain.kernel.policy import Delivery


class Gate:
    """A wire whose reader a test opens and shuts. Closed, it takes one more write, as TCP does."""

    def __init__(self) -> None:
        self.on_writable: Any = None
        self.open = True
        self.jams = False
        self.writes: list[list[Any]] = []
        self.closed: list[tuple[int, str]] = []

    def writable(self) -> bool:
        return self.open and not self.closed

    def write(self, messages: Sequence[Message]) -> bool:
        assert self.writable()
        self.writes.append([orjson.loads(head + tail) for head, tail in messages])
        self.open = not self.jams
        return self.writable()

    def write_value(self, head: bytes, value: Encoded) -> bool:
        if not self.writable():
            return False
        self.write([(head, value.tail)])
        return True

    def close(self, code: int, reason: str) -> None:
        self.closed.append((code, reason))

    def reopen(self) -> None:
        self.open = True
        if self.on_writable is not None:
            self.on_writable()

    @property
    def read(self) -> list[Any]:
        return [message for write in self.writes for message in write]


def value(number: int, **more: Any) -> Encoded:
    return Encoded({"data": number}, **more)


def numbers(messages: list[Any], operation: str = "1") -> list[int]:
    return [m["payload"]["data"] for m in messages if m["id"] == operation and m["type"] == "next"]


async def tick() -> None:
    """Longer than the window: what is to go out has gone."""
    await asyncio.sleep(0.005)


def outbox(gate: Gate, **limits: Any) -> tuple[Outbox, Flusher, list[tuple[int, str]]]:
    closed: list[tuple[int, str]] = []
    flusher = Flusher(limits=OutboxLimits(**limits))
    return Outbox(gate, flusher, lambda *why: closed.append(why)), flusher, closed


async def test_frames_of_one_tick_leave_in_one_write():
    gate = Gate()
    out, flusher, _ = outbox(gate)
    lanes = [out.lane(str(n), Delivery.LATEST) for n in range(10)]
    for lane in lanes:
        lane.offer(value(5))
    out.say(b'{"type":"pong"}')
    await tick()

    [write] = gate.writes
    assert write[0] == {"type": "pong"}
    assert write[1:] == [{"id": str(n), "type": "next", "payload": {"data": 5}} for n in range(10)]
    assert (flusher.counters.deliveries, flusher.counters.writes) == (10, 1)


async def test_the_only_operation_of_single_values_waits_for_no_company():
    gate = Gate()
    out, flusher, _ = outbox(gate)
    lane = out.lane("1", Delivery.LATEST, single=True)
    lane.offer(value(1))
    assert numbers(gate.read) == [1]  # at once

    gate.open = False
    for number in (2, 3):
        lane.offer(value(number))
    gate.open = True  # not told yet: nothing overtakes what waits
    lane.offer(value(4))
    assert numbers(gate.read) == [1]
    gate.reopen()
    await tick()
    assert numbers(gate.read) == [1, 4]
    assert out.bytes_kept == 0

    other = out.lane("2", Delivery.LATEST, single=True)
    lane.offer(value(5))
    other.offer(value(6))
    assert len(gate.writes) == 2
    await tick()
    assert [m["payload"]["data"] for m in gate.writes[-1]] == [5, 6]  # in one write
    other.leave()
    lane.offer(value(7))
    assert numbers(gate.read) == [1, 4, 5, 7]
    assert (flusher.counters.deliveries, flusher.counters.writes) == (5, 4)


async def test_of_what_waits_the_newest_of_each_key_is_kept():
    gate = Gate()
    out, flusher, _ = outbox(gate)
    lane = out.lane("1", Delivery.LATEST)
    gate.open = False
    for number in range(9):
        lane.offer(value(number, key=number % 2))
    await tick()
    assert gate.writes == []
    gate.reopen()
    await tick()

    assert sorted(numbers(gate.read)) == [7, 8]
    assert flusher.counters.conflated == 7
    assert out.bytes_kept == 0


async def test_final_values_are_all_kept_up_to_a_bound():
    gate = Gate()
    out, _, _ = outbox(gate)
    lane = out.lane("1", Delivery.LATEST)
    gate.open = False
    for number in range(6):
        lane.offer(value(number, final=number in (1, 2)))
    gate.reopen()
    await tick()
    assert numbers(gate.read) == [1, 2, 5]

    gate.open = False
    for number in range(FINAL_MAX + 11):
        lane.offer(value(number, final=True))
    gate.writes.clear()
    gate.reopen()
    await tick()
    assert numbers(gate.read) == list(range(10, FINAL_MAX + 11))


async def test_batches_are_kept_up_to_a_bound_and_the_rest_is_told():
    def told(content: Any, count: int) -> Any:
        return {**content, "missing": count}

    gate = Gate()
    out, _, closed = outbox(gate)
    lane = out.lane("1", Delivery.BOUNDED)
    gate.open = False
    for number in range(BATCHES_MAX + 10):
        lane.offer(value(number, carries=3, add_dropped=told))
    gate.reopen()
    await tick()

    assert numbers(gate.read) == list(range(10, BATCHES_MAX + 10))
    assert [m["payload"].get("missing") for m in gate.read[:3]] == [30, None, None]
    lane.offer(value(0, carries=3, add_dropped=told))
    await tick()
    assert "missing" not in gate.read[-1]["payload"]
    assert closed == []


async def test_what_must_not_be_lost_ends_the_connection_that_does_not_take_it():
    gate = Gate()
    out, flusher, closed = outbox(gate)
    lane = out.lane("1", Delivery.LOSSLESS)
    for number in range(LOSSLESS_MAX * 2):  # in one turn: a burst is no slowness
        lane.offer(value(number))
    await tick()
    assert numbers(gate.read) == list(range(LOSSLESS_MAX * 2))

    gate.open = False
    for number in range(LOSSLESS_MAX):
        lane.offer(value(number))
    assert closed == []
    lane.offer(value(0))

    assert [code for code, _ in closed] == [code for code, _ in gate.closed] == [4412]
    assert flusher.counters.closed == {4412: 1}
    assert out.bytes_kept == 0
    lane.offer(value(1))
    out.say(b"{}")
    out.close(1000, "again")
    assert (out.bytes_kept, len(gate.closed)) == (0, 1)


@pytest.mark.parametrize(("delivery", "code"), [(Delivery.LATEST, 1013), (Delivery.LOSSLESS, 4412)])
async def test_who_reads_nothing_for_too_long_is_closed(delivery: Delivery, code: int):
    gate = Gate()
    out, _, closed = outbox(gate, slow_reader_seconds=0.05)
    gate.open = False
    out.lane("1", delivery).offer(value(1))
    while not closed:
        await tick()

    assert closed == gate.closed
    assert closed[0][0] == code


async def test_who_reads_in_time_is_not_closed():
    gate = Gate()
    out, _, closed = outbox(gate, slow_reader_seconds=0.05)
    lane = out.lane("1", Delivery.LATEST)
    for number in range(8):
        gate.open = False
        lane.offer(value(number))
        await asyncio.sleep(0.02)
        gate.reopen()
        await tick()

    assert numbers(gate.read) == list(range(8))
    assert closed == []


async def test_bytes_are_bounded():
    gate = Gate()
    out, _, closed = outbox(gate, bytes_max=10_000)
    gate.open = False
    lanes = [out.lane(str(n), Delivery.LATEST) for n in range(20)]
    for lane in lanes:
        lane.offer(Encoded({"data": "x" * 1000}))
        assert out.bytes_kept <= 11_100

    assert [code for code, _ in closed] == [1013]
    assert out.bytes_kept == 0


async def test_a_burst_above_the_bound_is_let_out_if_the_wire_takes_it():
    gate = Gate()
    out, _, closed = outbox(gate, bytes_max=10_000)
    for number in range(20):
        out.lane(str(number), Delivery.LATEST).offer(Encoded({"data": "x" * 1000}))
    await tick()

    assert len(gate.read) == 20
    assert closed == []


async def test_pongs_nobody_reads_are_bounded():
    gate = Gate()
    out, _, closed = outbox(gate)
    gate.open = False
    for _ in range(1001):
        out.say(b'{"type":"pong"}')

    assert [code for code, _ in closed] == [1013]


async def test_the_end_comes_behind_what_is_kept():
    ended: list[str] = []
    gate = Gate()
    out, _, _ = outbox(gate)
    done = out.lane("1", Delivery.LOSSLESS, lambda: ended.append("1"))
    failed = out.lane("2", Delivery.LATEST, lambda: ended.append("2"))
    gate.open = False
    done.offer(value(1))
    done.end(None)
    done.end(None)
    failed.end([{"message": "gone"}])
    failed.offer(value(9))
    gate.reopen()
    await tick()

    assert gate.read == [
        {"id": "1", "type": "next", "payload": {"data": 1}},
        {"id": "1", "type": "complete"},
        {"id": "2", "type": "error", "payload": [{"message": "gone"}]},
    ]
    assert ended == ["1", "2"]


async def test_who_left_gets_nothing_more_not_even_what_was_kept():
    gate = Gate()
    out, _, _ = outbox(gate)
    lane = out.lane("1", Delivery.LOSSLESS)
    gate.open = False
    lane.offer(value(1))
    lane.leave()
    lane.offer(value(2))
    lane.end(None)
    assert out.bytes_kept == 0
    gate.reopen()
    await tick()

    assert gate.read == []


async def test_who_has_no_lane_waits_for_its_reader():
    gate = Gate()
    out, _, _ = outbox(gate)
    await out.sent()
    out.say(b'{"id":"1"}')
    gate.open = False
    waiting = asyncio.ensure_future(out.sent())
    await tick()
    assert not waiting.done()
    gate.reopen()
    await waiting
    assert gate.read == [{"id": "1"}]

    gate.jams = True  # it takes one more and is full
    out.say(b'{"id":"2"}')
    waiting = asyncio.ensure_future(out.sent())
    await tick()
    assert gate.read == [{"id": "1"}, {"id": "2"}]
    assert not waiting.done()
    gate.reopen()
    await waiting

    out.say(b'{"id":"3"}')
    waiting = asyncio.ensure_future(out.sent())
    await asyncio.sleep(0)
    out.lost()
    await waiting


async def test_one_turn_of_the_loop_does_not_serve_everybody(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("adapters.gateway.fanout.flusher.CONNECTIONS_PER_TURN", 10)
    flusher = Flusher()
    gates = [Gate() for _ in range(25)]
    for gate in gates:
        Outbox(gate, flusher).lane("1", Delivery.LATEST).offer(value(1))
    served: list[int] = []
    while (count := sum(bool(gate.writes) for gate in gates)) < 25:
        if not served or served[-1] != count:
            served.append(count)
        await asyncio.sleep(0)

    assert served == [0, 10, 20]


# Any ASGI server.


class Server:
    """ASGI's ``send``, whose peer a test lets read."""

    def __init__(self) -> None:
        self.sent: list[Any] = []
        self.reading = asyncio.Event()
        self.reading.set()

    async def send(self, message: Any) -> None:
        await self.reading.wait()
        self.sent.append(message)


@asynccontextmanager
async def over_asgi(**limits: Any) -> AsyncIterator[tuple[Server, Outbox, asyncio.Task[None]]]:
    server = Server()
    wire = AsgiWire(server.send)
    async with asyncio.TaskGroup() as tasks:
        task = tasks.create_task(wire.run())
        yield server, Outbox(wire, Flusher(limits=OutboxLimits(**limits))), task
        task.cancel()


async def test_over_asgi_a_slow_reader_is_treated_the_same():
    async with over_asgi() as (server, out, _):
        lane = out.lane("1", Delivery.LATEST)
        lane.offer(value(1))
        await tick()
        server.reading.clear()
        for number in range(2, 10):
            lane.offer(value(number))
            await tick()
        server.reading.set()
        await tick()

        assert [orjson.loads(m["text"])["payload"]["data"] for m in server.sent] == [1, 2, 9]


async def test_over_asgi_the_close_comes_last_and_ends_the_wire():
    async with over_asgi() as (server, out, task):
        out.lane("1", Delivery.LATEST).offer(value(1))
        out.close(1013, "slow")
        await asyncio.wait([task], timeout=1)

        assert [m["type"] for m in server.sent] == ["websocket.send", "websocket.close"]
        assert (server.sent[1]["code"], server.sent[1]["reason"]) == (1013, "slow")
        assert task.done()
