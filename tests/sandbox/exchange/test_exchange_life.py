"""Start and end: tasks end with the server; a broken market is an outage, not a frozen price."""

import asyncio
import time
from contextlib import AsyncExitStack
from datetime import datetime

import httpx
import pytest
from structlog.testing import capture_logs
from websockets.asyncio.client import connect

from adapters.clock import SystemClock
from tests.sandbox.exchange.support import HandClock, hear, say, served, small_exchange


async def test_stops_quickly_under_subscribers() -> None:
    app = small_exchange(SystemClock(), seed=1)
    async with AsyncExitStack() as clients:
        with served(app) as server:
            for _ in range(5):
                client = await clients.enter_async_context(
                    connect(server.public("linear"), proxy=None)
                )
                await say(client, op="subscribe", args=["tickers.BTCUSDT"])
                await hear(client)
            before = time.monotonic()
            # The clients answer the server's close from this loop, so the wait must leave it free.
            await asyncio.to_thread(server.stop)
            assert time.monotonic() - before < 2


async def test_leaves_no_task_behind() -> None:
    app = small_exchange(SystemClock(), seed=1)
    before = asyncio.all_tasks()
    async with app.router.lifespan_context(app):
        await asyncio.sleep(0)
        assert len(asyncio.all_tasks() - before) == 1
    assert asyncio.all_tasks() == before


class StoppedClock(HandClock):
    broken = False

    def now(self) -> datetime:
        if self.broken:
            raise ZeroDivisionError
        return super().now()


@pytest.mark.provokes("ZeroDivisionError")
async def test_a_broken_market_is_an_outage() -> None:
    clock = StoppedClock()
    app = small_exchange(clock, seed=1)
    clock.broken = True
    transport = httpx.ASGITransport(app)
    with capture_logs() as logs:
        async with app.router.lifespan_context(app):
            await asyncio.sleep(0)
            async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
                assert (await client.get("/v5/market/time")).status_code == 503

    assert [entry["event"] for entry in logs] == ["market_broke"]
