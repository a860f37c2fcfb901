"""Readers that do not read: bounded, given up in time, and nobody else's business."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import orjson
import pytest

from adapters.gateway.sockets import protocol
from tests.gateway.conftest import Logs, World, serving
from tests.gateway.slow import SlowSocket, connected
from tests.gateway.test_gateway_socket import subscribe
from tests.world import eventually

pytestmark = pytest.mark.usefixtures("way")

FLOOD = "subscription { flood(size: 10000) }"
STALL: dict[str, Any] = {"stream_stall_seconds": 0.3}


def shown(world: World) -> str:
    return world.metrics.exposition().decode()


@asynccontextmanager
async def serving_slowly(**settings: Any) -> AsyncIterator[World]:
    """With little room in the kernel, so that a reader is felt soon."""
    async with serving(**settings) as world:
        world.listener.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 16_384)
        yield world


async def until_stuck(world: World) -> None:
    """Until no more values are asked for: what could be buffered is."""
    before = -1
    while world.stage.blocks_made != before:
        before = world.stage.blocks_made
        await asyncio.sleep(0.05)


@pytest.fixture
def lost(monkeypatch: pytest.MonkeyPatch) -> asyncio.Event:
    """Set when the server has let go of a connection."""
    event = asyncio.Event()
    for kind in (protocol.ChannelSocketProtocol, protocol.ChannelHttpProtocol):
        original = kind.connection_lost

        def connection_lost(self: Any, exc: Any, original: Any = original) -> None:
            original(self, exc)
            event.set()

        monkeypatch.setattr(kind, "connection_lost", connection_lost)
    return event


async def test_a_reader_that_stops_is_closed_with_1013_and_can_still_see_it(
    lost: asyncio.Event, logs: Logs
) -> None:
    async with serving_slowly(**STALL) as world:
        with await SlowSocket.open(world.url) as slow:
            await slow.send({"id": "1", "type": "subscribe", "payload": {"query": FLOOD}})
            await eventually(lambda: 'okd_websocket_closes_total{code="1013"} 1.0' in shown(world))
            await eventually(lambda: world.stage.streams_open == 0)
            assert not lost.is_set()

            assert await slow.close_code() == 1013
        await lost.wait()
        assert "okd_websocket_connections 0.0" in shown(world)
    assert "Traceback" not in logs.text


async def test_a_reader_that_never_comes_back_is_cut_off(
    monkeypatch: pytest.MonkeyPatch, lost: asyncio.Event, logs: Logs
) -> None:
    monkeypatch.setattr(protocol, "LINGER_SECONDS", 0.2)
    async with serving_slowly(**STALL) as world:
        with await SlowSocket.open(world.url) as slow:
            await slow.send({"id": "1", "type": "subscribe", "payload": {"query": FLOOD}})
            async with asyncio.timeout(10):
                await lost.wait()
            assert await slow.close_code() is None
    assert "Traceback" not in logs.text


async def test_a_slow_reader_slows_its_own_operations_and_nobody_elses() -> None:
    async with serving_slowly(stream_stall_seconds=60) as world, world.socket() as neighbour:
        with await SlowSocket.open(world.url) as slow:
            for number in range(5):
                message = {"id": str(number), "type": "subscribe", "payload": {"query": FLOOD}}
                await slow.send(message)
            await until_stuck(world)
            made = world.stage.blocks_made

            await subscribe(neighbour, "subscription { count(to: 50, every: 0.005) }")
            values = [orjson.loads(await neighbour.recv()) for _ in range(51)]
            assert values[-1]["type"] == "complete"
            # Not one value more was made for the reader who takes none.
            assert world.stage.blocks_made == made

            for _ in range(made):
                await slow.message()
            assert world.stage.blocks_made > made
        await eventually(lambda: world.stage.streams_open == 0)


async def test_a_slow_reader_of_an_event_stream_is_cut_off(lost: asyncio.Event, logs: Logs) -> None:
    async with serving_slowly(**STALL) as world:
        with await connected(world.url) as plug:
            loop = asyncio.get_running_loop()
            body = orjson.dumps({"query": FLOOD})
            await loop.sock_sendall(
                plug,
                b"POST /graphql HTTP/1.1\r\nhost: x\r\naccept: text/event-stream\r\n"
                b"content-type: application/json\r\n"
                b"content-length: %d\r\n\r\n" % len(body) + body,
            )
            async with asyncio.timeout(10):
                await lost.wait()
            assert world.stage.streams_open == 0
            await eventually(lambda: "okd_event_streams 0.0" in shown(world))

            received = b""
            while block := await loop.sock_recv(plug, 65_536):
                received += block
        assert received.startswith(b"HTTP/1.1 200 OK")
        assert not received.endswith(b"0\r\n\r\n")  # not whole, and the client can tell
        assert await world.ask("{ hello }") == {"data": {"hello": "hello you"}}
    assert [e for e in logs.events() if e["level"] == "error"] == []
