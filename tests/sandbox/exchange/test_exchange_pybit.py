"""pybit itself, an independent client, against the exchange: stock HTTP and stock WebSocket."""

import asyncio
import queue
from decimal import Decimal
from typing import Any

import pytest
from pybit.unified_trading import HTTP, WebSocket

from tests.sandbox.exchange.support import PATIENCE_SECONDS, Served


class LocalWebSocket(WebSocket):  # type: ignore[misc]  # pybit has no types
    """Stock, but for where it connects."""

    def __init__(self, base: str, channel_type: str) -> None:
        self._base = base
        super().__init__(channel_type=channel_type, testnet=False)

    def _connect(self, url: str) -> None:
        path = url.partition("/v5/")[2]
        super()._connect(f"{self._base}/v5/{path}")


@pytest.fixture
def client(exchange: Served) -> Any:
    http = HTTP(testnet=False)
    http.endpoint = exchange.http
    http.client.trust_env = False
    yield http
    http.client.close()


async def test_fetches_time_instruments_and_tickers(client: Any) -> None:
    time = await asyncio.to_thread(client.get_server_time)
    info = await asyncio.to_thread(client.get_instruments_info, category="linear")
    tickers = await asyncio.to_thread(client.get_tickers, category="spot", symbol="BTCUSDT")

    assert int(time["result"]["timeSecond"]) > 0
    assert len(info["result"]["list"]) == 26
    assert Decimal(tickers["result"]["list"][0]["lastPrice"]) > 0


@pytest.mark.parametrize("category", ["linear", "spot"])
async def test_receives_tickers(exchange: Served, category: str) -> None:
    def listen() -> list[Any]:
        heard: queue.Queue[Any] = queue.Queue()
        base = exchange.http.replace("http", "ws")
        socket = LocalWebSocket(base, category)
        try:
            socket.ticker_stream(symbol=["BTCUSDT", "SOLUSDT"], callback=heard.put)
            return [heard.get(timeout=PATIENCE_SECONDS) for _ in range(6)]
        finally:
            socket.exit()

    frames = await asyncio.to_thread(listen)

    assert {frame["topic"] for frame in frames} == {"tickers.BTCUSDT", "tickers.SOLUSDT"}
    # pybit hands out the merged state, so every frame is complete.
    assert all(Decimal(frame["data"]["lastPrice"]) > 0 for frame in frames)


@pytest.mark.parametrize("category", ["linear", "spot"])
async def test_fetches_the_series(client: Any, category: str) -> None:
    asked = {"category": category, "symbol": "BTCUSDT", "limit": 5}
    book = await asyncio.to_thread(client.get_orderbook, **asked)
    klines = await asyncio.to_thread(client.get_kline, **asked, interval="D")
    trades = await asyncio.to_thread(client.get_public_trade_history, **asked)

    assert Decimal(book["result"]["b"][0][0]) < Decimal(book["result"]["a"][0][0])
    assert [len(found["result"]["list"]) for found in (klines, trades)] == [5, 5]


async def test_fetches_fundings_and_open_interest(client: Any) -> None:
    asked = {"category": "linear", "symbol": "WIFUSDT", "limit": 5}
    fundings = await asyncio.to_thread(client.get_funding_rate_history, **asked)
    interests = await asyncio.to_thread(client.get_open_interest, **asked, intervalTime="1h")

    assert [len(found["result"]["list"]) for found in (fundings, interests)] == [5, 5]


@pytest.mark.parametrize("category", ["linear", "spot"])
async def test_receives_books_trades_and_klines(exchange: Served, category: str) -> None:
    def listen() -> list[Any]:
        heard: dict[str, queue.Queue[Any]] = {name: queue.Queue() for name in "btk"}
        socket = LocalWebSocket(exchange.http.replace("http", "ws"), category)
        try:
            socket.orderbook_stream(depth=50, symbol="SOLUSDT", callback=heard["b"].put)
            socket.trade_stream(symbol="SOLUSDT", callback=heard["t"].put)
            socket.kline_stream(interval=1, symbol="SOLUSDT", callback=heard["k"].put)
            return [frames.get(timeout=4 * PATIENCE_SECONDS) for frames in heard.values()]
        finally:
            socket.exit()

    book, trades, klines = await asyncio.to_thread(listen)

    assert len(book["data"]["b"]) == 50
    assert Decimal(trades["data"][0]["p"]) > 0
    assert klines["data"][0]["interval"] == "1"
