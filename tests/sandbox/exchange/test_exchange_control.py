"""The control plane: who may use it, what it refuses, and what each fault does to clients."""

from decimal import Decimal
from typing import Any

import httpx
import orjson
import pytest
from starlette.applications import Starlette
from starlette.types import Message
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from adapters.sandbox.exchange.control import HEADER
from adapters.sandbox.exchange.faults import Faults
from adapters.sandbox.exchange.hub import Hub, Listener
from adapters.sandbox.exchange.instruments import Category
from adapters.sandbox.exchange.venue import Topic
from tests.sandbox.exchange.support import (
    TOKEN,
    HandClock,
    Served,
    hear,
    hear_until,
    live,
    reply,
    say,
    small_exchange,
    small_market,
)

BTC = Topic.tickers(Category.LINEAR, "BTCUSDT")


async def order(
    server: Served, name: str, body: object = None, *, token: str = TOKEN
) -> tuple[int, dict[str, Any]]:
    async with httpx.AsyncClient(base_url=server.http, trust_env=False) as client:
        answer = await client.post(f"/control/{name}", json=body, headers={HEADER: token})
    return answer.status_code, answer.json()


@pytest.mark.parametrize(
    ("name", "body", "status", "code"),
    [
        ("refuse", {}, 422, "INVALID_BODY"),
        ("refuse", {"seconds": -1}, 422, "INVALID_BODY"),
        ("refuse", {"seconds": True}, 422, "INVALID_BODY"),
        ("refuse", {"seconds": "1"}, 422, "INVALID_BODY"),
        ("outage", {"seconds": 3601}, 422, "INVALID_BODY"),
        ("outage", [1], 422, "INVALID_BODY"),
        ("silence", {"topic": "", "seconds": 1}, 422, "INVALID_BODY"),
        ("silence", {"topic": "nope", "seconds": 1}, 404, "UNKNOWN_TOPIC"),
        (
            "silence",
            {"topic": "tickers.BTCUSDT", "seconds": 1, "category": "x"},
            422,
            "INVALID_BODY",
        ),
        ("silence", {"topic": "t" * 5000, "seconds": 1}, 422, "INVALID_BODY"),
        ("price-shock", {"category": "linear", "symbol": "BTCUSDT"}, 422, "INVALID_BODY"),
        (
            "price-shock",
            {"category": "linear", "symbol": "BTCUSDT", "percent": 0},
            422,
            "INVALID_BODY",
        ),
        (
            "price-shock",
            {"category": "linear", "symbol": "NOPE", "percent": 1},
            404,
            "UNKNOWN_INSTRUMENT",
        ),
    ],
)
async def test_refuses_what_it_does_not_understand(
    exchange: Served, name: str, body: object, status: int, code: str
) -> None:
    given, answer = await order(exchange, name, body)
    assert (given, answer["error"]["code"]) == (status, code)
    assert answer["error"]["message"]


async def test_refuses_a_body_that_is_not_json(exchange: Served) -> None:
    async with httpx.AsyncClient(base_url=exchange.http, trust_env=False) as client:
        answer = await client.post("/control/refuse", content=b"\xff{", headers={HEADER: TOKEN})
    assert (answer.status_code, answer.json()["error"]["code"]) == (422, "INVALID_BODY")


@pytest.mark.parametrize("token", ["", "another token"])
async def test_refuses_without_this_runs_token(exchange: Served, token: str) -> None:
    status, answer = await order(exchange, "drop-sockets", token=token)
    assert (status, answer["error"]["code"]) == (401, "WRONG_TOKEN")


@pytest.mark.parametrize("client", [("192.0.2.7", 1), None])
async def test_refuses_whoever_is_not_on_loopback(client: tuple[str, int] | None) -> None:
    app = small_exchange(HandClock(), seed=1)
    assert await status_of(app, client) == 403


async def status_of(app: Starlette, client: tuple[str, int] | None) -> int:
    sent: list[Message] = []

    async def receive() -> Message:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Message) -> None:
        sent.append(message)

    scope = {
        "type": "http",
        "method": "GET",
        "path": "/control/state",
        "query_string": b"",
        "headers": [(HEADER.encode(), TOKEN.encode())],
        "client": client,
    }
    await app(scope, receive, send)
    return int(sent[0]["status"])


def test_an_empty_token_is_refused_at_start() -> None:
    with pytest.raises(ValueError, match="token"):
        small_exchange(HandClock(), seed=1, token="")


async def test_drops_every_socket_and_lets_them_return(breakable: Served) -> None:
    async with connect(breakable.public("linear"), proxy=None) as socket:
        await say(socket, op="ping")
        await reply(socket)

        assert await order(breakable, "drop-sockets") == (200, {"dropped": 1})
        with pytest.raises(ConnectionClosed):
            await hear(socket)

    async with connect(breakable.public("linear"), proxy=None) as socket:
        await say(socket, op="ping")
        assert (await reply(socket))["success"]


async def test_refusing_sockets_leaves_rest_and_open_sockets_alone(breakable: Served) -> None:
    async with connect(breakable.public("spot"), proxy=None) as socket:
        status, _ = await order(breakable, "refuse", {"seconds": 60})
        assert status == 200
        with pytest.raises(InvalidStatus) as refused:
            async with connect(breakable.public("spot"), proxy=None):
                pass
        assert refused.value.response.status_code == 503
        await say(socket, op="ping")
        assert (await reply(socket))["success"]
    async with httpx.AsyncClient(base_url=breakable.http, trust_env=False) as client:
        assert (await client.get("/v5/market/time")).status_code == 200


async def test_an_outage_takes_rest_and_sockets_and_ends(breakable: Served) -> None:
    async with connect(breakable.public("spot"), proxy=None) as socket:
        await say(socket, op="ping")
        await reply(socket)
        await order(breakable, "outage", {"seconds": 60})
        with pytest.raises(ConnectionClosed):
            await hear(socket)
    async with httpx.AsyncClient(base_url=breakable.http, trust_env=False) as client:
        assert (await client.get("/v5/market/time")).status_code == 503
        assert (await client.get("/v5/nothing")).status_code == 503
        await order(breakable, "outage", {"seconds": 0})
        assert (await client.get("/v5/market/time")).status_code == 200
    async with connect(breakable.public("spot"), proxy=None):
        pass


async def test_a_shock_reaches_subscribers(breakable: Served) -> None:
    async with connect(breakable.public("linear"), proxy=None) as socket:
        await say(socket, op="subscribe", args=["tickers.BTCUSDT"])
        before = await hear_until(socket, lambda frame: frame.get("type") == "snapshot")
        body = {"category": "linear", "symbol": "BTCUSDT", "percent": 12.5}
        status, answer = await order(breakable, "price-shock", body)
        after = await hear_until(
            socket,
            lambda frame: (
                Decimal(frame["data"].get("lastPrice", "0"))
                > Decimal(before["data"]["lastPrice"]) * Decimal("1.1")
            ),
        )

    assert status == 200
    assert after["data"]["lastPrice"] == answer["ticker"]["lastPrice"]


async def test_state_tells_what_is_going_on(breakable: Served) -> None:
    async with connect(breakable.public("linear"), proxy=None) as socket:
        await say(socket, op="subscribe", args=["tickers.BTCUSDT"])
        await reply(socket)
        await order(breakable, "silence", {"topic": "tickers.BTCUSDT", "seconds": 60})
        async with httpx.AsyncClient(base_url=breakable.http, trust_env=False) as client:
            found = (await client.get("/control/state", headers={HEADER: TOKEN})).json()

    assert found["mode"] == "simulation"
    assert found["sockets"] == 1
    assert found["topics"] == {"linear:tickers.BTCUSDT": 1}
    assert found["instruments"]["spot"] == ["BTCUSDT", "SOLUSDT"]
    assert found["faults"]["refuse"] == found["faults"]["outage"] == 0
    # Without a category the topic is silent in both.
    assert found["faults"]["silence"].keys() == {f"{c}:tickers.BTCUSDT" for c in Category}


def test_silence_withholds_one_topic_and_ends_with_a_snapshot() -> None:
    clock = HandClock()
    market, faults = small_market(clock), Faults(clock)
    hub, listener = Hub(faults, market.snapshot), Listener("test")
    hub.join(listener)
    other = Topic.tickers(Category.LINEAR, "SOLUSDT")
    for topic in (BTC, other):
        hub.subscribe(listener, topic)
    taken(listener)

    faults.silence(BTC, 5)
    live(market, clock, hub, steps=49)
    silent = taken(listener)
    live(market, clock, hub, steps=10)
    heard = taken(listener)

    assert {topic for topic, _ in silent} == {other.name}
    kinds = [kind for topic, kind in heard if topic == BTC.name]
    assert kinds == ["snapshot", *["delta"] * (len(kinds) - 1)]
    assert len(kinds) > 1


def taken(listener: Listener) -> list[tuple[str, str]]:
    """Empty the queue: the topic and type of each frame, in order."""
    frames = [orjson.loads(listener.queue.get_nowait()) for _ in range(listener.queue.qsize())]
    return [(frame["topic"], frame["type"]) for frame in frames]


def test_a_full_queue_closes_its_listener_only() -> None:
    clock = HandClock()
    market = small_market(clock)
    hub = Hub(Faults(clock), market.snapshot)
    full, fine = Listener("full"), Listener("fine")
    for listener in (full, fine):
        hub.join(listener)
        hub.subscribe(listener, BTC)
    for _ in range(full.queue.maxsize - full.queue.qsize()):
        full.offer("filled")

    live(market, clock, hub, steps=30)

    assert full.closing.is_set()
    assert full.close_code == 1013
    assert not fine.closing.is_set()
    assert fine.queue.qsize() > 1


async def test_whoever_joins_in_silence_starts_with_a_snapshot() -> None:
    clock = HandClock()
    market, faults = small_market(clock), Faults(clock)
    hub, listener = Hub(faults, market.snapshot), Listener("test")
    faults.silence(BTC, 0.05)

    hub.subscribe(listener, BTC)
    assert taken(listener) == []
    live(market, clock, hub, steps=20)

    assert taken(listener)[0] == (BTC.name, "snapshot")
