"""A connection without a network: what others may do to it from outside, and what it takes back."""

import asyncio
from collections.abc import AsyncGenerator, MutableMapping
from typing import Any

import orjson
import pytest
import strawberry

from adapters.gateway.desk import OperationDesk, nobody
from adapters.gateway.fanout.flusher import Flusher
from adapters.gateway.fanout.sharing import Sharing
from adapters.gateway.fanout.wires import AsgiWire, Wire
from adapters.gateway.operations import OperationRunner
from adapters.gateway.sockets.connection import Connection, Peer, Services, SocketLimits
from adapters.gateway.sockets.wire import WireGone
from adapters.telemetry import Metrics, NullErrorReporter, correlation
from domain.kernel.viewer import Viewer
from tests.world import eventually


class Line:
    """Both ends of a socket in memory; writing can be held up."""

    heard_at = float("inf")
    direct = False

    def __init__(self) -> None:
        self.asgi = AsgiWire(self._send)
        self.wire: Wire = self.asgi
        self.inbound: asyncio.Queue[str | None] = asyncio.Queue()
        self.got: list[dict[str, object]] = []
        self.open = asyncio.Event()
        self.open.set()
        self.closed: tuple[int, str] | None = None
        self.written = asyncio.Event()

    async def receive(self) -> str | bytes:
        message = await self.inbound.get()
        if message is None:
            raise WireGone
        return message

    async def run(self) -> None:
        await self.asgi.run()

    def cut(self, code: int, reason: str) -> None:
        raise AssertionError("whoever reads is not cut off")

    async def _send(self, message: MutableMapping[str, Any]) -> None:
        self.written.set()
        await self.open.wait()
        if message["type"] == "websocket.close":
            self.closed = (message["code"], message["reason"])
        else:
            self.got.append(orjson.loads(message["text"]))

    def say(self, **message: object) -> None:
        self.inbound.put_nowait(orjson.dumps(message).decode())

    async def until(self, count: int) -> None:
        await eventually(lambda: len(self.got) >= count)


class Seen:
    def __init__(self) -> None:
        self.viewers: list[object] = []
        self.open = 0


async def ones(info: strawberry.Info[Seen, None]) -> AsyncGenerator[int, None]:
    info.context.open += 1
    try:
        while True:
            yield 1
    finally:
        info.context.open -= 1


@strawberry.type
class Query:
    one: int = 1


@strawberry.type
class Subscription:
    ones: AsyncGenerator[int, None] = strawberry.subscription(resolver=ones)


@pytest.fixture
def seen() -> Seen:
    return Seen()


@pytest.fixture
def line() -> Line:
    return Line()


@pytest.fixture
async def connection(line: Line, seen: Seen) -> Connection:
    def context(viewer: Viewer, _connection: object) -> Seen:
        seen.viewers.append(viewer.user_id)
        return seen

    desk = OperationDesk(
        context=context,
        identify=nobody,
        metrics=Metrics(role="web"),
        reporter=NullErrorReporter(),
        suggestions=True,
    )
    schema = strawberry.Schema(Query, subscription=Subscription)
    services = Services(
        runner=OperationRunner(schema, desk),
        sharing=Sharing(schema, desk),
        flusher=Flusher(),
        limits=SocketLimits(),
        wait_seconds_of=lambda _address, _what: None,
    )
    return Connection(line, Peer(correlation.begin(), "192.0.2.1", {}), services)


async def test_a_connection_can_be_closed_from_outside(
    connection: Connection, line: Line, seen: Seen
) -> None:
    line.say(type="connection_init")
    line.say(type="subscribe", id="1", payload={"query": "subscription { ones }"})
    async with asyncio.TaskGroup() as tasks:
        running = tasks.create_task(connection.run())
        await line.until(3)
        connection.close(4403, "Your session was revoked")
        connection.close(1011, "too late: the first one counts")

    assert running.result().code == 4403
    assert line.closed == (4403, "Your session was revoked")
    assert seen.open == 0


async def test_a_completed_operation_takes_back_what_has_not_left(
    connection: Connection, line: Line, seen: Seen
) -> None:
    line.say(type="connection_init")
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(connection.run())
        await line.until(1)
        line.open.clear()
        line.written.clear()
        line.say(type="ping")  # holds the line
        await line.written.wait()
        line.say(type="subscribe", id="1", payload={"query": "subscription { ones }"})
        await eventually(lambda: connection._outbox.bytes_kept > 0)
        line.say(type="complete", id="1")
        await eventually(lambda: seen.open == 0)
        line.open.set()
        line.say(type="ping")
        await line.until(3)
        line.inbound.put_nowait(None)

    assert [frame["type"] for frame in line.got] == ["connection_ack", "pong", "pong"]


async def test_a_cancelled_connection_leaves_nothing_behind(
    connection: Connection, line: Line, seen: Seen
) -> None:
    line.say(type="connection_init")
    for number in range(5):
        line.say(type="subscribe", id=str(number), payload={"query": "subscription { ones }"})
    running = asyncio.ensure_future(connection.run())
    await line.until(8)
    running.cancel()

    with pytest.raises(asyncio.CancelledError):
        await running
    assert seen.open == 0
