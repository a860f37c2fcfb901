"""The public sockets: replies, refusals, and that nobody pays for another's behaviour."""

import asyncio
import contextlib
import socket as sockets
from typing import Any

import httpx
import orjson
import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from adapters.clock import SystemClock
from adapters.sandbox.exchange import create_exchange
from adapters.sandbox.exchange.control import HEADER
from tests.sandbox.exchange.support import (
    TOKEN,
    Served,
    hear,
    hear_until,
    reply,
    say,
    served,
)

LINEAR_ALL = [f"tickers.{base}USDT" for base in ("BTC", "ETH", "SOL", "XRP", "DOGE")]


async def said(server: Served, category: str, *messages: str | bytes) -> list[dict[str, Any]]:
    """Say each message and return each reply, without what varies."""
    answers = []
    async with connect(server.public(category), proxy=None) as socket:
        for message in messages:
            await socket.send(message)
            answer = await reply(socket)
            assert answer.pop("conn_id")
            answers.append(answer)
    return answers


@pytest.mark.parametrize(
    ("category", "request_", "answer"),
    [
        ("linear", {"op": "ping"}, {"success": True, "ret_msg": "pong", "req_id": ""}),
        ("spot", {"op": "ping"}, {"success": True, "ret_msg": "pong"}),
        (
            "spot",
            {"op": "ping", "req_id": "a1", "args": [1]},
            {"success": True, "ret_msg": "pong", "req_id": "a1"},
        ),
        (
            "linear",
            {"op": "subscribe", "args": ["tickers.BTCUSDT"], "req_id": 17},
            {"success": True, "ret_msg": "", "req_id": 17},
        ),
        (
            "spot",
            {"op": "subscribe", "args": ["tickers.BTCUSDT"], "req_id": "x"},
            {"success": True, "ret_msg": "subscribe", "req_id": "x"},
        ),
        (
            "linear",
            {"op": "unsubscribe", "args": ["tickers.BTCUSDT"]},
            {"success": True, "ret_msg": "", "req_id": ""},
        ),
        (
            "spot",
            {"op": "unsubscribe", "args": ["tickers.BTCUSDT"]},
            {"success": True, "ret_msg": "unsubscribe"},
        ),
        (
            "linear",
            {"op": "subscribe", "args": ["tickers.BTCUSDT", "tickers.NOPE"]},
            {
                "success": False,
                "ret_msg": "error:handler not found,topic:tickers.NOPE",
                "req_id": "",
            },
        ),
        (
            "spot",
            {"op": "subscribe", "args": ["orderbook.2.BTCUSDT"]},
            {"success": False, "ret_msg": "Invalid symbol :[orderbook.2.BTCUSDT]"},
        ),
        (
            "spot",
            {"op": "subscribe", "args": ["tickers.BTCUSDT"] * 11},
            {"success": False, "ret_msg": "args size >10"},
        ),
        (
            "linear",
            {"op": "nope"},
            {"success": False, "ret_msg": "error:invalid op", "req_id": ""},
        ),
    ],
)
async def test_answers_as_recorded(
    exchange: Served, category: str, request_: dict[str, object], answer: dict[str, object]
) -> None:
    (given,) = await said(exchange, category, orjson.dumps(request_).decode())
    assert given == {**answer, "op": request_["op"]}


@pytest.mark.parametrize(
    "garbage",
    ["hello", "", "[]", '{"op": 7}', '{"op": "subscribe", "args": "x"}', "[" * 5000, b"\x00\xff"],
    ids=["words", "empty", "list", "number", "args", "deep", "binary"],
)
async def test_garbage_is_refused_and_the_socket_goes_on(exchange: Served, garbage: str) -> None:
    refused, pong = await said(exchange, "linear", garbage, '{"op": "ping"}')

    assert not refused["success"]
    assert refused["ret_msg"].startswith("Failed to decode incoming data:")
    assert pong["ret_msg"] == "pong"


async def test_a_binary_frame_is_read_like_text(exchange: Served) -> None:
    (pong,) = await said(exchange, "spot", b'{"op": "ping"}')
    assert pong["ret_msg"] == "pong"


async def test_a_second_subscription_is_refused_by_linear_only(exchange: Served) -> None:
    message = '{"op": "subscribe", "args": ["tickers.BTCUSDT"]}'

    _, linear = await said(exchange, "linear", message, message)
    _, spot = await said(exchange, "spot", message, message)

    assert linear["ret_msg"] == "error:already subscribed,topic:tickers.BTCUSDT"
    assert spot["success"]


async def test_one_bad_topic_refuses_the_whole_request(exchange: Served) -> None:
    async with connect(exchange.public("linear"), proxy=None) as socket:
        await say(socket, op="subscribe", args=["tickers.BTCUSDT", "nope"])
        await say(socket, op="subscribe", args=["tickers.SOLUSDT"])
        frames = [await hear(socket) for _ in range(6)]

    assert {frame["topic"] for frame in frames if "topic" in frame} == {"tickers.SOLUSDT"}


async def test_unsubscribing_ends_the_frames_of_that_topic(exchange: Served) -> None:
    async with connect(exchange.public("linear"), proxy=None) as socket:
        await say(socket, op="subscribe", args=["tickers.BTCUSDT", "tickers.SOLUSDT"])
        await say(socket, op="unsubscribe", args=["tickers.BTCUSDT"])
        await hear_until(socket, lambda frame: frame.get("op") == "unsubscribe")
        frames = [await hear(socket) for _ in range(6)]

    assert {frame["topic"] for frame in frames} == {"tickers.SOLUSDT"}


async def test_answers_ping_frames(exchange: Served) -> None:
    async with connect(exchange.public("spot"), proxy=None) as socket, asyncio.timeout(5):
        assert await (await socket.ping()) < 5


async def test_others_do_not_notice_a_client_that_misbehaves(exchange: Served) -> None:
    async with connect(exchange.public("linear"), proxy=None) as calm:
        await say(calm, op="subscribe", args=["tickers.BTCUSDT"])
        for rude in ("hello", '{"op": "nope"}', "[" * 5000):
            async with connect(exchange.public("linear"), proxy=None) as socket:
                await socket.send(rude)
                await reply(socket)
                socket.transport.abort()
        frames = [await hear(calm) for _ in range(5)]

    assert [frame.get("type") for frame in frames] == [None, "snapshot", *["delta"] * 3]


async def test_another_path_has_no_socket(exchange: Served) -> None:
    with pytest.raises(InvalidStatus) as refused:
        async with connect(exchange.public("inverse"), proxy=None):
            pass
    assert refused.value.response.status_code == 404


async def test_a_client_that_does_not_read_is_closed_and_delays_nobody(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("adapters.sandbox.exchange.hub.QUEUE_FRAMES", 10)
    app = create_exchange(seed=13, clock=SystemClock(), recording=None, control_token=TOKEN)
    with served(app, send_buffer=4096) as server:
        raw = sockets.socket()
        raw.setsockopt(sockets.SOL_SOCKET, sockets.SO_RCVBUF, 4096)
        raw.connect(("127.0.0.1", server.port))
        raw.setblocking(False)
        # Uncompressed, or the long answers below would be short.
        deaf = connect(
            server.public("linear"), sock=raw, proxy=None, ping_interval=None, compression=None
        )
        async with deaf as silent, connect(server.public("linear"), proxy=None) as lively:
            silent.transport.pause_reading()
            await say(lively, op="subscribe", args=LINEAR_ALL)
            pauses: list[float] = []
            async with asyncio.TaskGroup() as tasks:
                # Answers as long as these fill every buffer towards the silent one, then its queue.
                tasks.create_task(ask_and_do_not_listen(silent))
                loop = asyncio.get_running_loop()
                while (await state(server))["sockets"] == 2:
                    before = loop.time()
                    await hear(lively)
                    pauses.append(loop.time() - before)
                silent.transport.resume_reading()
            with pytest.raises(ConnectionClosed):
                await hear_until(silent, lambda _: False)
            assert (await hear_until(lively, lambda frame: "data" in frame))["data"]
            assert max(pauses) < 1


async def ask_and_do_not_listen(socket: ClientConnection) -> None:
    with contextlib.suppress(ConnectionClosed):
        for _ in range(60):
            await say(socket, op="ping", req_id="x" * 8_000)


async def state(server: Served) -> dict[str, Any]:
    async with httpx.AsyncClient(base_url=server.http, trust_env=False) as client:
        answer = await client.get("/control/state", headers={HEADER: TOKEN})
    found: dict[str, Any] = answer.json()
    return found
