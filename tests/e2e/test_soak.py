"""An hour of the exchange's market, with every fault it knows, and nobody restarts anything.

The exchange's clock runs six times as fast, so an hour takes ten minutes. OKD_SOAK_MINUTES
(of the exchange) makes it shorter or longer.
"""

import asyncio
import os
import random
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.sandbox import Sandbox
from tests.e2e.test_market import BOOK, BTC, TRADES, assert_sound, levels, venue_book
from tests.e2e.watcher import Watcher, live, subscribed

pytestmark = [pytest.mark.long, pytest.mark.xdist_group("soak"), pytest.mark.timeout(3600)]

SPEED = 6
MINUTES = float(os.environ.get("OKD_SOAK_MINUTES", "60"))
PAUSE_SECONDS = 4.0
WARM_SECONDS = 60.0
# Heaps breathe: caches fill, an arena is kept. What an event leaves behind shows within minutes:
# 5 kB of each made the web process 24 percent larger in ten.
GROWTH_MAX = 1.10
KEPT = 400  # values a watcher of hours keeps
TAMPERINGS: list[tuple[str, dict[str, object]]] = [
    ("tamper", {"topic": f"orderbook.{depth}.BTCUSDT", "fault": fault, "count": count})
    for depth in (50, 200)
    for fault in ("skip", "duplicate", "reorder")
    for count in (1, 5)
]
FAULTS: list[tuple[str, dict[str, object]]] = [
    ("drop-sockets", {"mode": "close"}),
    ("drop-sockets", {"mode": "abort"}),
    ("refuse", {"seconds": 20}),
    ("outage", {"seconds": 30}),
    ("outage", {"seconds": 180}),  # 30 s of ours
    ("mute-pings", {"seconds": 60}),
    ("silence", {"topic": "orderbook.50.BTCUSDT", "seconds": 60}),
    ("silence", {"topic": "tickers.BTCUSDT", "seconds": 60}),
    *TAMPERINGS,
    ("price-shock", {"category": "linear", "symbol": "BTCUSDT", "percent": -3}),
    ("price-shock", {"category": "linear", "symbol": "BTCUSDT", "percent": 3}),
    ("latency", {"milliseconds": 500, "seconds": 30}),
    ("skew", {"milliseconds": -2000, "seconds": 30}),
    ("force", {"path": "/v5/market/tickers", "status": 503, "seconds": 30}),
]


@pytest.fixture(scope="module")
def fast() -> Iterator[Sandbox]:
    sandbox = Sandbox("--no-web", OKD_SANDBOX_CLOCK_SPEED=str(SPEED))
    try:
        yield sandbox.up()
    finally:
        sandbox.remove()


def resident_kib(pid: int) -> int:
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.split("VmRSS:")[1].split()[0])


async def break_things(sandbox: Sandbox, until: float, done: list[str]) -> None:
    """One fault after another, in an order that a seed repeats."""
    dice = random.Random(2026)  # noqa: S311  # no secret
    while time.monotonic() < until:
        order, body = dice.choice(FAULTS)
        await asyncio.to_thread(sandbox.control, order, **body)
        done.append(order)
        await asyncio.sleep(PAUSE_SECONDS)


async def compare(sandbox: Sandbox, watcher: Watcher, depth: int, until: float) -> int:
    """Hold what we showed against the exchange's own book; returns how many were equal."""
    equal = 0
    while time.monotonic() < until:
        try:
            sequence, bids, asks = await venue_book(sandbox, depth)
        except (OSError, ValueError, KeyError, TypeError):  # an outage, a forced status
            await asyncio.sleep(0.5)
            continue
        await asyncio.sleep(0.4)
        for value in watcher.values[-20:]:
            assert_sound(value, depth)
            if value["sequence"] == sequence and live(value):
                assert (levels(value["bids"]), levels(value["asks"])) == (bids, asks), sequence
                equal += 1
        del watcher.values[:-KEPT]
    return equal


async def test_an_hour_with_every_fault(fast: Sandbox):
    began = time.monotonic()
    until = began + MINUTES * 60 / SPEED
    url = fast.addresses["graphql_ws"]
    faults: list[str] = []
    memory: dict[str, int] = {}

    async def weigh() -> None:
        await asyncio.sleep(min(WARM_SECONDS, (until - began) / 4))
        memory.update({role: resident_kib(fast.pid_of(role) or 0) for role in ("web", "feed")})

    async with (
        subscribed(url, BOOK, of=BTC, depth=50) as near,
        subscribed(url, BOOK, of=BTC, depth=200) as deep,
        subscribed(url, TRADES, of=BTC) as tape,
    ):
        before = {role: fast.pid_of(role) for role in ("web", "feed", "worker", "exchange")}
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(break_things(fast, until, faults))
            tasks.create_task(weigh())
            compared = [
                tasks.create_task(compare(fast, near, 50, until)),
                tasks.create_task(compare(fast, deep, 200, until)),
            ]
        fast.control("reset")
        for watcher in (near, deep):
            del watcher.values[:]
            await watcher.until(live, within_seconds=40)
        after = {role: fast.pid_of(role) for role in before}
        ids = [trade["id"] for value in tape.values for trade in value["trades"]]

    assert before == after, "nothing was restarted"
    assert near.closes == deep.closes == tape.closes == []
    assert near.errors == deep.errors == tape.errors == []
    assert len(ids) == len(set(ids)), "a trade came twice"
    equal = [task.result() for task in compared]
    assert min(equal) > MINUTES / 2, equal
    grown = {role: resident_kib(after[role] or 0) / kib for role, kib in memory.items()}
    assert max(grown.values()) < GROWTH_MAX, grown
    sys.stdout.write(
        f"\nsoak: {MINUTES:g} min of the exchange, {len(faults)} faults, {equal} equal books, "
        f"{len(ids)} trades, memory grown {grown}\n"
    )
