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
    assert len(info["result"]["list"]) == 15
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
