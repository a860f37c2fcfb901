"""A socket's life: handshake, signs of life, operations that come and go, an end for everything."""

import asyncio
from typing import Any

import orjson
import pytest
from websockets.asyncio.client import ClientConnection

from adapters.gateway import ConnectionInfo
from domain.kernel.failures import Unavailable
from domain.kernel.viewer import ANONYMOUS, Viewer
from tests.gateway.conftest import Logs, World, serving
from tests.gateway.product import CANARY
from tests.gateway.test_gateway_socket import close_code, subscribe
from tests.world import eventually

pytestmark = pytest.mark.usefixtures("way")

ENDLESS = "subscription { count(to: 1000000, every: 0.005) }"


async def received(ws: ClientConnection) -> dict[str, Any]:
    frame = orjson.loads(await ws.recv())
    assert isinstance(frame, dict)
    return frame


async def test_no_init_in_time_is_4408() -> None:
    async with serving(socket_init_seconds=0.05) as world, world.raw_socket() as ws:
        await ws.send('{"type":"ping"}')
        assert await received(ws) == {"type": "pong"}
        assert await close_code(ws) == 4408
        assert ws.close_reason == "Connection initialisation timeout"


async def test_a_second_init_is_4429(shared: World) -> None:
    async with shared.socket() as ws:
        await ws.send('{"type":"connection_init"}')
        assert await close_code(ws) == 4429


async def test_an_id_that_runs_is_4409_whatever_its_length(shared: World) -> None:
    operation_id = "ü" * 128
    async with shared.socket() as ws:
        await subscribe(ws, ENDLESS, operation_id)
        await ws.recv()
        await subscribe(ws, ENDLESS, operation_id)
        assert await close_code(ws) == 4409
        assert ws.close_reason is not None
        assert ws.close_reason.startswith("Subscriber for üüü")
    await eventually(lambda: shared.stage.streams_open == 0)


async def test_a_ping_is_answered_with_what_it_carried(shared: World) -> None:
    async with shared.raw_socket() as ws:
        await ws.send('{"type":"ping","payload":{"at":[1,"é"]}}')
        assert await received(ws) == {"type": "pong", "payload": {"at": [1, "é"]}}
        await ws.send('{"type":"pong","payload":{"nobody":"asked"}}')
        await ws.send('{"type":"connection_init"}')
        assert await received(ws) == {"type": "connection_ack"}


async def test_pings_beyond_the_limit_are_4429() -> None:
    async with serving(socket_pings_per_minute=3) as world, world.socket() as ws:
        for _ in range(4):
            await ws.send('{"type":"ping"}')
        answers = [await received(ws) for _ in range(3)]
        assert answers == [{"type": "pong"}] * 3
        assert await close_code(ws) == 4429


async def test_the_server_pings_and_an_answer_is_enough_to_stay() -> None:
    limits: dict[str, Any] = {"socket_ping_seconds": 0.05, "socket_silence_seconds": 0.5}
    async with serving(**limits) as world, world.socket(ping_interval=None) as ws:
        for _ in range(20):  # a second: twice as long as silence is borne
            assert await received(ws) == {"type": "ping"}
            await ws.send('{"type":"pong"}')

        await subscribe(ws, "{ hello }")
        kinds = [(await received(ws))["type"] for _ in range(2)]
        assert "next" in kinds


async def test_a_client_that_gives_no_sign_of_life_is_closed() -> None:
    limits: dict[str, Any] = {"socket_ping_seconds": 0.02, "socket_silence_seconds": 0.1}
    async with serving(**limits) as world:
        async with world.socket(ping_interval=None) as ws:
            await subscribe(ws, ENDLESS)
            assert await close_code(ws) == 1001
        await eventually(lambda: world.stage.streams_open == 0)
        assert 'okd_websocket_closes_total{code="1001"} 1.0' in world.metrics.exposition().decode()


async def test_pings_of_the_websocket_layer_are_a_sign_of_life() -> None:
    limits: dict[str, Any] = {"socket_ping_seconds": 0.05, "socket_silence_seconds": 0.3}
    async with serving(**limits) as world, world.socket(ping_interval=0.05) as ws:
        for _ in range(15):
            assert await received(ws) == {"type": "ping"}


async def test_complete_ends_the_stream_and_frees_the_id(shared: World) -> None:
    async with shared.socket() as ws:
        for _ in range(3):
            await subscribe(ws, ENDLESS, "again")
            frame = await received(ws)
            while frame["payload"]["data"]["count"] != 0:  # of the one before
                frame = await received(ws)
            await ws.send('{"type":"complete","id":"again"}')
        await ws.send('{"type":"complete","id":"never heard of"}')
        await eventually(lambda: shared.stage.streams_open == 0)
        await subscribe(ws, "{ hello }", "alive")
        frame = await received(ws)
        while frame["id"] != "alive":
            frame = await received(ws)

    assert frame["payload"]["data"] == {"hello": "hello you"}


async def test_nothing_follows_a_complete_that_was_sent_back() -> None:
    async with serving() as world, world.socket() as ws:
        await subscribe(ws, ENDLESS, "ended")
        await ws.recv()
        await ws.send('{"type":"complete","id":"ended"}')
        await ws.send('{"type":"ping"}')
        frames = [await received(ws)]
        while frames[-1]["type"] != "pong":
            frames.append(await received(ws))
        await subscribe(ws, "{ hello }", "next")
        after = [await received(ws) for _ in range(2)]

    assert {frame["id"] for frame in after} == {"next"}
    assert {frame["type"] for frame in frames[:-1]} <= {"next"}  # they had left already


async def test_queries_and_mutations_run_beside_subscriptions(shared: World) -> None:
    async with shared.socket() as ws:
        await subscribe(ws, "mutation { touch }", "m")
        await subscribe(ws, "{ transport }", "q")
        frames = [await received(ws) for _ in range(4)]

    values = {f["id"]: f["payload"]["data"] for f in frames if f["type"] == "next"}
    assert values == {"m": {"touch": "touched"}, "q": {"transport": "websocket"}}
    assert sorted(f["id"] for f in frames if f["type"] == "complete") == ["m", "q"]


@pytest.mark.provokes("TypeError: str is not valid UTF-8")
async def test_a_value_without_json_ends_its_operation_only(shared: World, logs: Logs) -> None:
    async with shared.socket() as ws:
        await subscribe(ws, "{ lone }", "lone")
        frame = await received(ws)
        await subscribe(ws, "{ hello }", "neighbour")
        neighbour = await received(ws)

    assert (frame["type"], frame["id"]) == ("error", "lone")
    assert frame["payload"][0]["extensions"]["code"] == "INTERNAL"
    assert neighbour["payload"]["data"] == {"hello": "hello you"}
    assert len(logs.events("operation_crashed")) == 1


@pytest.mark.parametrize(
    ("payload", "code"),
    [
        ({"documentId": "sha256:00"}, "PERSISTED_QUERY_NOT_FOUND"),
        ({"extensions": {"persistedQuery": {"version": 1}}}, "PERSISTED_QUERY_NOT_SUPPORTED"),
    ],
)
async def test_an_unknown_document_is_an_error_of_its_operation(
    shared: World, payload: object, code: str
) -> None:
    async with shared.socket() as ws:
        frame = {"id": "1", "type": "subscribe", "payload": payload}
        await ws.send(orjson.dumps(frame).decode())
        answer = await received(ws)
        await subscribe(ws, "{ hello }", "2")
        after = await received(ws)

    assert (answer["type"], answer["id"]) == ("error", "1")
    assert answer["payload"][0]["extensions"]["code"] == code
    assert after["payload"]["data"] == {"hello": "hello you"}


async def test_extensions_are_accepted_and_the_init_payload_is_kept(shared: World) -> None:
    async with shared.raw_socket() as ws:
        await ws.send('{"type":"connection_init","payload":{"token":"t","a":1}}')
        await ws.recv()
        payload = {"query": "{ parameters }", "extensions": {"any": 1}, "operationName": None}
        await ws.send(orjson.dumps({"id": "1", "type": "subscribe", "payload": payload}).decode())
        frame = await received(ws)

    assert frame["payload"]["data"] == {"parameters": ["a", "token"]}


async def test_the_viewer_is_asked_for_once_and_serves_every_operation() -> None:
    asked: list[ConnectionInfo] = []

    async def identify(connection: ConnectionInfo) -> Viewer:
        asked.append(connection)
        return ANONYMOUS

    async with serving(identify=identify) as world, world.raw_socket() as ws:
        await ws.send('{"type":"connection_init","payload":{"token":"t"}}')
        await ws.recv()
        for number in range(3):
            await subscribe(ws, "{ hello }", str(number))
            await ws.recv()
            await ws.recv()

    assert [dict(info.parameters) for info in asked] == [{"token": "t"}]
    assert [context.viewer for context in world.stage.contexts] == [ANONYMOUS] * 3


async def test_a_viewer_who_cannot_be_identified_is_told_to_come_back(logs: Logs) -> None:
    async def identify(_connection: ConnectionInfo) -> Viewer:
        raise Unavailable("identity") from RuntimeError(CANARY)

    async with serving(identify=identify) as world, world.raw_socket() as ws:
        await ws.send('{"type":"connection_init"}')
        assert await close_code(ws) == 1013
        assert CANARY not in str(ws.close_reason)
    assert len(logs.events("identity_unknown")) == 1


async def test_an_identity_that_takes_too_long_is_4408() -> None:
    async def identify(_connection: ConnectionInfo) -> Viewer:
        await asyncio.Event().wait()
        return ANONYMOUS

    async with (
        serving(identify=identify, socket_init_seconds=0.05) as world,
        world.raw_socket() as ws,
    ):
        await ws.send('{"type":"connection_init"}')
        assert await close_code(ws) == 4408


async def test_clients_that_leave_in_every_way_leave_nothing_behind(logs: Logs) -> None:
    async with serving() as world:
        async with world.socket() as before:  # the server's own tasks are warm now
            await subscribe(before, "{ hello }")
            await before.recv()
        await eventually(lambda: "okd_websocket_connections 0.0" in shown(world))
        tasks = len(asyncio.all_tasks())
        for way in ("close", "abort", "drop", "garbage"):
            # It has unread messages and so never reads the answer to its close.
            async with world.socket(close_timeout=0.2) as ws:
                for number in range(20):
                    await subscribe(ws, ENDLESS, str(number))
                await ws.recv()
                if way == "abort":
                    ws.transport.abort()
                elif way == "drop":
                    ws.transport.close()
                elif way == "garbage":
                    await ws.send("garbage")
                    assert await close_code(ws) == 4400
            await eventually(lambda: world.stage.streams_open == 0)
        await eventually(lambda: "okd_websocket_connections 0.0" in shown(world))
        await eventually(lambda: len(asyncio.all_tasks()) <= tasks)
        assert "okd_subscriptions 0.0" in shown(world)
    assert "Traceback" not in logs.text


def shown(world: World) -> str:
    return world.metrics.exposition().decode()
