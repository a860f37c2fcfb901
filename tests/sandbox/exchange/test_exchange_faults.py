"""What each fault of the control plane does to clients, and that it ends."""

import asyncio
import time
from typing import Any

import httpx
import orjson
import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosedError

from adapters.sandbox.exchange.control import HEADER
from adapters.sandbox.exchange.faults import Faults, Forced, SkewedClock, Tampering
from adapters.sandbox.exchange.hub import Hub, Listener
from adapters.sandbox.exchange.instruments import Category
from adapters.sandbox.exchange.venue import Topic
from tests.sandbox.exchange.support import (
    TOKEN,
    HandClock,
    Json,
    Served,
    hear_until,
    live,
    reply,
    say,
    small_market,
)

BOOK = Topic.book(Category.LINEAR, 50, "BTCUSDT")
TIME = "/v5/market/time"
NOTHING = {
    "outage": 0.0,
    "refuse": 0.0,
    "mutePings": 0.0,
    "silence": {},
    "books": {},
    "forced": {},
    "latencyMs": 0,
    "skewMs": 0,
}


async def order(server: Served, name: str, **body: object) -> tuple[int, dict[str, Any]]:
    async with httpx.AsyncClient(base_url=server.http, trust_env=False) as client:
        answer = await client.post(f"/control/{name}", json=body, headers={HEADER: TOKEN})
    return answer.status_code, answer.json()


async def get(server: Served, path: str, **params: str) -> httpx.Response:
    async with httpx.AsyncClient(base_url=server.http, trust_env=False) as client:
        return await client.get(path, params=params, headers={HEADER: TOKEN})


@pytest.mark.parametrize(
    ("name", "body", "code"),
    [
        ("drop-sockets", {"mode": "gently"}, "INVALID_BODY"),
        ("mute-pings", {}, "INVALID_BODY"),
        ("latency", {"milliseconds": -1, "seconds": 1}, "INVALID_BODY"),
        ("latency", {"milliseconds": 1}, "INVALID_BODY"),
        ("skew", {"milliseconds": 300_001, "seconds": 1}, "INVALID_BODY"),
        ("tamper", {"topic": BOOK.name, "fault": "skip"}, "INVALID_BODY"),
        ("tamper", {"topic": BOOK.name, "fault": "lose", "count": 1}, "INVALID_BODY"),
        ("tamper", {"topic": BOOK.name, "fault": "skip", "count": 1.5}, "INVALID_BODY"),
        ("tamper", {"topic": "tickers.BTCUSDT", "fault": "skip", "count": 1}, "INVALID_BODY"),
        ("tamper", {"topic": "orderbook.1.BTCUSDT", "fault": "skip", "count": 1}, "INVALID_BODY"),
        ("tamper", {"topic": "orderbook.50.NO", "fault": "skip", "count": 1}, "UNKNOWN_TOPIC"),
        ("force", {"path": TIME, "retCode": 1, "status": 500, "requests": 1}, "INVALID_BODY"),
        ("force", {"path": TIME, "requests": 1}, "INVALID_BODY"),
        ("force", {"path": TIME, "retCode": 10006}, "INVALID_BODY"),
        ("force", {"path": TIME, "retCode": 1, "requests": 1, "seconds": 1}, "INVALID_BODY"),
        ("force", {"path": TIME, "status": 200, "requests": 1}, "INVALID_BODY"),
        ("force", {"path": TIME, "status": 599, "requests": 1}, "INVALID_BODY"),
        ("force", {"path": "/control/state", "retCode": 1, "requests": 1}, "INVALID_BODY"),
        (
            "force",
            {"path": TIME, "retCode": 1, "requests": 1, "headers": {"x": "a\nb"}},
            "INVALID_BODY",
        ),
    ],
)
async def test_refuses_what_it_does_not_understand(
    exchange: Served, name: str, body: dict[str, object], code: str
) -> None:
    status, answer = await order(exchange, name, **body)
    assert answer["error"]["code"] == code
    assert status == (404 if code == "UNKNOWN_TOPIC" else 422)
    assert (await get(exchange, "/control/state")).json()["faults"] == NOTHING


async def test_an_abort_ends_sockets_without_a_close_frame(breakable: Served) -> None:
    async with connect(breakable.public("linear"), proxy=None) as socket:
        await say(socket, op="ping")
        await reply(socket)

        assert await order(breakable, "drop-sockets", mode="abort") == (200, {"dropped": 1})
        with pytest.raises(ConnectionClosedError) as ended:
            await hear_until(socket, lambda _: False)

    assert ended.value.rcvd is None
    assert isinstance(ended.value.__cause__, ConnectionResetError)
    async with connect(breakable.public("linear"), proxy=None) as socket:
        await say(socket, op="ping")
        assert (await reply(socket))["success"]


async def test_muted_pings_are_not_answered_but_frames_go_on(breakable: Served) -> None:
    quiet = connect(breakable.public("linear"), proxy=None, ping_interval=None)
    async with quiet as socket:
        await order(breakable, "mute-pings", seconds=60)
        pong = await socket.ping()
        await say(socket, op="ping")
        await say(socket, op="subscribe", args=[BOOK.name], req_id="later")
        heard = await hear_until(socket, lambda frame: "success" in frame)
        await hear_until(socket, lambda frame: frame.get("type") == "delta")

        assert heard["op"] == "subscribe"
        assert isinstance(pong, asyncio.Future)
        assert not pong.done()
        await order(breakable, "reset")
        await say(socket, op="ping")
        assert (await hear_until(socket, lambda frame: frame.get("op") == "ping"))["success"]
        async with asyncio.timeout(5):
            await (await socket.ping())


@pytest.mark.parametrize(
    ("body", "status", "code", "message"),
    [
        ({"retCode": 10006, "retMsg": "Too many visits!"}, 200, 10006, "Too many visits!"),
        ({"retCode": 10016}, 200, 10016, "forced"),
        ({"status": 403}, 403, None, None),
        ({"status": 502}, 502, None, None),
    ],
)
async def test_forces_an_answer_for_a_number_of_requests(
    breakable: Served, body: Json, status: int, code: int | None, message: str | None
) -> None:
    headers = {"X-Bapi-Limit-Reset-Timestamp": "1786306650000"}
    await order(breakable, "force", path=TIME, requests=2, headers=headers, **body)
    answers = [await get(breakable, TIME) for _ in range(3)]

    for forced in answers[:2]:
        assert forced.status_code == status
        assert forced.headers["X-Bapi-Limit-Reset-Timestamp"] == "1786306650000"
        if code is not None:
            found = forced.json()
            assert (found["retCode"], found["retMsg"], found["result"]) == (code, message, {})
    assert (answers[2].status_code, answers[2].json()["retCode"]) == (200, 0)


async def test_forces_one_path_only_and_tells_the_state(breakable: Served) -> None:
    await order(breakable, "force", path=TIME, retCode=10001, seconds=60)
    await order(breakable, "latency", milliseconds=1, seconds=60)
    await order(breakable, "skew", milliseconds=-2_000, seconds=60)
    await order(breakable, "tamper", topic=BOOK.name, category="linear", fault="skip", count=3)

    tickers = (await get(breakable, "/v5/market/tickers", category="spot")).json()
    faults = (await get(breakable, "/control/state")).json()["faults"]
    status, answer = await order(breakable, "reset")

    assert tickers["retCode"] == 0
    assert faults["forced"][TIME]["retCode"] == 10001
    assert 0 < faults["forced"][TIME]["seconds"] <= 60
    assert (faults["latencyMs"], faults["skewMs"]) == (1, -2_000)
    assert faults["books"] == {"linear:orderbook.50.BTCUSDT": {"fault": "skip", "deltas": 3}}
    assert (status, answer) == (200, {"faults": NOTHING})


def test_a_forced_answer_ends_with_its_time() -> None:
    clock = HandClock()
    faults = Faults(clock)
    faults.force(TIME, Forced(200, 10006, "x", {}, clock.monotonic() + 5, None))

    assert faults.forced(TIME)
    clock.pass_by(seconds=5)
    assert faults.forced(TIME) is None
    assert faults.remaining() == NOTHING


async def test_latency_delays_rest(breakable: Served) -> None:
    await order(breakable, "latency", milliseconds=300, seconds=60)
    before = time.monotonic()
    await get(breakable, TIME)
    assert time.monotonic() - before >= 0.3


async def test_a_skew_moves_time_and_stamps(breakable: Served) -> None:
    await order(breakable, "skew", milliseconds=45_000, seconds=60)
    answer = (await get(breakable, TIME)).json()
    async with connect(breakable.public("linear"), proxy=None) as socket:
        await say(socket, op="subscribe", args=[BOOK.name])
        ahead = time.time() + 40
        frame = await hear_until(
            socket, lambda frame: "ts" in frame and frame["ts"] > ahead * 1_000
        )

    assert answer["time"] / 1000 > ahead
    assert int(answer["result"]["timeSecond"]) > ahead
    assert frame["cts"] <= frame["ts"]


def test_a_skew_ends() -> None:
    clock = HandClock()
    faults = Faults(clock)
    skewed = SkewedClock(clock, faults)
    faults.skew(-7, 10)

    assert (clock.now() - skewed.now()).total_seconds() == 7
    clock.pass_by(seconds=10)
    assert clock.now() == skewed.now()


def update_ids(listener: Listener) -> list[int]:
    frames = [orjson.loads(listener.queue.get_nowait()) for _ in range(listener.queue.qsize())]
    return [frame["data"]["u"] for frame in frames]


@pytest.mark.parametrize(
    ("how", "expected"),
    [
        (Tampering.SKIP, [3, 4, 5, 6]),
        (Tampering.DUPLICATE, [1, 1, 2, 2, 3, 4, 5, 6]),
        (Tampering.REORDER, [2, 1, 4, 3, 5, 6]),
    ],
)
def test_tampers_with_the_next_two_deltas(how: Tampering, expected: list[int]) -> None:
    clock = HandClock()
    market, faults = small_market(clock), Faults(clock)
    hub, listener = Hub(faults, market.snapshot), Listener("test")
    hub.subscribe(listener, BOOK)
    (start,) = update_ids(listener)
    live(market, clock, hub, steps=1)
    start += len(update_ids(listener))
    faults.tamper(BOOK, how, 2)
    while len(heard := list(listener.queue._queue)) < len(expected):  # type: ignore[attr-defined]
        live(market, clock, hub, steps=1)
        assert len(heard) <= len(expected)

    assert [number - start for number in update_ids(listener)] == expected
    assert faults.remaining() == NOTHING


def test_a_delta_held_back_still_comes_after_a_reset() -> None:
    clock = HandClock()
    market, faults = small_market(clock), Faults(clock)
    hub, listener = Hub(faults, market.snapshot), Listener("test")
    hub.subscribe(listener, BOOK)
    live(market, clock, hub, steps=5)
    faults.tamper(BOOK, Tampering.REORDER, 9)
    live(market, clock, hub, steps=1)
    faults.reset()
    live(market, clock, hub, steps=5)

    numbers = update_ids(listener)
    assert numbers == list(range(numbers[0], numbers[0] + len(numbers)))
