"""Who sends slowly, nothing, too much or nonsense: cut in time, answered in our shape."""

import asyncio
import time
from contextlib import AsyncExitStack

import pytest

from tests.gateway.conftest import Logs, World, serving
from tests.gateway.wire import HANDSHAKE, Wire, ask_raw, metric, until_metric, wire

LIVEZ = b"GET /livez HTTP/1.1\r\nhost: x\r\n\r\n"
POST = (
    b"POST %s HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n"
)
CHUNKED = (
    b"POST /graphql HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n"
    b"transfer-encoding: chunked\r\n"
)


async def test_fifty_slow_heads_are_cut_within_the_deadline() -> None:
    async def dribble(slow: Wire) -> None:
        try:
            for byte in LIVEZ:
                await slow.send(bytes([byte]))
                await asyncio.sleep(0.2)
        except ConnectionError:
            pass  # cut, as wanted

    async with serving(head_timeout_seconds=1.0) as world, AsyncExitStack() as stack:
        began = time.monotonic()
        slow = [await stack.enter_async_context(wire(world)) for _ in range(50)]
        async with asyncio.TaskGroup() as tasks:
            senders = [tasks.create_task(dribble(one)) for one in slow]
            answers = await asyncio.gather(*(one.rest() for one in slow))
            took = time.monotonic() - began
            for sender in senders:
                sender.cancel()
        alive = await world.client.get("/livez")

        assert all(answer.startswith(b"HTTP/1.1 408 ") for answer in answers)
        assert took >= 1.0
        assert alive.status_code == 200
        assert metric(world, 'okd_connections_cut_total{deadline="head"}') == 50


async def test_a_connection_that_says_nothing_is_closed_without_a_word() -> None:
    async with serving(head_timeout_seconds=0.3) as world, wire(world) as silent:
        assert await silent.rest() == b""
        assert metric(world, 'okd_connections_cut_total{deadline="head"}') == 1


async def test_an_idle_connection_is_closed_and_blank_lines_do_not_keep_it() -> None:
    async with (
        serving(keep_alive_seconds=1, head_timeout_seconds=1.5) as world,
        wire(world) as idle,
        wire(world) as blank,
    ):
        for connection in (idle, blank):
            await connection.send(LIVEZ)
            assert (await connection.answer()).status == 200
        await blank.send(b"\r\n")

        assert await idle.rest() == b""
        assert (await blank.rest()).startswith(b"HTTP/1.1 408 ")


async def test_a_body_that_trickles_is_answered_and_the_connection_closed(logs: Logs) -> None:
    async with serving(body_timeout_seconds=0.3) as world, wire(world) as slow:
        await slow.send(POST % (b"/graphql", 1000) + b'{"que')
        answer = await slow.answer()

        assert (answer.status, answer.code) == (408, "REQUEST_TIMEOUT")
        assert answer.headers["connection"] == "close"
        assert await slow.rest() == b""
    assert "Traceback" not in logs.text


async def test_a_body_nobody_reads_does_not_hold_the_connection() -> None:
    async with serving(body_timeout_seconds=0.2, keep_alive_seconds=60) as world:
        async with wire(world) as slow:
            await slow.send(POST % (b"/nowhere", 1000) + b"x")
            assert (await slow.answer()).status == 404
            await slow.send(b"x")  # keeps uvicorn's own timer from running

            assert await slow.rest() == b""
        assert metric(world, 'okd_connections_cut_total{deadline="body"}') == 1


async def test_the_head_deadline_is_not_for_bodies_nor_for_idle_connections(hasty: World) -> None:
    body = b'{"query":"{ hello }"' + b" " * 100_000 + b"}"
    async with wire(hasty) as client, wire(hasty) as silent:
        # So that body and head come in reads of their own.
        expecting = POST.replace(b"host: x", b"host: x\r\nexpect: 100-continue")
        await client.send(expecting % (b"/graphql", len(body)))
        assert (await client.answer()).status == 100
        await client.send(body + LIVEZ[:10])
        first = await client.answer()
        await client.send(LIVEZ[10:])
        second = await client.answer()
        await silent.send(b"G")
        assert (await silent.rest()).startswith(b"HTTP/1.1 408 ")  # the deadline has passed
        await client.send(LIVEZ)
        third = await client.answer()

    assert [first.status, second.status, third.status] == [200, 200, 200]


async def test_an_answer_nobody_reads_is_cut() -> None:
    async with serving(write_timeout_seconds=0.5, keep_alive_seconds=60) as world:
        # Answers that fill the kernel's buffers, none of them read.
        body = b'{"query":"query($n: String!) { hello(name: $n) }","variables":{"n":"%s"}}'
        request = body % (b"x" * 900_000)
        async with wire(world) as deaf:
            deaf.writer.transport.pause_reading()  # type: ignore[attr-defined]
            for _ in range(12):
                deaf.writer.write(POST % (b"/graphql", len(request)) + request)
            await until_metric(world, 'okd_connections_cut_total{deadline="write"}', 1)

        assert (await world.ask("{ hello }")) == {"data": {"hello": "hello you"}}


@pytest.mark.parametrize(
    ("request_bytes", "status", "code"),
    [
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 400, "BAD_REQUEST"),
        (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 400, "BAD_REQUEST"),
        (b"GET /livez HTTP/1.1\r\n\r\n", 400, "BAD_REQUEST"),
        (b"GET /livez HTTP/1.1\r\nhost: a\r\nhost: b\r\n\r\n", 400, "BAD_REQUEST"),
        (b"GET /\xff HTTP/1.1\r\nhost: x\r\n\r\n", 400, "BAD_REQUEST"),
        (b"CONNECT a:443 HTTP/1.1\r\nhost: x\r\n\r\n", 400, "BAD_REQUEST"),
        (
            CHUNKED + b"content-length: 3\r\n\r\n0\r\n\r\n",
            400,
            "BAD_REQUEST",
        ),
        (b"POST /graphql HTTP/1.1\r\nhost: x\r\ncontent-length: 3\r\n", 408, "REQUEST_TIMEOUT"),
        (b"GET /" + b"a" * 8200 + b" HTTP/1.1\r\nhost: x\r\n\r\n", 414, "HEAD_TOO_LARGE"),
        (b"GET /" + b"a" * 2_000_000, 414, "HEAD_TOO_LARGE"),
        (b"GET / HTTP/1.1\r\nhost: x\r\na: " + b"b" * 17_000, 431, "HEAD_TOO_LARGE"),
        (b"GET / HTTP/1.1\r\nhost: x\r\na: " + b"b" * 2_000_000, 431, "HEAD_TOO_LARGE"),
        (b"GET / HTTP/1.1\r\nhost: x\r\n" + b"a: b\r\n" * 101 + b"\r\n", 431, "HEAD_TOO_LARGE"),
        (b"\r\n" * 20_000, 431, "HEAD_TOO_LARGE"),
        (HANDSHAKE.replace(b"version: 13", b"version: 8") % b"", 400, "BAD_REQUEST"),
        (HANDSHAKE.replace(b"dGhl", b"zz") % b"", 400, "BAD_REQUEST"),
        (HANDSHAKE % (b"cookie: " + b"c" * 9000 + b"\r\n"), 400, "BAD_REQUEST"),
        (
            CHUNKED + b"\r\nnot a size\r\n",
            400,
            "BAD_REQUEST",
        ),
    ],
    ids=lambda value: repr(value[:40]) if isinstance(value, bytes) else str(value),
)
async def test_what_is_no_request_is_refused_in_our_shape(
    hasty: World, logs: Logs, request_bytes: bytes, status: int, code: str
) -> None:
    answer = await ask_raw(hasty, request_bytes)

    assert (answer.status, answer.code) == (status, code)
    assert answer.headers["connection"] == "close"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert "server" not in answer.headers
    assert "Traceback" not in logs.text
    assert logs.events() == []  # counted, not logged: noise is cheap to make


async def test_what_came_whole_before_the_nonsense_is_answered(hasty: World) -> None:
    async with wire(hasty) as connection:
        await connection.send(LIVEZ + b"nonsense\r\n\r\n")
        first = await connection.answer()

        assert (first.status, await connection.rest()) == (200, b"")


async def test_pipelining_has_a_bound(hasty: World) -> None:
    async with wire(hasty) as connection:
        await connection.send(LIVEZ * 2000)
        rest = await connection.rest()

    assert rest.count(b"HTTP/1.1 200 ") == 17  # the one in hand and sixteen that wait
    assert metric(hasty, 'okd_refused_total{reason="pipeline"}') == 1


async def test_an_upgrade_to_what_we_do_not_speak_is_served_as_it_is(hasty: World) -> None:
    answer = await ask_raw(
        hasty,
        b"GET /livez HTTP/1.1\r\nhost: x\r\nconnection: Upgrade, HTTP2-Settings\r\n"
        b"upgrade: h2c\r\nhttp2-settings: AAMAAABkAAQAAP__\r\n\r\n",
    )

    assert (answer.status, answer.headers["connection"]) == (200, "close")


async def test_a_client_that_dies_amid_its_body_is_no_crash(hasty: World, logs: Logs) -> None:
    async with wire(hasty) as dying:
        await dying.send(POST % (b"/graphql", 100) + b'{"qu')
        dying.writer.transport.abort()
    await hasty.client.get("/livez")

    assert logs.events("request_crashed") == []


@pytest.fixture(scope="module")
async def hasty():
    """A server whose deadlines a test can wait for."""
    async with serving(head_timeout_seconds=0.5, body_timeout_seconds=0.5) as world:
        yield world
