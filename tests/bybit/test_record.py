"""`record`: what the venue said goes into the file unchanged, and the file replays."""

import asyncio
import signal
import sys
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import httpx
import orjson
import pytest
from websockets.asyncio.client import connect
from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed

from adapters.bybit.record import record
from adapters.bybit.record_options import RecordingRefused, RecordOptions
from adapters.bybit.timings import StreamTimings
from adapters.clock import SystemClock
from adapters.sandbox.exchange import create_exchange
from adapters.sandbox.exchange.control import HEADER
from adapters.sandbox.exchange.recording import load
from adapters.sandbox.exchange.replay import ReplayMarket
from adapters.supervisor import instance
from tests.front_door.running import CLONE, Program
from tests.sandbox.exchange.support import TOKEN, HandClock, Served, Tape, hear_until, say, served

QUICK = StreamTimings(reconnect_first_seconds=0.05, ping_every_seconds=0.3)


@pytest.fixture(scope="module")
def exchange() -> Iterator[Served]:
    app = create_exchange(seed=5, clock=SystemClock(), recording=None, control_token=TOKEN)
    with served(app) as server:
        yield server


def options(out: Path, **more: Any) -> RecordOptions:
    chosen: dict[str, Any] = {"categories": ("linear", "spot"), "symbols": ("BTCUSDT", "SOLUSDT")}
    return RecordOptions(out=out, **{**chosen, **more})


async def recorded(ws_url: str, chosen: RecordOptions, told: list[str] | None = None) -> int:
    """Record until its seconds are over."""
    return await record(
        chosen,
        ws_url=ws_url,
        clock=SystemClock(),
        tell=(told if told is not None else []).append,
        stop=asyncio.Event(),
        timings=QUICK,
    )


def received_in(path: Path) -> int:
    return path.read_bytes().count(b'"recv"') if path.exists() else 0


def rows_of(path: Path) -> list[dict[str, Any]]:
    return [orjson.loads(line) for line in path.read_bytes().splitlines()]


async def test_a_recording_of_the_sandbox_replays(exchange: Served, tmp_path: Path) -> None:
    path = tmp_path / "session.jsonl"

    told: list[str] = []
    frames = await recorded(exchange.http.replace("http", "ws"), options(path, seconds=4), told)

    rows = rows_of(path)
    received = [row for row in rows if row["dir"] == "recv"]
    assert len(received) == frames > 50
    assert told[-1] == f"{frames} frames in 4 s"
    assert all(list(row)[:3] == ["dir", "category", "t"] for row in rows)
    topics = {row["msg"]["topic"].rpartition(".")[0] for row in received if "topic" in row["msg"]}
    assert topics == {"tickers", "orderbook.200", "publicTrade", "kline.1"}

    market, tape = ReplayMarket(recording := load(path), HandClock()), Tape()
    for event in recording.events:
        market.play(event, tape)
    for category in ("linear", "spot"):
        for symbol in ("BTCUSDT", "SOLUSDT"):
            name = f"tickers.{symbol}"
            first = next(
                row["msg"]
                for row in received
                if (row["category"], row["msg"].get("topic")) == (category, name)
            )
            played = next(f for t, f in tape.frames if (t.category, t.name) == (category, name))
            assert played["data"]["lastPrice"] == first["data"]["lastPrice"]

    await check_replay(path, received)


async def check_replay(path: Path, received: list[dict[str, Any]]) -> None:
    """Serve the recording: the same instruments, and prices that were recorded."""
    app = create_exchange(seed=1, clock=SystemClock(), recording=path, control_token=TOKEN)
    with served(app) as replay:
        async with httpx.AsyncClient(base_url=replay.http, trust_env=False) as client:
            answer = (await client.get("/control/state", headers={HEADER: TOKEN})).json()
        async with connect(replay.public("linear"), proxy=None) as socket:
            await say(socket, op="subscribe", args=["tickers.BTCUSDT"])
            shown = await hear_until(socket, lambda frame: frame.get("type") == "snapshot")

    assert answer["mode"] == "replay"
    assert answer["instruments"] == {c: ["BTCUSDT", "SOLUSDT"] for c in ("linear", "spot")}
    prices = [
        row["msg"]["data"].get("lastPrice")
        for row in received
        if (row["category"], row["msg"].get("topic")) == ("linear", "tickers.BTCUSDT")
    ]
    assert shown["data"]["lastPrice"] in prices


async def test_it_connects_again_and_says_so(exchange: Served, tmp_path: Path) -> None:
    path, told = tmp_path / "session.jsonl", list[str]()
    chosen = options(path, categories=("linear",), symbols=("SOLUSDT",), seconds=3)

    async with asyncio.TaskGroup() as tasks:
        recording = tasks.create_task(recorded(exchange.http.replace("http", "ws"), chosen, told))
        while received_in(path) < 10:  # noqa: ASYNC110  # a file tells nobody that it grows
            await asyncio.sleep(0.05)
        async with httpx.AsyncClient(base_url=exchange.http, trust_env=False) as client:
            await client.post("/control/drop-sockets", headers={HEADER: TOKEN})

    assert recording.result() > 10
    assert sum(row["dir"] == "connect" for row in rows_of(path)) == 2
    assert told[0].startswith("linear: the connection ended (received 1")
    assert "; connecting again in 0.0 s" in told[0] or "; connecting again in 0.1 s" in told[0]
    assert load(path).events


Speech = Callable[[ServerConnection], Awaitable[None]]


async def recorded_from(speech: Speech, path: Path, told: list[str] | None = None) -> int:
    chosen = options(path, categories=("spot",), symbols=("BTCUSDT",), seconds=1)
    async with serve(speech, "127.0.0.1", 0) as server:
        port = next(iter(server.sockets)).getsockname()[1]
        return await recorded(f"ws://127.0.0.1:{port}", chosen, told)


async def test_frames_are_kept_byte_for_byte(tmp_path: Path) -> None:
    odd = '{ "topic":"x",  "price":1.10, "name":"\\u20ac €", "big":123456789012345678901234567890 }'

    async def speech(socket: ServerConnection) -> None:
        await socket.send(odd)
        await socket.send(b"not JSON")
        await socket.send('{"lines":\n1}')
        await socket.wait_closed()

    told: list[str] = []
    path = tmp_path / "session.jsonl"
    assert await recorded_from(speech, path, told) == 2

    lines = [line for line in path.read_text("utf-8").splitlines() if '"recv"' in line]
    assert lines[0].endswith(f',"msg":{odd}}}')
    assert lines[1].endswith(',"msg":{"lines":1}}')
    assert told[0] == "spot: a frame that is not JSON was left out (b'not JSON')"


async def test_it_sends_the_venues_own_heartbeat(tmp_path: Path) -> None:
    heard: list[Any] = []

    async def speech(socket: ServerConnection) -> None:
        with suppress(ConnectionClosed):  # however it leaves
            async for message in socket:
                heard.append(orjson.loads(message))  # noqa: PERF401  # heard even if it breaks off

    path = tmp_path / "session.jsonl"
    assert await recorded_from(speech, path) == 0

    kinds = ("tickers", "orderbook.200", "publicTrade", "kline.1")
    asked = [{"op": "subscribe", "args": [f"{kind}.BTCUSDT"]} for kind in kinds]
    assert heard[:4] == asked
    assert heard[4:6] == [{"op": "ping"}] * 2
    assert [row["msg"] for row in rows_of(path) if row["dir"] == "send"] == heard


async def test_what_the_venue_refuses_is_a_sentence(exchange: Served, tmp_path: Path) -> None:
    ws_url = exchange.http.replace("http", "ws")

    with pytest.raises(RecordingRefused, match=r"refuses a subscription of spot: .*NOPEUSDT"):
        await recorded(ws_url, options(tmp_path / "1", categories=("spot",), symbols=("NOPEUSDT",)))
    with pytest.raises(RecordingRefused, match=r"/v5/public/inverse refuses .*HTTP 404"):
        await recorded(ws_url, options(tmp_path / "2", categories=("inverse",)))


async def test_a_venue_that_is_away_is_tried_again(tmp_path: Path) -> None:
    told: list[str] = []

    assert await recorded("ws://127.0.0.1:9", options(tmp_path / "x", seconds=0.5), told) == 0
    assert not (tmp_path / "x").exists()
    assert sum(line.startswith("spot: the connection ended (") for line in told) > 1


def test_the_tool_records_the_running_sandbox_until_ctrl_c(
    exchange: Served, tmp_path: Path
) -> None:
    words = ["--category=linear", "--symbols=BTCUSDT", f"--out={tmp_path / 'x.jsonl'}"]
    command = [sys.executable, str(CLONE / "app.py"), "record", *words, f"--data-dir={tmp_path}"]
    lonely = Program(command)
    assert lonely.end() == 1
    assert lonely.lines[0].startswith(f"No sandbox runs on {tmp_path}. Start one with ./dev run")

    with instance.claimed(tmp_path):
        address = exchange.http.replace("http", "ws")
        instance.publish(tmp_path, {"exchange_ws": address})
        program = Program(command)
        try:
            program.until(f"Recording {address} into ")
            while received_in(tmp_path / "x.jsonl") < 10:
                assert program.process.poll() is None, program.said
                time.sleep(0.05)
            program.process.send_signal(signal.SIGINT)
            assert program.end() == 0
        finally:
            program.discard()

    assert " frames in " in program.lines[-1]
    assert load(tmp_path / "x.jsonl").events
