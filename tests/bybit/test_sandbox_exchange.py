"""The whole adapter against the sandbox exchange, which another hand wrote: faults and recovery."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import replace
from decimal import Decimal

import httpx
import pytest

from adapters.bybit import BybitAdapter, connect
from adapters.clock import SystemClock
from adapters.resilience import Breakers, BreakerState
from adapters.sandbox.exchange import create_exchange
from domain.kernel.failures import Failure
from domain.kernel.ids import Category, InstrumentId, Symbol
from domain.market import FeedState, Source
from tests.bybit.following import QUICK, following_topics, tickers_of
from tests.bybit.test_config import settings_of
from tests.sandbox.exchange.support import Served, served

TOKEN = "t"  # of a server on loopback that lives for one test
# The simulated market pauses for up to a second, unlike the scripted one.
TIMINGS = replace(
    QUICK, topic_silent_after_seconds=2, silent_after_seconds=3, probe_timeout_seconds=0.5
)
BTC, ETH = Symbol("BTCUSDT"), Symbol("ETHUSDT")


@pytest.fixture
def exchange() -> Iterator[Served]:
    app = create_exchange(seed=7, clock=SystemClock(), recording=None, control_token=TOKEN)
    with served(app) as server:
        yield server


@pytest.fixture
def breakers() -> Breakers:
    return Breakers(SystemClock())


@pytest.fixture
async def bybit(exchange: Served, breakers: Breakers) -> AsyncIterator[BybitAdapter]:
    settings = settings_of(
        bybit_environment="sandbox",
        bybit_rest_url=f"http://127.0.0.1:{exchange.port}",
        bybit_ws_url=f"ws://127.0.0.1:{exchange.port}",
    )
    async with connect(
        settings, clock=SystemClock(), breakers=breakers, timings=TIMINGS
    ) as adapter:
        yield adapter


@asynccontextmanager
async def control(exchange: Served) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(
        base_url=f"http://127.0.0.1:{exchange.port}/control",
        headers={"x-okd-control": TOKEN},
        trust_env=False,
    ) as client:
        yield client


@pytest.mark.parametrize("category", list(Category))
async def test_reads_catalogue_clock_and_tickers(bybit: BybitAdapter, category: Category) -> None:
    instruments = await bybit.rest.instruments(category)
    ids = [instrument.id for instrument in instruments]
    tickers = await bybit.rest.tickers(ids)

    assert InstrumentId(category, BTC) in ids
    assert list(tickers) != []
    assert set(tickers) == set(ids)
    assert all(ticker.source is Source.SANDBOX for ticker in tickers.values())
    assert all(ticker.bid_price is not None for ticker in tickers.values())
    assert abs(await bybit.rest.clock_offset_seconds()) < 1


@pytest.mark.parametrize("category", list(Category))
async def test_follows_and_survives_what_the_control_plane_does(
    bybit: BybitAdapter, exchange: Served, category: Category
) -> None:
    async with (
        control(exchange) as fault,
        bybit.streams.open(category) as stream,
        following_topics(stream, tickers_of(category, [BTC, ETH, Symbol("NOPEUSDT")])) as feed,
    ):
        await feed.until_live(BTC, ETH)

        await fault.post("/drop-sockets")
        await feed.until(lambda: feed.stale(BTC) and feed.stale(ETH))
        await feed.until_live(BTC, ETH)

        await fault.post("/silence", json={"topic": f"tickers.{BTC}", "seconds": 3})
        await feed.until(lambda: feed.stale(BTC))
        assert feed.live(ETH)
        await feed.until_live(BTC)

        before = feed.newest(BTC)
        assert before is not None
        shock = {"category": category.lower(), "symbol": BTC, "percent": 20}
        await fault.post("/price-shock", json=shock)
        floor = before.last_price * Decimal("1.1")
        await feed.until(lambda: getattr(feed.newest(BTC), "last_price", 0) > floor)

        assert feed.newest(Symbol("NOPEUSDT")) is None


async def test_an_outage_stales_the_stream_opens_the_breaker_and_passes(
    bybit: BybitAdapter, exchange: Served, breakers: Breakers
) -> None:
    ids = [InstrumentId(Category.LINEAR, BTC)]
    async with (
        control(exchange) as fault,
        bybit.streams.open(Category.LINEAR) as stream,
        following_topics(stream, tickers_of(Category.LINEAR, [BTC])) as feed,
    ):
        await feed.until_live(BTC)
        await fault.post("/outage", json={"seconds": 2})
        await feed.until(lambda: feed.batches[-1].state is FeedState.DISCONNECTED)
        assert feed.stale(BTC)
        for _ in range(5):
            with pytest.raises(Failure):
                await bybit.rest.tickers(ids)
        assert [breaker.state for breaker in breakers] == [BreakerState.OPEN]

        await feed.until_live(BTC)
        (breaker,) = breakers
        await feed.until(lambda: breaker.state is BreakerState.HALF_OPEN)
        assert set(await bybit.rest.tickers(ids)) == set(ids)
        assert breaker.state is BreakerState.CLOSED
