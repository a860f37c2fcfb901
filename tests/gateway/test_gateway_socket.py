"""graphql-transport-ws: frames nobody expects, limits, contexts, cleanup."""

import asyncio
from typing import Any

import orjson
import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from tests.gateway.conftest import Logs, World, serving

pytestmark = pytest.mark.usefixtures("way")

GARBAGE = [
    "null",
    "[]",
    "123",
    '"x"',
    "{",
    "",
    "[" * 20_000,
    "{}",
    '{"type":1}',
    '{"type":"nonsense"}',
    '{"type":"ping","payload":"x"}',
    '{"type":"subscribe"}',
    '{"type":"subscribe","id":1,"payload":{"query":"{hello}"}}',
    '{"type":"subscribe","id":[],"payload":{"query":"{hello}"}}',
    '{"type":"subscribe","id":"","payload":{"query":"{hello}"}}',
    '{"type":"subscribe","id":"1","payload":"x"}',
    '{"type":"subscribe","id":"1","payload":{"query":1}}',
    '{"type":"subscribe","id":"1","payload":{"query":"{hello}","variables":[]}}',
    '{"type":"subscribe","id":"1","payload":{"query":"{hello}","operationName":1}}',
    '{"type":"subscribe","id":"1","payload":{"query":"{hello}","extensions":1}}',
    '{"type":"complete"}',
    b"{}",
]


async def subscribe(ws: ClientConnection, query: str, operation_id: str = "1") -> None:
    payload = {"id": operation_id, "type": "subscribe", "payload": {"query": query}}
    await ws.send(orjson.dumps(payload).decode())


async def close_code(ws: ClientConnection) -> int | None:
    try:
        async for _ in ws:
            pass
    except ConnectionClosed:  # any code but 1000 and 1001
        pass
    return ws.close_code


@pytest.mark.parametrize("frame", GARBAGE, ids=lambda f: repr(f[:48]))
async def test_garbage_closes_the_socket_and_nothing_else(
    shared: World, logs: Logs, frame: str | bytes
) -> None:
    async with shared.socket() as ws:
        await ws.send(frame)
        code = await close_code(ws)

    assert code == 4400
    assert "Traceback" not in logs.text
    assert await shared.ask("{ hello }") == {"data": {"hello": "hello you"}}


async def test_a_frame_over_64_kib_closes_the_socket(shared: World, logs: Logs) -> None:
    async with shared.socket() as ws:
        await ws.send("x" * 65_537)
        assert await close_code(ws) == 1009
    assert "Traceback" not in logs.text


async def test_invalid_utf8_closes_the_socket(shared: World, logs: Logs) -> None:
    async with shared.socket() as ws:
        await ws.send(b"\xff\xfe", text=True)
        assert await close_code(ws) == 1007
    assert await shared.ask("{ hello }") == {"data": {"hello": "hello you"}}
    assert "Traceback" not in logs.text


async def test_null_is_a_payload_of_connection_init(shared: World) -> None:
    async with shared.raw_socket() as ws:
        await ws.send('{"type":"connection_init","payload":null}')
        assert orjson.loads(await ws.recv()) == {"type": "connection_ack"}


@pytest.mark.parametrize(
    ("offered", "chosen"),
    [(["graphql-ws"], "graphql-ws"), (["x", "graphql-ws"], "x"), (None, None)],
)
async def test_no_other_protocol_is_spoken_and_the_client_can_see_why(
    shared: World, offered: Any, chosen: str | None
) -> None:
    address = shared.url.replace("http", "ws") + "/graphql"
    async with connect(address, subprotocols=offered) as ws:
        # Browsers show code and reason only when one of theirs was chosen.
        assert ws.subprotocol == chosen
        assert await close_code(ws) == 4406
        assert ws.close_reason == "Only graphql-transport-ws is spoken here"


async def test_ours_is_chosen_among_several(shared: World) -> None:
    address = shared.url.replace("http", "ws") + "/graphql"
    offered: Any = ["graphql-ws", "graphql-transport-ws"]
    async with connect(address, subprotocols=offered) as ws:
        assert ws.subprotocol == "graphql-transport-ws"
        await ws.send('{"type":"connection_init"}')
        assert orjson.loads(await ws.recv()) == {"type": "connection_ack"}


async def test_subscribing_before_the_acknowledgement_is_4401(shared: World) -> None:
    async with shared.raw_socket() as ws:
        await subscribe(ws, "{ hello }")
        assert await close_code(ws) == 4401


async def test_a_bad_document_ends_its_operation_and_not_the_socket(shared: World) -> None:
    async with shared.socket() as ws:
        await subscribe(ws, "subscription { count(to: 1", "bad")
        first = orjson.loads(await ws.recv())
        await subscribe(ws, "{ hello }", "good")
        second = orjson.loads(await ws.recv())

    assert (first["type"], first["id"]) == ("error", "bad")
    assert first["payload"][0]["extensions"]["code"] == "GRAPHQL_PARSE_FAILED"
    assert second["payload"]["data"] == {"hello": "hello you"}


async def test_frames_are_text_and_answer_in_order(shared: World) -> None:
    async with shared.socket() as ws:
        await subscribe(ws, "subscription { count(to: 3) }")
        frames = [await ws.recv() for _ in range(4)]

    assert all(isinstance(frame, str) for frame in frames)
    values = [orjson.loads(frame) for frame in frames]
    assert [v["payload"]["data"]["count"] for v in values[:3]] == [0, 1, 2]
    assert values[3] == {"id": "1", "type": "complete"}


async def test_each_operation_has_a_context_and_a_correlation_of_its_own(shared: World) -> None:
    sent = {"x-correlation-id": "socket-0001"}
    shared.stage.contexts.clear()
    async with shared.socket(additional_headers=sent) as ws:
        for operation_id in ("a", "b"):
            await subscribe(ws, "{ correlationId }", operation_id)
        frames = [orjson.loads(await ws.recv()) for _ in range(4)]
        answered = ws.response.headers["x-correlation-id"] if ws.response else None

    found = {f["payload"]["data"]["correlationId"] for f in frames if f["type"] == "next"}
    assert found == {"socket-0001.1", "socket-0001.2"}
    assert answered == "socket-0001"
    assert len({id(context) for context in shared.stage.contexts}) == 2


async def test_a_client_that_leaves_ends_its_subscription(shared: World) -> None:
    shared.stage.ended.clear()
    async with shared.socket() as ws:
        await subscribe(ws, "subscription { count(to: 100000, every: 0.01) }")
        await ws.recv()
        ws.transport.abort()

    async with asyncio.timeout(5):
        await shared.stage.ended.wait()


async def test_the_101st_subscription_is_refused_by_itself(shared: World) -> None:
    async with shared.socket() as ws:
        for number in range(101):
            await subscribe(ws, "subscription { count(to: 100000, every: 60) }", f"n{number}")
        frames = [orjson.loads(await ws.recv()) for _ in range(101)]

    [refused] = [f for f in frames if f["type"] == "error"]
    assert refused["id"] == "n100"
    assert refused["payload"][0]["extensions"]["code"] == "TOO_MANY_SUBSCRIPTIONS"


async def test_a_foreign_page_gets_no_socket(shared: World) -> None:
    with pytest.raises(InvalidStatus) as refused:
        async with shared.raw_socket(origin="https://evil.example"):
            pass

    assert refused.value.response.status_code == 403
    body = orjson.loads(refused.value.response.body or b"{}")
    assert body["errors"][0]["extensions"]["code"] == "ORIGIN_FORBIDDEN"
    async with (
        serving(allowed_origins="https://evil.example") as world,
        world.raw_socket(origin="https://evil.example") as ws,
    ):
        assert ws.subprotocol == "graphql-transport-ws"


async def test_open_sockets_and_subscriptions_are_counted(shared: World) -> None:
    async with shared.socket() as ws:
        await subscribe(ws, "subscription { count(to: 100000, every: 60) }")
        await ws.recv()
        shown = shared.metrics.exposition().decode()

    assert "okd_websocket_connections 1.0" in shown
    assert "okd_subscriptions 1.0" in shown
