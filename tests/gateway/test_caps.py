"""How many connections and sockets one address may hold, and that each is given back."""

import asyncio
import resource
from contextlib import AsyncExitStack

import orjson
import pytest
from websockets.exceptions import InvalidStatus

from adapters.gateway.flood import SocketCaps
from adapters.gateway.server import listening
from adapters.gateway.server.connections import Admission, Connections
from tests.gateway.conftest import World, serving
from tests.gateway.wire import (
    HANDSHAKE,
    Answer,
    ask_raw,
    connected,
    metric,
    reset,
    until_metric,
    wire,
)

OPEN = 'okd_connections{server="web"}'
REFUSED = 'okd_refused_total{reason="%s"}'
LIVEZ = b"GET /livez HTTP/1.1\r\nhost: x\r\n\r\n"


async def test_three_hundred_sockets_of_one_address_meet_its_cap() -> None:
    async with serving(connections_per_address=100) as world:
        with connected(world, 300) as sockets:
            await until_metric(world, REFUSED % "connections_per_address", 200)
            assert metric(world, OPEN) == 100

            loop = asyncio.get_running_loop()
            sockets[150].setblocking(False)
            async with asyncio.timeout(5):
                answer = Answer.of(await loop.sock_recv(sockets[150], 65_536))
            assert (answer.status, answer.code) == (429, "RATE_LIMITED")
            assert answer.headers["retry-after"] == "5"

            for number, sock in enumerate(sockets[:100]):  # every way to leave
                if number % 3 == 0:
                    reset(sock)
                elif number % 3 == 1:
                    sock.shutdown(1)  # half-closed: it may still read, and has nothing to say
                else:
                    sock.close()
            await until_metric(world, OPEN, 0)
        assert (await world.ask("{ hello }")) == {"data": {"hello": "hello you"}}


async def test_a_cut_connection_is_given_back() -> None:
    async with serving(connections_per_address=2, head_timeout_seconds=0.3) as world:
        with connected(world, 2):
            await until_metric(world, OPEN, 2)
            assert (await ask_raw(world, LIVEZ)).status == 429
            await until_metric(world, OPEN, 0)
            assert (await world.client.get("/livez")).status_code == 200


async def test_a_process_has_a_cap_too() -> None:
    async with serving(connections_max=3) as world:
        with connected(world, 3):
            await until_metric(world, OPEN, 3)
            answer = await ask_raw(world, LIVEZ)

            assert (answer.status, answer.code) == (503, "OVERLOADED")
            assert metric(world, REFUSED % "connections_max") == 1


async def test_a_websocket_counts_once_and_is_given_back_after_a_reset() -> None:
    async with serving(connections_per_address=3) as world:
        async with wire(world) as first, wire(world) as second:
            for connection in (first, second):
                await connection.send(HANDSHAKE % b"")
                head = Answer.of(await connection.reader.readuntil(b"\r\n\r\n"))
                assert head.status == 101
            assert metric(world, OPEN) == 2
            assert metric(world, "okd_websocket_connections") == 2

            reset(second.writer.get_extra_info("socket")._sock.dup())
            second.writer.transport.abort()
            await until_metric(world, OPEN, 1)
            await until_metric(world, "okd_websocket_connections", 1)
        await until_metric(world, OPEN, 0)
        await until_metric(world, "okd_websocket_connections", 0)


async def test_sockets_of_one_address_have_a_cap_of_their_own() -> None:
    async with serving(sockets_per_address=2) as world:
        async with AsyncExitStack() as stack:
            for _ in range(2):
                await stack.enter_async_context(world.socket())
            status, code, wait = await refusal(world)
            assert (status, code, wait) == (429, "RATE_LIMITED", "5")
            assert (await world.ask("{ hello }")) == {"data": {"hello": "hello you"}}
            assert metric(world, REFUSED % "sockets_per_address") == 1
        await until_metric(world, "okd_websocket_connections", 0)
        async with world.socket():
            pass


async def test_behind_a_trusted_proxy_the_forwarded_client_counts() -> None:
    async with (
        serving(
            trusted_proxies="127.0.0.1", connections_per_address=1, sockets_per_address=2
        ) as world,
        AsyncExitStack() as stack,
    ):

        async def open_as(client: str) -> None:
            await stack.enter_async_context(
                world.socket(additional_headers={"x-forwarded-for": client})
            )

        await open_as("203.0.113.7")
        await open_as("203.0.113.7")
        await open_as("2001:db8:1:2::a")
        await open_as("2001:db8:1:2:ffff::b")  # the same /64

        assert (await refusal(world, client="203.0.113.7"))[0] == 429
        assert (await refusal(world, client="2001:db8:1:2::c"))[0] == 429
        await open_as("2001:db8:1:3::a")
        # The proxy holds five connections where a stranger may hold one.
        assert metric(world, REFUSED % "connections_per_address") == 0


async def test_a_drain_gives_everything_back() -> None:
    async with serving(drain_seconds=0) as world:
        async with world.socket(), wire(world) as idle:
            await until_metric(world, OPEN, 2)
            world.drain.begin()
            assert await idle.rest() == b""
        async with asyncio.timeout(5):
            await world.ended.wait()
        assert metric(world, OPEN) == 0
        assert metric(world, "okd_websocket_connections") == 0


def test_a_connection_leaves_once_however_often_it_is_said() -> None:
    connections = Connections(total_max=10, per_address_max=1, trusted_proxies=["10.0.0.0/8"])
    one, two, three = asyncio.Transport(), asyncio.Transport(), asyncio.Transport()

    assert connections.admit(one, "2001:db8::1") is Admission.ADMITTED
    assert connections.admit(two, "2001:db8::2") is Admission.ADDRESS_FULL
    for _ in range(2):
        connections.left(one)
        connections.left(two)  # never admitted
    assert connections.admit(two, "2001:db8::2") is Admission.ADMITTED
    assert connections.admit(one, "10.1.2.3") is Admission.ADMITTED
    assert connections.admit(three, "10.1.2.3") is Admission.ADMITTED
    assert (len(connections), connections.addresses) == (3, 1)
    for transport in (one, two, three):
        connections.left(transport)
    assert (len(connections), connections.addresses) == (0, 0)


def test_a_socket_that_fails_is_given_back() -> None:
    caps = SocketCaps(1)

    def fail() -> None:
        with caps.holding("a") as room, caps.holding("a") as second, caps.holding("b") as other:
            assert (room, second, other) == (True, False, True)
            raise LookupError

    with pytest.raises(LookupError):
        fail()
    assert caps.addresses == 0


def test_room_is_made_as_far_as_the_system_allows(monkeypatch: pytest.MonkeyPatch) -> None:
    limits: list[tuple[int, int]] = []
    monkeypatch.setattr(resource, "getrlimit", lambda _what: (1024, 4096))
    monkeypatch.setattr(resource, "setrlimit", lambda _what, limit: limits.append(limit))

    assert listening.make_room(500) == 500
    assert limits == []
    assert listening.make_room(2000) == 2000
    assert listening.make_room(10_000) == 4096 - 256
    assert limits == [(2256, 4096), (4096, 4096)]


async def refusal(world: World, client: str = "") -> tuple[int, str, str]:
    """The status, code and retry-after a socket is refused with."""
    headers = {"x-forwarded-for": client} if client else {}
    with pytest.raises(InvalidStatus) as refused:
        async with world.raw_socket(additional_headers=headers):
            pass
    response = refused.value.response
    [error] = orjson.loads(response.body or b"{}")["errors"]
    return response.status_code, error["extensions"]["code"], response.headers["retry-after"]
