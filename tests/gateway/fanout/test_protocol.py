"""Direct writes below uvicorn, over real sockets, on both event loops."""

import asyncio
import os
import socket
import ssl
import threading
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager, nullcontext, suppress
from typing import Any

import orjson
import pytest
import uvicorn
import uvloop
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from adapters.gateway.fanout import protocol
from adapters.gateway.fanout.flusher import Flusher, OutboxLimits
from adapters.gateway.fanout.outbox import Outbox
from adapters.gateway.fanout.protocol import DIRECT, DirectWire, DirectWrites, contract_problem
from adapters.gateway.fanout.sink import Encoded
from adapters.gateway.fanout.wires import framed
from domain.kernel.policy import Delivery

LOOPS = {"asyncio": asyncio.new_event_loop, "uvloop": uvloop.new_event_loop}


@pytest.fixture(params=sorted(LOOPS))
def on_loop(request: pytest.FixtureRequest) -> Callable[[Coroutine[Any, Any, None]], None]:
    """Runs a scenario on a loop of its own, in a thread of its own."""

    def run(scenario: Coroutine[Any, Any, None]) -> None:
        failed: list[BaseException] = []

        def body() -> None:
            try:
                with asyncio.Runner(loop_factory=LOOPS[request.param]) as runner:
                    runner.run(asyncio.wait_for(scenario, 20))
            except BaseException as error:  # noqa: BLE001  # carried to the test
                failed.append(error)

        thread = threading.Thread(target=body)
        thread.start()
        thread.join()
        if failed:
            raise failed[0]

    return run


class Side:
    """The application's side of one socket."""

    def __init__(self, scope: Any, send: Any) -> None:
        self.send = send
        self.direct: DirectWrites | None = scope["extensions"].get(DIRECT)
        self.ended = asyncio.Event()
        self.writable = asyncio.Event()

    @property
    def raw(self) -> DirectWrites:
        assert self.direct is not None
        return self.direct

    def write(self, text: str) -> None:
        self.raw.write_directly(framed([(b"", text.encode())]))

    async def taken(self) -> None:
        while not self.raw.ready():
            self.writable.clear()
            self.raw.on_writable = self.writable.set
            await self.writable.wait()


class Server:
    def __init__(self, port: int, sides: "asyncio.Queue[Side]", tls: bool) -> None:
        self.port = port
        self.sides = sides
        self.scheme = "wss" if tls else "ws"

    @asynccontextmanager
    async def joined(self, **more: Any) -> AsyncIterator[tuple[ClientConnection, Side]]:
        more.setdefault("compression", None)
        address = f"{self.scheme}://127.0.0.1:{self.port}/"
        async with connect(address, max_size=None, **more) as client:
            yield client, await self.sides.get()


@asynccontextmanager
async def serving(**config: Any) -> AsyncIterator[Server]:
    sides: asyncio.Queue[Side] = asyncio.Queue()

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await receive()
        await send({"type": "websocket.accept"})
        side = Side(scope, send)
        sides.put_nowait(side)
        while (await receive())["type"] != "websocket.disconnect":
            pass
        side.ended.set()

    listener = socket.create_server(("127.0.0.1", 0))
    config.setdefault("ws_per_message_deflate", False)
    server = uvicorn.Server(
        uvicorn.Config(app, ws=DirectWrites, lifespan="off", log_config=None, loop="none", **config)
    )
    server.capture_signals = nullcontext  # type: ignore[method-assign,assignment]
    async with asyncio.TaskGroup() as tasks:
        running = tasks.create_task(server.serve([listener]))
        yield Server(listener.getsockname()[1], sides, "ssl_keyfile" in config)
        server.should_exit = True
        await running


SLOW: dict[str, Any] = {"max_queue": 1, "close_timeout": 0.2}
BIG = 512 * 1024


async def blocked(side: Side, size: int = BIG) -> list[str]:
    """Write until buffers are full all the way to the client; what was written."""
    written: list[str] = []
    while side.raw.ready():
        written.append(f"{len(written)}-" + "x" * size)
        side.write(written[-1])
        if not side.raw.ready():
            await asyncio.sleep(0.05)
    return written


def test_the_contract_holds_for_the_installed_uvicorn():
    # Fails on the day of an upgrade: read the new protocol against this module's docstring, run
    # these tests, then name the version in UVICORN_KNOWN.
    assert contract_problem() is None


def test_frames_of_all_lengths_arrive_whole_and_in_order(on_loop: Any):
    lengths = [1, 125, 126, 127, 65535, 65536, 200_000]

    async def scenario() -> None:
        async with serving() as server, server.joined() as (client, side):
            for length in lengths:
                await side.taken()
                side.write("é" + "x" * (length - 2) if length > 1 else "x")
            for length in lengths:
                assert len(await client.recv(decode=False)) == length
            side.raw.write_directly(framed([(b'{"a":', b"1}"), (b'{"b":', b"2}")]))
            assert [await client.recv(), await client.recv()] == ['{"a":1}', '{"b":2}']

    on_loop(scenario())


def test_written_and_sent_frames_keep_their_order(on_loop: Any):
    async def scenario() -> None:
        async with serving() as server, server.joined() as (client, side):
            for number in range(50):
                if side.raw.ready():
                    side.write(f"{number}")
                else:
                    await side.send({"type": "websocket.send", "text": f"{number}"})
                if number % 3 == 0:
                    await side.send({"type": "websocket.send", "text": f"sent {number}"})
            expected = []
            for number in range(50):
                expected += [f"{number}"] + ([f"sent {number}"] if number % 3 == 0 else [])
            assert [await client.recv() for _ in expected] == expected

    on_loop(scenario())


@pytest.mark.parametrize("size", [BIG, 8 * 1024])  # a rest above and below the high-water mark
def test_a_blocked_socket_says_so_and_says_when_it_is_free(on_loop: Any, size: int):
    async def scenario() -> None:
        # Pings come all the while: a frame of uvicorn's inside of one of ours would end it all.
        async with (
            serving(ws_ping_interval=0.01, ws_ping_timeout=30) as server,
            server.joined(**SLOW) as (client, side),
        ):
            written = await blocked(side, size)
            assert side.raw.transport.get_write_buffer_size() > 0
            freed = asyncio.Event()
            side.raw.on_writable = freed.set
            await asyncio.sleep(0.05)
            assert not freed.is_set()

            assert [await client.recv() for _ in written] == written
            await freed.wait()
            assert side.raw.ready()
            side.write("after")
            assert await client.recv() == "after"

    on_loop(scenario())


def test_a_slow_reader_gets_the_newest_and_holds_nothing(on_loop: Any):
    async def scenario() -> None:
        async with serving() as server, server.joined(**SLOW) as (client, side):
            out = Outbox(DirectWire(side.raw), Flusher())
            lane = out.lane("1", Delivery.LATEST)
            text = "x" * BIG
            for number in range(60):
                lane.offer(Encoded({"n": number, "x": text}))
                await asyncio.sleep(0.002)
                assert out.bytes_kept < BIG * 1.1
                assert side.raw.transport.get_write_buffer_size() < BIG * 1.1
            got = [orjson.loads(await client.recv())["payload"]["n"]]
            while got[-1] != 59:
                got.append(orjson.loads(await client.recv())["payload"]["n"])

            assert got == sorted(set(got))
            assert len(got) < 50

    on_loop(scenario())


async def read_on(client: ClientConnection, got: list[str]) -> None:
    """All there is, until it is closed."""
    while True:
        got.append(await client.recv(decode=True))


async def given_up(side: Side) -> list[str]:
    """Write until nothing goes and patience ends; what was written before."""
    closed = asyncio.Event()
    flusher = Flusher(limits=OutboxLimits(slow_reader_seconds=0.05))
    out = Outbox(DirectWire(side.raw), flusher, lambda *_: closed.set())
    lane = out.lane("1", Delivery.LATEST)
    written: list[str] = []
    while not closed.is_set():
        # The client may take a little more while it is busy: then the value goes out, too, and
        # there is room again.
        written += await blocked(side)
        lane.offer(Encoded({}))
        with suppress(TimeoutError):
            async with asyncio.timeout(0.5):
                await closed.wait()
    await side.ended.wait()
    assert flusher.counters.closed == {1013: 1}
    return written


def test_who_reads_again_is_told_why_it_was_closed(on_loop: Any):
    async def scenario() -> None:
        async with serving() as server, server.joined(**SLOW) as (client, side):
            written = await given_up(side)

            got: list[str] = []
            with pytest.raises(ConnectionClosed) as told:
                await read_on(client, got)
            assert [text for text in got if not text.startswith("{")] == written
            assert told.value.rcvd is not None
            assert told.value.rcvd.code == 1013
            assert told.value.rcvd.reason.startswith("You read too slowly.")

    on_loop(scenario())


def test_who_never_reads_again_is_cut_off(on_loop: Any, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(protocol, "GOODBYE_SECONDS", 0.1)

    async def scenario() -> None:
        async with serving() as server, server.joined(**SLOW) as (_, side):
            await given_up(side)
            await asyncio.sleep(0.3)

            assert side.raw not in side.raw.connections

    on_loop(scenario())


def test_a_connection_that_is_gone_is_never_written_to(on_loop: Any):
    async def scenario() -> None:
        async with serving() as server:
            async with server.joined() as (client, side):
                side.raw.on_writable = side.writable.set
                client.transport.abort()
                await side.ended.wait()
            # Whoever connects next may get the descriptor.
            async with server.joined() as (other, new):
                assert [side.raw.on_writable, side.raw.ready()] == [None, False]
                DirectWire(side.raw).close(1013, "late")
                new.write("mine")
                assert await other.recv() == "mine"

    on_loop(scenario())


def test_a_closing_connection_is_not_ready(on_loop: Any):
    async def scenario() -> None:
        async with serving() as server, server.joined() as (client, side):
            assert side.raw.ready()
            await side.send({"type": "websocket.close", "code": 4400})
            assert not side.raw.ready()
            with pytest.raises(ConnectionClosed):
                await client.recv()
            assert client.close_code == 4400

    on_loop(scenario())


def test_what_was_handed_to_the_transport_comes_first(on_loop: Any):
    """The loop's side of the contract: an empty buffer means that the kernel has it all."""

    async def scenario() -> None:
        async with serving() as server, server.joined() as (client, side):
            for number in range(20):
                await side.taken()
                side.raw.transport.write(framed([(b"", f"a{number}".encode())]))
                if side.raw.ready():
                    side.write(f"b{number}")
                    assert [await client.recv(), await client.recv()] == [
                        f"a{number}",
                        f"b{number}",
                    ]
            descriptor = side.raw.transport.get_extra_info("socket").fileno()
            assert os.get_blocking(descriptor) is False

    on_loop(scenario())


def test_compressed_connections_go_the_ordinary_way(on_loop: Any):
    async def scenario() -> None:
        async with (
            serving(ws_per_message_deflate=True) as server,
            server.joined(compression="deflate") as (client, side),
        ):
            assert side.direct is None
            await side.send({"type": "websocket.send", "text": "hello"})
            assert await client.recv() == "hello"

    on_loop(scenario())


def test_encrypted_connections_go_the_ordinary_way(on_loop: Any, certificate: dict[str, str]):
    async def scenario() -> None:
        trust = ssl.create_default_context(cafile=certificate["ssl_certfile"])
        trust.check_hostname = False
        async with serving(**certificate) as server, server.joined(ssl=trust) as (client, side):
            assert side.direct is None
            await side.send({"type": "websocket.send", "text": "hello"})
            assert await client.recv() == "hello"

    on_loop(scenario())


def test_an_unknown_uvicorn_switches_it_off_with_one_warning(
    on_loop: Any, monkeypatch: pytest.MonkeyPatch
):
    warned: list[Any] = []
    monkeypatch.setattr(uvicorn, "__version__", "0.99.0")
    monkeypatch.setattr(protocol.log, "warning", lambda event, **more: warned.append((event, more)))
    protocol._contract_holds.cache_clear()
    protocol._warn.cache_clear()

    async def scenario() -> None:
        async with serving() as server:
            for _ in range(3):
                async with server.joined() as (client, side):
                    assert side.direct is None
                    await side.send({"type": "websocket.send", "text": "hello"})
                    assert await client.recv() == "hello"

    try:
        on_loop(scenario())
    finally:
        protocol._contract_holds.cache_clear()
        protocol._warn.cache_clear()

    reason = "uvicorn 0.99.0 was not read, only 0.54.x"
    assert warned == [("direct_writes_off", {"reason": reason})]


def test_it_goes_with_other_subclasses_of_uvicorns_protocol(on_loop: Any):
    heard: list[int] = []

    class Listens(uvicorn.protocols.websockets.websockets_sansio_impl.WebSocketsSansIOProtocol):  # type: ignore[name-defined,misc]
        def data_received(self, data: bytes) -> None:
            heard.append(len(data))
            super().data_received(data)

    class Both(DirectWrites, Listens):
        pass

    assert [c.__name__ for c in Both.__mro__][:3] == ["Both", "DirectWrites", "Listens"]
