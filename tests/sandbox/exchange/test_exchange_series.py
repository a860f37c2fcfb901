"""Funding and open interest over REST, and what the series endpoints refuse."""

import itertools
from pathlib import Path
from urllib.parse import unquote

import httpx
import orjson
import pytest

from adapters.sandbox.exchange.instruments import Category
from adapters.sandbox.exchange.venue import Window
from tests.sandbox.exchange.shapes import shape
from tests.sandbox.exchange.support import HandClock, Json, Tape, live, small_market

FUNDING, INTEREST = "/v5/market/funding/history", "/v5/market/open-interest"
KLINE, BOOK, TRADES = "/v5/market/kline", "/v5/market/orderbook", "/v5/market/recent-trade"
BTC = {"category": "linear", "symbol": "BTCUSDT"}
HOUR_MS = 3_600_000


async def result(http: httpx.AsyncClient, path: str, **params: str) -> Json:
    found: Json = (await http.get(path, params=params)).json()
    assert found["retCode"] == 0, found
    inner: Json = found["result"]
    return inner


@pytest.mark.parametrize(
    ("path", "params", "message"),
    [
        (KLINE, {**BTC, "interval": "2"}, "Invalid period!"),
        (KLINE, {"symbol": "NOPE", "interval": "1"}, "params error: symbol invalid"),
        (KLINE, {**BTC, "interval": "1", "limit": "x"}, "params error: limit invalid"),
        (KLINE, {**BTC, "interval": "1", "start": "9", "end": "8"}, "Time is invalid"),
        (BOOK, {}, "params error: Category is invalid"),
        (BOOK, {"category": "spot", "symbol": "NOPE"}, "Not supported symbols"),
        (BOOK, {"category": "inverse", "symbol": "BTCUSD"}, "params error: symbol invalid"),
        (TRADES, {**BTC, "limit": "0"}, "params error: limit invalid"),
        (FUNDING, {"category": "spot", "symbol": "BTCUSDT"}, "params error: Category is invalid"),
        (FUNDING, {**BTC, "startTime": "1786000000000"}, "Time is invalid"),
        (INTEREST, BTC, "params error: intervalTime is invalid"),
        (INTEREST, {**BTC, "intervalTime": "5min", "cursor": "x"}, "params error: cursor invalid"),
    ],
)
async def test_refuses(
    http: httpx.AsyncClient, path: str, params: dict[str, str], message: str
) -> None:
    body = (await http.get(path, params=params)).json()
    assert (body["retCode"], body["retMsg"], body["result"]) == (10001, message, {})


async def test_kline_is_linear_unless_told(http: httpx.AsyncClient) -> None:
    found = await result(http, KLINE, symbol="BTCUSDT", interval="1")
    assert found["category"] == "linear"
    assert len(found["list"]) == 200


async def test_funding_has_the_documented_shape(http: httpx.AsyncClient, shared_data: Path) -> None:
    name = "Endpoints__V5Api__ExchangeData__GetFundingRateHistory.json"
    theirs = orjson.loads((shared_data / "jkorf" / name).read_bytes())["response"]
    ours = (await http.get(FUNDING, params=BTC)).json()
    assert shape(ours) == shape(theirs)


@pytest.mark.parametrize(("symbol", "hours"), [("BTCUSDT", 8), ("WIFUSDT", 4)])
async def test_fundings_lie_on_the_instruments_grid(
    http: httpx.AsyncClient, symbol: str, hours: int
) -> None:
    found = await result(http, FUNDING, category="linear", symbol=symbol)
    times = [int(row["fundingRateTimestamp"]) for row in found["list"]]
    assert times == list(range(times[0], times[0] - 200 * hours * HOUR_MS, -hours * HOUR_MS))
    assert times[0] % (hours * HOUR_MS) == 0

    window = {"startTime": str(times[5]), "endTime": str(times[2])}
    cut = await result(http, FUNDING, category="linear", symbol=symbol, **window)
    assert cut["list"] == found["list"][2:6]


async def test_open_interest_has_the_documented_shape(
    http: httpx.AsyncClient, shared_data: Path
) -> None:
    theirs = orjson.loads((shared_data / "docs" / "market__open-interest.json").read_bytes())
    ours = (await http.get(INTEREST, params={**BTC, "intervalTime": "1d"})).json()
    assert shape(ours) == shape(theirs["examples"][0]["json"])


@pytest.mark.parametrize("write", [str, unquote], ids=["as given", "decoded"])
async def test_pages_through_open_interest(http: httpx.AsyncClient, write: type[str]) -> None:
    whole = await result(http, INTEREST, **BTC, intervalTime="1h", limit="30")
    seen, cursor = [], ""
    for _ in range(3):
        page = await result(http, INTEREST, **BTC, intervalTime="1h", limit="10", cursor=cursor)
        seen += page["list"]
        cursor = write(page["nextPageCursor"])

    assert seen == whole["list"]


async def test_the_last_page_has_no_cursor(http: httpx.AsyncClient) -> None:
    window = {"startTime": "1584230400000", "endTime": "1584250400000"}
    page = await result(http, INTEREST, **BTC, intervalTime="1h", **window)
    assert len(page["list"]) == 6
    assert page["nextPageCursor"] == ""


def test_what_was_lived_is_told_as_it_was() -> None:
    clock = HandClock()
    market = small_market(clock)
    instrument = market.instruments(Category.LINEAR)[0]
    process = market.process(Category.LINEAR, instrument.symbol)
    deaf = Tape(wanted=lambda _: False)
    live(market, clock, deaf, steps=1_500)  # 20:17:30 to 20:20:00
    told = process.open_interest_lots

    (newest,) = market.open_interest(instrument, 300_000, Window(None, None, 1))

    assert newest["timestamp"] == str(int(clock.now().timestamp() * 1000))
    assert abs(float(newest["singleOpenInterest"]) * 2 - told * float(instrument.lot)) < 10


@pytest.mark.parametrize("symbol", ["BTCUSDT", "SOLUSDT"])
async def test_the_past_of_open_interest_leads_to_the_present(
    http: httpx.AsyncClient, symbol: str
) -> None:
    of = {"category": "linear", "symbol": symbol}
    ticker = await http.get("/v5/market/tickers", params=of)
    now = float(ticker.json()["result"]["list"][0]["openInterest"])
    history = await http.get("/v5/market/open-interest", params={**of, "intervalTime": "5min"})
    rows = [float(row["openInterest"]) for row in history.json()["result"]["list"]]

    # A hundredth: a thousandth of noise at each end, and the swing of five minutes.
    assert rows[0] == pytest.approx(now, rel=0.01)
    assert all(a == pytest.approx(b, rel=0.01) for a, b in itertools.pairwise(rows))
