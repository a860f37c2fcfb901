"""Every answer and frame against the recorded corpus: keys, their order, types, number formats."""

import re
from pathlib import Path
from typing import Any

import httpx
import orjson
import pytest
from websockets.asyncio.client import connect

from adapters.sandbox.exchange.instruments import INSTRUMENTS, Category
from tests.sandbox.exchange.shapes import decimals, received, shape
from tests.sandbox.exchange.support import Json, Served, hear, hear_until, say

# Without trailing zeros; all others have exactly as many decimals as the recording shows.
TRIMMED = {
    "price24hPcnt",
    "openInterest",
    "singleOpenInterest",
    "fundingRate",
    "fundingCap",
    "fundingIntervalHour",
}
NUMBER = re.compile(r"-?(0|[1-9]\d*)(\.\d+)?")


def replies(recorded: list[Json], category: str) -> list[Any]:
    return [
        row["msg"]
        for row in recorded
        if row["dir"] == "recv" and row["category"] == category and "success" in row["msg"]
    ]


def assert_numbers_look_recorded(ours: dict[str, str], theirs: list[dict[str, str]]) -> None:
    for key, value in ours.items():
        samples = [frame[key] for frame in theirs if key in frame]
        numbers = [sample for sample in samples if NUMBER.fullmatch(sample)]
        if not numbers:
            assert key in {"symbol", "tickDirection"} or value in samples, key
            continue
        assert NUMBER.fullmatch(value), (key, value)
        most = max(map(decimals, numbers))
        if key in TRIMMED:
            assert not (decimals(value) and value.endswith("0")), (key, value)
            assert decimals(value) <= max(most, 8), (key, value)
        else:
            assert decimals(value) == most, (key, value, numbers[0])


@pytest.mark.parametrize("category", Category)
async def test_instruments_are_the_recorded_rows(
    http: httpx.AsyncClient, shared_data: Path, category: Category
) -> None:
    path = shared_data / "stream" / f"instruments-info_{category}.json"
    recorded = orjson.loads(path.read_bytes())
    ours = (await http.get("/v5/market/instruments-info", params={"category": category})).json()

    symbols = [i.symbol for i in INSTRUMENTS if i.category is category]
    theirs = [row for row in recorded["result"]["list"] if row["symbol"] in symbols]
    assert len(theirs) == 26
    assert {row["status"] for row in theirs} == {"Trading"}
    assert orjson.dumps(ours["result"]["list"]) == orjson.dumps(theirs)
    assert shape({**ours, "result": None}) == shape({**recorded, "result": None})
    assert list(ours["result"]) == list(recorded["result"])


async def test_time_has_the_documented_shape(http: httpx.AsyncClient, shared_data: Path) -> None:
    document = orjson.loads((shared_data / "docs" / "market__time.json").read_bytes())
    ours = (await http.get("/v5/market/time")).json()

    assert shape(ours) == shape(document["examples"][0]["json"])
    assert ours["result"]["timeNano"].startswith(ours["result"]["timeSecond"])


@pytest.mark.parametrize(("category", "example"), [("linear", "inverse"), ("spot", "spot")])
async def test_tickers_have_the_documented_shape(
    http: httpx.AsyncClient, shared_data: Path, category: str, example: str
) -> None:
    document = orjson.loads((shared_data / "docs" / "market__tickers.json").read_bytes())
    theirs = next(
        row["json"] for row in document["examples"] if row["json"]["result"]["category"] == example
    )
    ours = (await http.get("/v5/market/tickers", params={"category": category})).json()

    assert shape(ours) == shape(theirs)
    assert len(ours["result"]["list"]) == 26


@pytest.mark.parametrize("symbol", ["BTCUSDT", "SOLUSDT"])
async def test_linear_frames_are_as_recorded(
    exchange: Served, recorded: list[Json], symbol: str
) -> None:
    topic = f"tickers.{symbol}"
    snapshots = received(recorded, "linear", topic, "snapshot")
    deltas = received(recorded, "linear", topic, "delta")
    order = [key for key in snapshots[0]["data"] if not key.startswith("singleOpen")]
    async with connect(exchange.public("linear"), proxy=None) as socket:
        await say(socket, op="subscribe", args=[topic])
        acknowledged, ours = await hear(socket), await hear(socket)
        changes = [await hear(socket) for _ in range(8)]

    assert shape(acknowledged) == shape(replies(recorded, "linear")[0])
    assert shape(ours) == shape(snapshots[0])
    theirs = [frame["data"] for frame in snapshots + deltas]
    assert_numbers_look_recorded(ours["data"], theirs)
    for change in changes:
        assert shape({**change, "data": {}}) == shape({**deltas[0], "data": {}})
        keys = [key for key in change["data"] if not key.startswith("singleOpen")]
        assert keys == sorted(keys, key=order.index)
        assert_numbers_look_recorded(change["data"], theirs)


async def test_spot_frames_are_as_recorded(exchange: Served, recorded: list[Json]) -> None:
    theirs = received(recorded, "spot", "tickers.BTCUSDT", "snapshot")
    async with connect(exchange.public("spot"), proxy=None) as socket:
        await say(socket, op="subscribe", args=["tickers.BTCUSDT"])
        acknowledged, first, second = [await hear(socket) for _ in range(3)]

    assert shape(acknowledged) == shape(replies(recorded, "spot")[0])
    assert acknowledged["ret_msg"] == "subscribe"
    for ours in (first, second):
        assert shape(ours) == shape(theirs[0])
        for key, value in ours["data"].items():
            sample = [frame["data"][key] for frame in theirs if frame["data"][key]]
            assert key == "symbol" or not (decimals(value) and value.endswith("0"))
            assert decimals(value) <= max(8, *map(decimals, sample))


@pytest.mark.parametrize("category", ["linear", "spot"])
async def test_the_best_level_is_a_short_recorded_book(
    exchange: Served, recorded: list[Json], category: str
) -> None:
    theirs = received(recorded, category, "orderbook.200.BTCUSDT", "snapshot")[0]
    async with connect(exchange.public(category), proxy=None) as socket:
        await say(socket, op="subscribe", args=["orderbook.1.BTCUSDT"])
        ours = await hear_until(socket, lambda frame: "topic" in frame)

    assert shape(ours) == shape(theirs)
    assert len(ours["data"]["b"]) == len(ours["data"]["a"]) == 1
