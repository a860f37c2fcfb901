"""ccxt, an exchange client nobody here wrote, reads the sandbox as it reads Bybit.

It has its own idea of every field, of what a candle is and of how a book is built from deltas, so
what it finds consistent is not merely our reading of our own writing.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from decimal import Decimal
from itertools import pairwise
from typing import Any

import ccxt
import ccxt.pro
import pytest

from adapters.clock import SystemClock
from adapters.sandbox.exchange import create_exchange
from adapters.sandbox.exchange.instruments import INSTRUMENTS, Category, Instrument
from tests.sandbox.exchange.support import TOKEN, Served, served

PATIENCE_SECONDS = 20
MINUTE_MS = 60_000
BOTH = pytest.mark.parametrize("symbol", ["BTC/USDT", "SOL/USDT:USDT"])


@pytest.fixture(scope="module")
def exchange() -> Iterator[Served]:
    app = create_exchange(seed=21, clock=SystemClock(), recording=None, control_token=TOKEN)
    with served(app) as server:
        yield server


@pytest.fixture(scope="module")
def client(exchange: Served) -> Iterator[Any]:
    """Stock ccxt but for where it connects, its markets loaded."""
    bybit = pointed(ccxt.bybit, exchange)
    bybit.load_markets()
    yield bybit
    bybit.session.close()


@pytest.fixture
async def watcher(exchange: Served) -> AsyncIterator[Any]:
    bybit = pointed(ccxt.pro.bybit, exchange)
    try:
        yield bybit
    finally:
        await bybit.close()


def pointed(kind: Callable[[dict[str, Any]], Any], exchange: Served) -> Any:
    bybit = kind({"options": {"fetchMarkets": {"types": ["spot", "linear"]}}})
    api = bybit.urls["api"]
    for name, address in api.items():
        api[name] = exchange.http if isinstance(address, str) else rehosted(address, exchange)
    return bybit


def rehosted(addresses: Any, exchange: Served) -> Any:
    """Every stream address of ccxt's tree, on this machine."""
    if isinstance(addresses, dict):
        return {name: rehosted(address, exchange) for name, address in addresses.items()}
    path = addresses.removeprefix("wss://").partition("/")[2]
    return f"{exchange.http.replace('http', 'ws')}/{path}"


def exact(number: float) -> Decimal:
    """The decimal that ccxt read: floats of so few digits survive the way there and back."""
    return Decimal(repr(number))


def unified(instrument: Instrument) -> str:
    settled = ":USDT" if instrument.category is Category.LINEAR else ""
    return f"{instrument.base}/USDT{settled}"


def instrument_of(symbol: str) -> Instrument:
    return next(i for i in INSTRUMENTS if unified(i) == symbol)


def check_book(book: dict[str, Any], symbol: str) -> None:
    """Best first on both sides, not crossed, in whole ticks and lots."""
    instrument = instrument_of(symbol)
    bids, asks = ([exact(price) for price, *_ in book[side]] for side in ("bids", "asks"))
    assert all(better > worse for better, worse in pairwise(bids))
    assert all(better < worse for better, worse in pairwise(asks))
    assert bids[0] < asks[0]
    assert not any(price % instrument.tick for price in bids + asks)
    sizes = [exact(size) for side in ("bids", "asks") for _, size, *_ in book[side]]
    assert all(size > 0 and not size % instrument.lot for size in sizes)


def test_markets_are_our_instruments(client: Any) -> None:
    markets = client.markets

    assert markets.keys() == {unified(instrument) for instrument in INSTRUMENTS}
    for instrument in INSTRUMENTS:
        market = markets[unified(instrument)]
        lots = instrument.info["lotSizeFilter"]
        assert market["id"] == instrument.symbol
        assert exact(market["precision"]["price"]) == instrument.tick
        assert exact(market["precision"]["amount"]) == instrument.lot
        assert exact(market["limits"]["amount"]["min"]) == Decimal(lots["minOrderQty"])
        assert market["active"] is True
        assert market["linear"] is (True if instrument.category is Category.LINEAR else None)


@BOTH
def test_a_ticker_agrees_with_itself(client: Any, symbol: str) -> None:
    ticker = client.fetch_ticker(symbol)

    last, opened = exact(ticker["last"]), exact(ticker["open"])
    assert ticker["symbol"] == symbol
    assert ticker["low"] <= ticker["last"] <= ticker["high"]
    assert ticker["bid"] < ticker["ask"]
    assert ticker["low"] <= ticker["vwap"] <= ticker["high"]
    assert not last % instrument_of(symbol).tick
    told = Decimal(ticker["info"]["price24hPcnt"])
    assert abs((last - opened) / opened - told) <= Decimal("0.0001")


@pytest.mark.parametrize(("kind", "ending"), [("spot", "/USDT"), ("swap", ":USDT")])
def test_all_tickers_of_a_category_come_at_once(client: Any, kind: str, ending: str) -> None:
    tickers = client.fetch_tickers(None, {"type": kind})

    assert len(tickers) == 26
    assert all(symbol.endswith(ending) for symbol in tickers)


@BOTH
@pytest.mark.parametrize("depth", [1, 50, 200])
def test_an_order_book_is_sorted_and_not_crossed(client: Any, symbol: str, depth: int) -> None:
    book = client.fetch_order_book(symbol, depth)

    check_book(book, symbol)
    assert len(book["bids"]) == len(book["asks"]) == depth


@BOTH
def test_candles_follow_one_another_and_hold_their_fields(client: Any, symbol: str) -> None:
    candles = client.fetch_ohlcv(symbol, "1m", limit=1000)

    assert len(candles) == 1000
    for earlier, later in pairwise(candles):
        assert later[0] - earlier[0] == MINUTE_MS
        assert later[1] == earlier[4], "Bybit opens a candle at the close of the one before"
    for _, opened, high, low, closed, volume in candles:
        assert low <= min(opened, closed) <= max(opened, closed) <= high
        assert volume >= 0


@BOTH
def test_wide_candles_are_made_of_narrow_ones(client: Any, symbol: str) -> None:
    wide = client.fetch_ohlcv(symbol, "1h", limit=3)[0]
    narrow = client.fetch_ohlcv(symbol, "1m", since=wide[0], limit=60)

    assert [candle[0] for candle in narrow] == [wide[0] + n * MINUTE_MS for n in range(60)]
    opened, closed = narrow[0][1], narrow[-1][4]
    high, low = max(c[2] for c in narrow), min(c[3] for c in narrow)
    assert wide[1:5] == [opened, high, low, closed]
    assert exact(wide[5]) == sum(exact(candle[5]) for candle in narrow)


@BOTH
def test_trades_lie_in_the_candles_of_their_minutes(client: Any, symbol: str) -> None:
    trades = client.fetch_trades(symbol, limit=60)
    since = trades[0]["timestamp"] // MINUTE_MS * MINUTE_MS
    candles = {candle[0]: candle for candle in client.fetch_ohlcv(symbol, "1m", since=since)}

    assert len({trade["id"] for trade in trades}) == len(trades)
    assert [t["timestamp"] for t in trades] == sorted(t["timestamp"] for t in trades)
    instrument = instrument_of(symbol)
    for trade in trades:
        _, _, high, low, _, volume = candles[trade["timestamp"] // MINUTE_MS * MINUTE_MS]
        assert low <= trade["price"] <= high
        assert trade["amount"] <= volume
        assert not exact(trade["price"]) % instrument.tick
        assert not exact(trade["amount"]) % instrument.lot
        assert trade["side"] in {"buy", "sell"}


@BOTH
async def test_watches_a_ticker_that_moves(watcher: Any, symbol: str) -> None:
    seen: set[tuple[float, ...]] = set()
    async with asyncio.timeout(PATIENCE_SECONDS):
        while len(seen) < 2:
            ticker = await watcher.watch_ticker(symbol)
            assert ticker["symbol"] == symbol
            assert ticker["low"] <= ticker["last"] <= ticker["high"]
            seen.add((ticker["last"], ticker["baseVolume"], ticker["bidVolume"]))


@BOTH
async def test_a_watched_book_is_the_fetched_one(watcher: Any, symbol: str) -> None:
    """Built by ccxt from a snapshot and our deltas, it equals REST's whenever the stamps meet."""
    watched: dict[int, Any] = {}
    compared: set[int] = set()

    async def watch() -> None:
        while True:
            book = await watcher.watch_order_book(symbol, 50)
            check_book(book, symbol)
            watched[book["timestamp"]] = {s: [r[:2] for r in book[s]] for s in ("bids", "asks")}

    async with asyncio.timeout(PATIENCE_SECONDS), asyncio.TaskGroup() as tasks:
        watching = tasks.create_task(watch())
        while len(compared) < 3:  # The first may be the snapshot itself, the others are built.
            fetched = await watcher.fetch_order_book(symbol, 50)
            same = watched.get(fetched["timestamp"])
            if same is not None:
                assert same == {side: fetched[side] for side in ("bids", "asks")}
                compared.add(fetched["timestamp"])
        watching.cancel()


@BOTH
async def test_watches_trades_that_rest_has_too(watcher: Any, symbol: str) -> None:
    seen: dict[str, Any] = {}
    async with asyncio.timeout(PATIENCE_SECONDS):
        while len(seen) < 5:
            for trade in await watcher.watch_trades(symbol):
                seen.setdefault(trade["id"], trade)
        fetched = {trade["id"]: trade for trade in await watcher.fetch_trades(symbol, limit=60)}

    assert {trade["symbol"] for trade in seen.values()} == {symbol}
    for id_, trade in seen.items():
        same = fetched[id_]
        for field in ("price", "amount", "side", "timestamp"):
            assert trade[field] == same[field]


async def test_watches_candles(watcher: Any) -> None:
    async with asyncio.timeout(PATIENCE_SECONDS):
        seen = [await watcher.watch_ohlcv("BTC/USDT:USDT", "1m") for _ in range(3)]

    for rows in seen:
        _, opened, high, low, closed, volume = rows[-1]
        assert low <= min(opened, closed) <= max(opened, closed) <= high
        assert volume >= 0
    assert seen[-1][-1][5] >= seen[0][-1][5] or seen[-1][-1][0] > seen[0][-1][0]
