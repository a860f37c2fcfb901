"""The way out: order, replacing, taking back, the bound, and an end to patience."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from adapters.gateway.sockets.outbox import Ended, Outbox
from adapters.gateway.sockets.wire import WireGone


class Reader:
    """A wire whose reader the test moves."""

    def __init__(self, *, takes_at_once: bool = False) -> None:
        self.got: list[bytes] = []
        self.reads = asyncio.Event()
        self.writing = asyncio.Event()
        self.gone = False
        self.takes_at_once = takes_at_once

    def write_now(self, frame: bytes) -> bool:
        if self.takes_at_once:
            self.got.append(frame)
        return self.takes_at_once

    async def write(self, frame: bytes) -> None:
        self.writing.set()
        await self.reads.wait()
        if self.gone:
            raise WireGone
        self.got.append(frame)

    async def close(self, code: int, reason: str) -> None:
        raise AssertionError("an outbox closes nothing")


@asynccontextmanager
async def running(outbox: Outbox) -> AsyncIterator[asyncio.Task[Ended]]:
    async with asyncio.TaskGroup() as tasks:
        task = tasks.create_task(outbox.run())
        yield task
        task.cancel()


def boxed(reader: Reader, **more: object) -> tuple[Outbox, list[str]]:
    full: list[str] = []
    given: dict[str, object] = {"stall_seconds": 5.0, **more}
    return Outbox(reader, on_full=lambda: full.append("full"), **given), full  # type: ignore[arg-type]


async def test_frames_leave_in_order_and_their_lane_hears_of_it() -> None:
    reader = Reader()
    outbox, _ = boxed(reader)
    lane = outbox.lane()
    async with running(outbox):
        for number in range(3):
            lane.put(b"%d" % number)
        waiting = asyncio.ensure_future(lane.sent())
        await reader.writing.wait()
        assert not waiting.done()
        reader.reads.set()
        await waiting

    assert reader.got == [b"0", b"1", b"2"]
    assert (outbox.frames_waiting, outbox.bytes_waiting) == (0, 0)


async def test_a_newer_frame_takes_the_place_of_the_unsent_one_of_its_key() -> None:
    reader = Reader()
    outbox, _ = boxed(reader)
    prices, trades = outbox.lane(), outbox.lane()
    async with running(outbox):
        prices.put(b"first", key="BTC")
        await reader.writing.wait()  # too late to replace
        prices.put(b"old", key="BTC")
        trades.put(b"trade 1")
        prices.put(b"ETH", key="ETH")
        trades.put(b"trade 2")
        prices.put(b"newest", key="BTC")
        trades.put(b"same key, another lane", key="BTC")
        assert outbox.bytes_waiting == len(b"newest" + b"trade 1ETHtrade 2same key, another lane")
        reader.reads.set()
        await prices.sent()
        await trades.sent()

    assert reader.got == [
        b"first", b"newest", b"trade 1", b"ETH", b"trade 2", b"same key, another lane",
    ]  # fmt: skip


async def test_a_dropped_lane_takes_its_frames_back_and_holds_nobody() -> None:
    reader = Reader()
    outbox, _ = boxed(reader)
    ended, other = outbox.lane(), outbox.lane()
    async with running(outbox):
        other.put(b"under way")
        await reader.writing.wait()
        for number in range(5):
            ended.put(b"%d" % number)
        other.put(b"kept")
        ended.drop()
        ended.put(b"late")
        await ended.sent()
        assert (outbox.frames_waiting, outbox.bytes_waiting) == (1, len(b"kept"))
        reader.reads.set()
        await other.sent()

    assert reader.got == [b"under way", b"kept"]


async def test_a_frame_under_way_cannot_be_dropped_but_is_counted_out() -> None:
    reader = Reader()
    outbox, _ = boxed(reader)
    lane = outbox.lane()
    async with running(outbox):
        lane.put(b"under way")
        await reader.writing.wait()
        lane.drop()
        reader.reads.set()
        await lane.sent()

    assert reader.got == [b"under way"]


async def test_a_reader_that_takes_nothing_ends_the_writer() -> None:
    outbox, full = boxed(Reader(), stall_seconds=0.01)
    outbox.lane().put(b"x")

    assert await outbox.run() is Ended.STALLED
    assert full == []


async def test_a_peer_that_left_ends_the_writer() -> None:
    reader = Reader()
    reader.gone = True
    reader.reads.set()
    outbox, _ = boxed(reader)
    outbox.lane().put(b"x")

    assert await outbox.run() is Ended.GONE


async def test_the_bounds_of_frames_and_bytes_are_told_once_and_kept() -> None:
    for bounds in ({"frames_max": 3}, {"bytes_max": 30}):
        outbox, full = boxed(Reader(), **bounds)
        lane = outbox.lane()
        for _ in range(100):
            lane.put(b"0123456789")

        assert full == ["full"]
        assert (outbox.frames_waiting, outbox.bytes_waiting) == (4, 40)


async def test_growing_replacements_count_against_the_bound() -> None:
    outbox, full = boxed(Reader(), bytes_max=30)
    lane = outbox.lane()
    for size in (10, 20, 31):
        lane.put(b"x" * size, key="k")

    assert full == ["full"]


async def test_a_wire_that_takes_at_once_is_not_queued_for() -> None:
    reader = Reader(takes_at_once=True)
    outbox, _ = boxed(reader)
    lane = outbox.lane()

    lane.put(b"1")
    lane.put(b"2", key="k")

    assert reader.got == [b"1", b"2"]
    assert outbox.frames_waiting == 0
    await lane.sent()


async def test_what_is_written_at_once_never_overtakes_what_waits() -> None:
    reader = Reader()
    outbox, _ = boxed(reader)
    lane = outbox.lane()
    async with running(outbox):
        lane.put(b"1")
        await reader.writing.wait()
        reader.takes_at_once = True
        lane.put(b"2")
        assert reader.got == []
        reader.reads.set()
        await lane.sent()
        lane.put(b"3")

    assert reader.got == [b"1", b"2", b"3"]
