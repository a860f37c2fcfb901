"""Whatever clients and groups do in whatever order, the outbox keeps its promises."""

from collections import defaultdict
from collections.abc import Callable, Sequence
from typing import Any

import orjson
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from adapters.gateway.fanout import lanes
from adapters.gateway.fanout.flusher import Flusher, OutboxCounters, OutboxLimits
from adapters.gateway.fanout.outbox import Lane, Outbox
from adapters.gateway.fanout.sink import Encoded
from adapters.gateway.fanout.wires import Message
from domain.kernel.policy import Delivery

BYTES_MAX = 2500
ONE_VALUE_MAX = 120
OPERATIONS = {"latest": Delivery.LATEST, "bounded": Delivery.BOUNDED, "lossless": Delivery.LOSSLESS}


class Handle:
    def __init__(self, call: Callable[[], None]) -> None:
        self.call = call
        self.cancelled = False

    def cancel(self) -> None:
        self.cancelled = True


class ManualFlusher(Flusher):
    """The same, with time in the test's hands."""

    def __init__(self) -> None:
        self.limits = OutboxLimits(bytes_max=BYTES_MAX)
        self.counters = OutboxCounters()
        self.filled: list[Any] = []
        self.timers: list[Handle] = []

    def schedule(self, outbox: Any) -> None:
        self.filled.append(outbox)

    def later(self, seconds: float, call: Callable[[], None]) -> Any:
        self.timers.append(Handle(call))
        return self.timers[-1]


class Peer:
    def __init__(self) -> None:
        self.on_writable: Any = None
        self.open = True
        self.read: list[Any] = []
        self.code: int | None = None
        self.jams = False

    def writable(self) -> bool:
        return self.open and self.code is None

    def write(self, messages: Sequence[Message]) -> bool:
        assert self.writable()
        self.read += [orjson.loads(head + tail) for head, tail in messages]
        self.open = not self.jams
        return self.open

    def write_value(self, head: bytes, value: Encoded) -> bool:
        if not self.writable():
            return False
        self.write([(head, value.tail)])
        return True

    def close(self, code: int, reason: str) -> None:
        assert self.code is None
        self.code = code


def tell(content: Any, count: int) -> Any:
    return {**content, "missed": content["missed"] + count}


class OutboxMachine(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self._bounds = (lanes.BATCHES_MAX, lanes.LOSSLESS_MAX, lanes.FINAL_MAX)
        lanes.BATCHES_MAX, lanes.LOSSLESS_MAX, lanes.FINAL_MAX = 4, 5, 6
        self.peer = Peer()
        self.flusher = ManualFlusher()
        self.closes: list[int] = []
        self.outbox = Outbox(self.peer, self.flusher, lambda code, _: self.closes.append(code))
        self.lanes: dict[str, Lane] = {
            n: self.outbox.lane(n, d, single=True) for n, d in OPERATIONS.items()
        }
        self.offered: dict[str, list[Any]] = defaultdict(list)
        self.number = 0

    def teardown(self) -> None:
        lanes.BATCHES_MAX, lanes.LOSSLESS_MAX, lanes.FINAL_MAX = self._bounds

    @rule(
        name=st.sampled_from(sorted(OPERATIONS)), key=st.integers(0, 2), final=st.booleans(),
        carries=st.integers(1, 3), size=st.integers(0, 40),
    )  # fmt: skip
    def offer(self, name: str, key: int, final: bool, carries: int, size: int) -> None:
        self.number += 1
        content = {
            "data": self.number, "key": key, "missed": 0, "carries": carries, "fill": "x" * size,
            "final": final,
        }  # fmt: skip
        lane = self.lanes[name]
        if not self.outbox.closed and not lane.ended:
            self.offered[name].append(content)
        lane.offer(Encoded(content, key=key, final=final, carries=carries, add_dropped=tell))

    @rule()
    def say(self) -> None:
        self.outbox.say(b'{"id":"","type":"pong"}')

    @rule()
    def window_passes(self) -> None:
        filled, self.flusher.filled = self.flusher.filled, []
        for outbox in filled:
            outbox.flush()

    @rule()
    def reader_stops(self) -> None:
        self.peer.open = False

    @rule(jams=st.booleans())
    def reader_jams(self, jams: bool) -> None:
        self.peer.jams = jams

    @rule()
    def reader_reads(self) -> None:
        if not self.peer.open:
            self.peer.open = True
            if self.peer.on_writable is not None:
                self.peer.on_writable()

    @precondition(lambda self: any(not t.cancelled for t in self.flusher.timers))
    @rule()
    def patience_ends(self) -> None:
        for timer in self.flusher.timers:
            if not timer.cancelled:
                timer.cancelled = True
                timer.call()

    @rule(name=st.sampled_from(sorted(OPERATIONS)), errors=st.sampled_from([None, []]))
    def end(self, name: str, errors: Any) -> None:
        self.lanes[name].end(errors)

    def payloads(self, name: str) -> list[Any]:
        return [m["payload"] for m in self.peer.read if m["id"] == name and m["type"] == "next"]

    @invariant()
    def no_key_goes_back_in_time(self) -> None:
        for name in OPERATIONS:
            newest: dict[int, int] = {}
            for read in self.payloads(name):
                assert read["data"] > newest.get(read["key"], 0)
                newest[read["key"]] = read["data"]

    @invariant()
    def nothing_lossless_is_lost(self) -> None:
        read = self.payloads("lossless")
        assert read == self.offered["lossless"][: len(read)]

    @invariant()
    def what_is_missing_is_told(self) -> None:
        offered = {value["data"]: value for value in self.offered["bounded"]}
        read = self.payloads("bounded")
        if read:
            gone = [
                v for n, v in offered.items()
                if n < read[-1]["data"] and n not in {r["data"] for r in read}
            ]  # fmt: skip
            assert sum(r["missed"] for r in read) == sum(v["carries"] for v in gone)

    @invariant()
    def final_values_arrive_unless_more_than_the_bound_came(self) -> None:
        read = self.payloads("latest")
        if not read or self.peer.code is not None:
            return
        seen = {r["data"] for r in read}
        last = read[-1]["data"]
        missing = [v for v in self.offered["latest"] if v["final"] and v["data"] not in seen]
        older = [v for v in missing if v["data"] < last]
        arrived = [v for v in self.offered["latest"] if v["final"] and v["data"] in seen]
        assert len(older) == 0 or len(arrived) >= lanes.FINAL_MAX

    @invariant()
    def memory_is_bounded(self) -> None:
        outbox = self.outbox
        kept = sum(held_by(lane) for lane in outbox._waiting)
        assert outbox.bytes_kept == kept + sum(len(head) for head, _ in outbox._said)
        assert outbox.bytes_kept <= BYTES_MAX
        assert len(outbox._waiting) <= len(OPERATIONS)

    @invariant()
    def what_waits_will_go(self) -> None:
        outbox = self.outbox
        if outbox._waiting or outbox._said:
            assert outbox in self.flusher.filled or any(
                not timer.cancelled for timer in self.flusher.timers
            )

    @invariant()
    def it_is_closed_once_and_for_a_reason(self) -> None:
        assert self.closes == ([] if self.peer.code is None else [self.peer.code])
        assert self.peer.code in (None, 1013, 4412)
        if self.peer.code is not None:
            assert outbox_is_empty(self.outbox)

    @invariant()
    def after_the_end_nothing_comes(self) -> None:
        for name in OPERATIONS:
            kinds = [m["type"] for m in self.peer.read if m["id"] == name]
            assert all(kind == "next" for kind in kinds[:-1])


def held_by(lane: Lane) -> int:
    only = lane._only.size if lane._only is not None else 0
    return only + (lane._keeper.size if lane._keeper is not None else 0)


def outbox_is_empty(outbox: Outbox) -> bool:
    return not (outbox._waiting or outbox._said or outbox.bytes_kept)


TestOutbox = OutboxMachine.TestCase
TestOutbox.settings = settings(max_examples=150, stateful_step_count=60, deadline=None)
