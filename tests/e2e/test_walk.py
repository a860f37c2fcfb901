"""A price walks the whole way, and stays live through the death of everything on it."""

import asyncio
import itertools
import json
import re
from decimal import Decimal
from typing import Any

import httpx
import pytest
from websockets.asyncio.client import connect

from tests.e2e.sandbox import Sandbox
from tests.e2e.watcher import Value, live, stale, subscribed, watching

pytestmark = pytest.mark.xdist_group("sandbox")


def as_of(value: Value) -> str:
    return str(value["asOf"])


def in_order(values: list[Value]) -> bool:
    return all(as_of(a) <= as_of(b) for a, b in itertools.pairwise(values))


async def test_the_first_value_comes_at_once_and_then_prices_move(sandbox: Sandbox):
    async with watching(sandbox.addresses["graphql_ws"]) as warm:
        await warm.until(live)
        async with watching(sandbox.addresses["graphql_ws"]) as watcher:
            await watcher.until(live, within_seconds=2)
            first = watcher.values[0]
            await watcher.until(lambda v: as_of(v) > as_of(first), within_seconds=5)

    assert first["source"] == "SANDBOX"
    assert first["symbol"] == "BTCUSDT"
    assert Decimal(first["bidPrice"]) < Decimal(first["askPrice"])
    assert Decimal(first["volume24h"]) > 0
    assert in_order(watcher.values)
    assert watcher.errors == []


async def test_spot_has_a_best_bid_and_ask_of_its_own(sandbox: Sandbox):
    async with watching(sandbox.addresses["graphql_ws"], category="SPOT") as watcher:
        at = await watcher.until(lambda v: live(v) and v["bidPrice"] is not None)

    value = watcher.values[at]
    assert Decimal(value["bidPrice"]) < Decimal(value["askPrice"])


async def test_queries_walk_the_graph(sandbox: Sandbox):
    answer = await sandbox.ask(
        """{ instruments(category: LINEAR, first: 100) {
               edges { node { symbol tickSize ticker { symbol stale source } } }
               pageInfo { hasNextPage } }
             instrument(category: SPOT, symbol: "ETHUSDT") { baseAsset quoteAsset settleAsset }
             tickers(instruments: [{category: SPOT, symbol: "SOLUSDT"},
                                   {category: LINEAR, symbol: "BTCUSDT"}]) {
               category symbol instrument { status } } }"""
    )

    assert "errors" not in answer
    nodes = [edge["node"] for edge in answer["data"]["instruments"]["edges"]]
    symbols = [n["symbol"] for n in nodes]
    assert symbols == sorted(symbols)
    assert {"BTCUSDT", "DOGEUSDT", "ETHUSDT", "SOLUSDT", "XRPUSDT"} <= set(symbols)
    assert [n["ticker"]["symbol"] for n in nodes] == symbols
    assert {n["ticker"]["source"] for n in nodes} == {"SANDBOX"}
    assert answer["data"]["instrument"] == {
        "baseAsset": "ETH", "quoteAsset": "USDT", "settleAsset": None,
    }  # fmt: skip
    trading = {"status": "TRADING"}
    assert answer["data"]["tickers"] == [
        {"category": "SPOT", "symbol": "SOLUSDT", "instrument": trading},
        {"category": "LINEAR", "symbol": "BTCUSDT", "instrument": trading},
    ]


async def test_a_misspelt_symbol_is_a_coded_error_with_near_matches(sandbox: Sandbox):
    answer = await sandbox.ask('{ ticker(category: LINEAR, symbol: "BTCUSD") { lastPrice } }')

    assert answer["data"] == {"ticker": None}
    (error,) = answer["errors"]
    assert error["message"].startswith("There is no 'BTCUSD' in category LINEAR. Did you mean BTC")
    assert error["extensions"].pop("correlationId")
    assert error["extensions"].pop("near")[0] == "BTCUSDT"
    assert error["extensions"] == {
        "code": "UNKNOWN_INSTRUMENT", "argument": "symbol", "retryable": False,
    }  # fmt: skip


async def test_a_subscription_to_nothing_is_one_coded_error(sandbox: Sandbox):
    async with watching(sandbox.addresses["graphql_ws"], symbol="NOPE") as watcher:
        error = await watcher.until_refused()

    assert watcher.values == []
    assert error["extensions"]["code"] == "UNKNOWN_INSTRUMENT"


@pytest.mark.parametrize("victim", ["exchange", "feed", "valkey", "keeper"])
async def test_a_killed_process_makes_prices_stale_and_then_live_again(
    sandbox: Sandbox, victim: str
):
    async with watching(sandbox.addresses["graphql_ws"]) as watcher:
        alive = await watcher.until(live)

        await sandbox.kill(victim)
        fell = await watcher.until(stale, after=alive, within_seconds=15)
        rose = await watcher.until(live, after=fell, within_seconds=30)

    assert as_of(watcher.values[fell]) <= as_of(watcher.values[rose])
    assert in_order(watcher.values), "a price went back in time"
    assert watcher.closes == [], "the client's socket must not notice"
    assert watcher.errors == []


async def test_a_killed_web_process_comes_back_on_the_same_address(sandbox: Sandbox):
    async with watching(sandbox.addresses["graphql_ws"]) as watcher:
        alive = await watcher.until(live)

        before = await sandbox.kill("web")
        seen = await watcher.until_closed()
        await watcher.until(live, after=max(seen, alive + 1), within_seconds=30)

    assert watcher.closes == [1006]
    assert sandbox.pid_of("web") not in (None, before)
    assert in_order(watcher.values)


async def test_a_killed_database_is_back_without_a_manual_step(sandbox: Sandbox):
    query = '{ instrument(category: LINEAR, symbol: "BTCUSDT") { symbol } }'
    expected = {"data": {"instrument": {"symbol": "BTCUSDT"}}}
    async with watching(sandbox.addresses["graphql_ws"]) as watcher:
        alive = await watcher.until(live)
        assert await sandbox.ask(query) == expected

        before = await sandbox.kill("postgres")

        # What a process knows of the catalogue outlives the database.
        assert await sandbox.ask(query) == expected
        await back_up(sandbox, before)
        await watcher.until(live, after=alive + 1)

    assert not any(map(stale, watcher.values[alive:])), "prices do not need the database"


async def back_up(sandbox: Sandbox, old_pid: int) -> None:
    """Wait on the status subscription until the database is up as another process."""
    query = "subscription { systemStatus { components { name state } } }"
    up = {"name": "database", "state": "UP"}
    async with subscribed(sandbox.addresses["graphql_ws"], query) as status:
        await status.until(
            lambda s: up in s["components"] and sandbox.pid_of("postgres") not in (None, old_pid)
        )


async def test_an_outage_of_the_venue_is_stale_and_then_live(sandbox: Sandbox):
    async with watching(sandbox.addresses["graphql_ws"]) as watcher:
        alive = await watcher.until(live)

        sandbox.control("outage", seconds=2)
        fell = await watcher.until(stale, after=alive)
        await watcher.until(live, after=fell, within_seconds=30)

    assert watcher.closes == []


async def test_a_silent_topic_is_stale_though_its_socket_lives(sandbox: Sandbox):
    async with (
        watching(sandbox.addresses["graphql_ws"], symbol="XRPUSDT") as silent,
        watching(sandbox.addresses["graphql_ws"]) as other,
    ):
        alive, start = await silent.until(live), await other.until(live)

        sandbox.control("silence", topic="tickers.XRPUSDT", seconds=25)
        fell = await silent.until(stale, after=alive, within_seconds=30)
        await silent.until(live, after=fell, within_seconds=40)

    assert not any(map(stale, other.values[start:])), "only the silent topic is stale"


async def test_clients_that_leave_are_nobodys_watchers(sandbox: Sandbox):
    """Over a socket, over an event stream, politely or not."""
    graphql = sandbox.addresses["graphql"]
    query = 'subscription { ticker(category: LINEAR, symbol: "BTCUSDT") { lastPrice } }'
    frame = json.dumps({"id": "1", "type": "subscribe", "payload": {"query": query}})
    async with httpx.AsyncClient(timeout=10) as client:

        async def watchers() -> float:
            shown = await client.get(graphql.replace("/graphql", "/metrics"))
            return float(re.findall(r"^okd_hub_watchers (\S+)", shown.text, re.MULTILINE)[0])

        before = await watchers()
        asking = client.stream(
            "POST", graphql, json={"query": query}, headers={"accept": "text/event-stream"}
        )
        protocols: Any = ["graphql-transport-ws"]
        address = graphql.replace("http", "ws", 1)
        async with connect(address, subprotocols=protocols) as ws, asking as events:
            await ws.send('{"type":"connection_init"}')
            await ws.send(frame)
            assert [json.loads(await ws.recv())["type"] for _ in range(2)] == [
                "connection_ack", "next",
            ]  # fmt: skip
            async for line in events.aiter_lines():
                if line.startswith("data"):
                    break
            assert await watchers() > before
            ws.transport.abort()

        async with asyncio.timeout(10):
            while await watchers() > before:  # noqa: ASYNC110  # another process tells
                await asyncio.sleep(0.1)
