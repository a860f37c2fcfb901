"""The whole market through the front: what clients see is what the exchange says."""

import asyncio
import itertools
from decimal import Decimal
from functools import partial
from typing import Any

import httpx
import pytest

from tests.e2e.sandbox import Sandbox
from tests.e2e.watcher import Value, live, stale, subscribed

pytestmark = pytest.mark.xdist_group("sandbox")

BTC = {"category": "LINEAR", "symbol": "BTCUSDT"}
BOOK = """subscription($of: InstrumentRef!, $depth: Int!) {
  orderBook(instrument: $of, depth: $depth, maxPerSecond: 10) {
    symbol sequence stale asOf midPrice spread
    bids { price quantity } asks { price quantity }
    costToTrade(side: BUY, quantity: "0.001") { filled averagePrice slippage levels } } }"""
TRADES = """subscription($of: InstrumentRef!) {
  trades(instrument: $of) { dropped stale trades { id price quantity side at } } }"""
CANDLES = """subscription($of: InstrumentRef!) {
  candles(instrument: $of, interval: MINUTE_1) {
    start end openPrice highPrice lowPrice closePrice volume confirmed stale } }"""
TICKERS = """subscription($of: [InstrumentRef!]!) {
  tickers(instruments: $of, maxPerSecond: 5) { category symbol lastPrice stale asOf } }"""

Levels = list[tuple[Decimal, Decimal]]


def levels(shown: list[dict[str, str]]) -> Levels:
    return [(Decimal(level["price"]), Decimal(level["quantity"])) for level in shown]


async def venue_book(sandbox: Sandbox, depth: int) -> tuple[str, Levels, Levels]:
    """The exchange's own book, by its own REST interface."""
    async with httpx.AsyncClient(timeout=10) as client:
        answer = await client.get(
            f"{sandbox.addresses['exchange_rest']}/v5/market/orderbook",
            params={"category": "linear", "symbol": "BTCUSDT", "limit": depth},
        )
    result: dict[str, Any] = answer.json()["result"]
    sides = ([(Decimal(p), Decimal(q)) for p, q in result[side]] for side in ("b", "a"))
    bids, asks = sides
    return str(result["seq"]), bids, asks


def assert_sound(value: Value, depth: int) -> None:
    bids, asks = levels(value["bids"]), levels(value["asks"])
    assert 0 < len(bids) <= depth
    assert 0 < len(asks) <= depth
    assert bids == sorted(bids, reverse=True)
    assert asks == sorted(asks)
    assert bids[0][0] < asks[0][0], "a crossed book was shown"
    assert all(quantity > 0 for _, quantity in (*bids, *asks))
    assert Decimal(value["spread"]) == asks[0][0] - bids[0][0]


async def compared(sandbox: Sandbox, values: list[Value], depth: int, times: int) -> int:
    """Ask the exchange until ``times`` of its books were shown to us, too; all must be equal."""
    found = 0
    async with asyncio.timeout(60):
        while found < times:
            sequence, bids, asks = await venue_book(sandbox, depth)
            await asyncio.sleep(0.3)  # our conflated value of that moment is on its way
            for value in values[-20:]:
                if value["sequence"] == sequence:
                    assert (levels(value["bids"]), levels(value["asks"])) == (bids, asks)
                    found += 1
                    break
    return found


@pytest.mark.parametrize("depth", [50, 200])
async def test_a_book_equals_the_exchanges_own_at_the_same_sequence(sandbox: Sandbox, depth: int):
    url = sandbox.addresses["graphql_ws"]
    async with subscribed(url, BOOK, of=BTC, depth=depth) as watcher:
        await watcher.until(live)
        assert await compared(sandbox, watcher.values, depth, 3) == 3

    assert watcher.errors == []
    for value in watcher.values:
        assert_sound(value, depth)
    sequences = [int(value["sequence"]) for value in watcher.values if live(value)]
    assert sequences == sorted(sequences)


@pytest.mark.parametrize("fault", ["skip", "duplicate", "reorder"])
async def test_a_broken_stream_of_deltas_never_shows_a_wrong_book(sandbox: Sandbox, fault: str):
    url = sandbox.addresses["graphql_ws"]
    async with subscribed(url, BOOK, of=BTC, depth=50) as watcher:
        await watcher.until(live)
        sandbox.control("tamper", fault=fault, topic="orderbook.50.BTCUSDT", count=3)
        before = len(watcher.values)
        await watcher.until(live, after=before + 10, within_seconds=30)
        assert await compared(sandbox, watcher.values, 50, 2) == 2

    for value in watcher.values:
        assert_sound(value, 50)


async def test_every_trade_comes_once_and_in_order(sandbox: Sandbox):
    url = sandbox.addresses["graphql_ws"]
    async with subscribed(url, TRADES, of=BTC) as watcher:
        await watcher.until(lambda v: len(v["trades"]) > 0)
        # A trade every three seconds, in bursts; some recent ones came at once.
        await watcher.until(
            lambda _: sum(len(v["trades"]) for v in watcher.values) > 30, within_seconds=80
        )
        async with httpx.AsyncClient(timeout=10) as client:
            answer = await client.get(
                f"{sandbox.addresses['exchange_rest']}/v5/market/recent-trade",
                params={"category": "linear", "symbol": "BTCUSDT", "limit": 10},
            )
        newest = answer.json()["result"]["list"][::-1]
        wanted = newest[-1]["execId"]
        await watcher.until(lambda v: any(t["id"] == wanted for t in v["trades"]))

    got = [trade for value in watcher.values for trade in value["trades"]]
    ids = [trade["id"] for trade in got]
    assert len(ids) == len(set(ids)), "a trade came twice"
    assert all(a["at"] <= b["at"] for a, b in itertools.pairwise(got))
    assert {value["dropped"] for value in watcher.values} == {0}
    shown = {t["id"]: (Decimal(t["price"]), Decimal(t["quantity"])) for t in got}
    for row in newest:
        if row["execId"] in shown:
            assert shown[row["execId"]] == (Decimal(row["price"]), Decimal(row["size"]))
    at = ids.index(newest[0]["execId"])
    assert ids[at : at + 10] == [row["execId"] for row in newest], "a trade was missed"


async def test_a_candle_being_made_follows_and_agrees_with_the_window(sandbox: Sandbox):
    url = sandbox.addresses["graphql_ws"]
    async with subscribed(url, CANDLES, of=BTC) as watcher:
        at = await watcher.until(live)
        value = watcher.values[at]

    low, high = Decimal(value["lowPrice"]), Decimal(value["highPrice"])
    assert low <= Decimal(value["openPrice"]) <= high
    assert low <= Decimal(value["closePrice"]) <= high
    answer = await sandbox.ask(
        """query($of: InstrumentRef!) {
             candles(instrument: $of, interval: MINUTE_1) {
               candles { start confirmed openPrice highPrice lowPrice closePrice volume turnover }
               rows } }""",
        of=BTC,
    )
    window = answer["data"]["candles"]
    assert len(window["candles"]) == len(window["rows"]) == 200
    assert [c["confirmed"] for c in window["candles"]] == [True] * 199 + [False]
    starts = [c["start"] for c in window["candles"]]
    assert starts == sorted(set(starts))
    for shown, row in zip(window["candles"], window["rows"], strict=True):
        fields = ("openPrice", "highPrice", "lowPrice", "closePrice", "volume", "turnover")
        assert [shown[name] for name in fields] == row[1:7]


def is_live_of(ref: dict[str, str], value: Value) -> bool:
    return live(value) and all(value[name] == word for name, word in ref.items())


async def test_many_tickers_on_one_subscription(sandbox: Sandbox):
    of = [{"category": c, "symbol": s} for c in ("LINEAR", "SPOT") for s in ("BTCUSDT", "ETHUSDT")]
    async with subscribed(sandbox.addresses["graphql_ws"], TICKERS, of=of) as watcher:
        for ref in of:
            await watcher.until(partial(is_live_of, ref))

    by_one: dict[tuple[str, str], list[str]] = {}
    for value in watcher.values:
        by_one.setdefault((value["category"], value["symbol"]), []).append(value["asOf"])
    assert by_one.keys() == {(ref["category"], ref["symbol"]) for ref in of}
    assert all(times == sorted(times) for times in by_one.values())


async def test_an_instrument_nobody_followed_comes_alive(sandbox: Sandbox):
    of = {"category": "LINEAR", "symbol": "ADAUSDT"}
    async with subscribed(sandbox.addresses["graphql_ws"], TICKERS, of=[of]) as watcher:
        await watcher.until(live, within_seconds=10)


async def test_a_book_falls_silent_and_comes_back(sandbox: Sandbox):
    url = sandbox.addresses["graphql_ws"]
    async with subscribed(url, BOOK, of=BTC, depth=50) as watcher:
        alive = await watcher.until(live)
        await sandbox.kill("exchange")
        fell = await watcher.until(stale, after=alive)
        await watcher.until(live, after=fell, within_seconds=40)

    for value in watcher.values:
        assert_sound(value, 50)


async def test_the_past_of_a_future(sandbox: Sandbox):
    answer = await sandbox.ask(
        """query($of: InstrumentRef!, $spot: InstrumentRef!) {
             fundingRates(instrument: $of, first: 5) { rate at }
             openInterest(instrument: $of, interval: HOUR_1) { quantity at }
             recentTrades(instrument: $spot, first: 60) { id price side }
             searchInstruments(text: "doge", category: SPOT, first: 1) { symbol }
             allTickers(category: SPOT, first: 100) { edges { node { symbol lastPrice } } }
             orderBook(instrument: $spot, depth: 5) {
               costToTrade(side: SELL, quantity: "0.0001") { filled } } }""",
        of=BTC,
        spot={**BTC, "category": "SPOT"},
    )

    assert "errors" not in answer, answer["errors"]
    data = answer["data"]
    assert len(data["fundingRates"]) == 5
    assert [f["at"] for f in data["fundingRates"]] == sorted(
        (f["at"] for f in data["fundingRates"]), reverse=True
    )
    assert len(data["openInterest"]) == 50
    assert len({t["id"] for t in data["recentTrades"]}) == 60
    assert data["searchInstruments"] == [{"symbol": "DOGEUSDT"}]
    symbols = [edge["node"]["symbol"] for edge in data["allTickers"]["edges"]]
    assert len(symbols) == 26
    assert symbols == sorted(symbols)
    assert data["orderBook"]["costToTrade"] == {"filled": "0.0001"}


@pytest.mark.parametrize(
    ("query", "code", "argument"),
    [
        ("orderBook(instrument: $of, depth: 201) { sequence }", "BAD_INPUT", "depth"),
        ("recentTrades(instrument: $of, first: 1001) { id }", "BAD_INPUT", "first"),
        (
            'candles(instrument: $of, interval: MINUTE_1, from: "2020-01-01T00:00:00Z") { rows }',
            "BAD_INPUT",
            "from",
        ),
        ("openInterest(instrument: $of, interval: MINUTE_1) { at }", "BAD_INPUT", "interval"),
        ('searchInstruments(text: " ") { symbol }', "BAD_INPUT", "text"),
    ],
)
async def test_limits_are_told_in_coded_errors(
    sandbox: Sandbox, query: str, code: str, argument: str
):
    declared = "query($of: InstrumentRef!)" if "$of" in query else "query"
    answer = await sandbox.ask(
        f"{declared} {{ {query} }}", **({"of": BTC} if "$of" in query else {})
    )

    (error,) = answer["errors"]
    assert (error["extensions"]["code"], error["extensions"]["argument"]) == (code, argument)
