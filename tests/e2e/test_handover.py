"""Two feeds: when the leader dies, the other leads within five seconds."""

import os
import signal
import sys
import time
from collections.abc import Iterator

import httpx
import pytest

from tests.e2e.sandbox import Sandbox
from tests.e2e.watcher import live, stale, watching
from tests.front_door.running import Program
from tests.world import REPOSITORY

pytestmark = pytest.mark.xdist_group("handover")

HANDOVER_SECONDS_MAX = 5.0


@pytest.fixture(scope="module")
def own() -> Iterator[Sandbox]:
    sandbox = Sandbox("--no-web")
    try:
        yield sandbox.up()
    finally:
        sandbox.remove()


@pytest.fixture
def second_feed(own: Sandbox) -> Iterator[Program]:
    """A feed like the first, started by hand."""
    told = own.addresses
    feed = Program(
        [sys.executable, str(REPOSITORY / "app.py"), "feed"],
        {
            "OKD_ENVIRONMENT": "sandbox",
            "OKD_SECRET_KEY": "k" * 32,
            "OKD_BYBIT_ENVIRONMENT": "sandbox",
            "OKD_BYBIT_REST_URL": told["exchange_rest"],
            "OKD_BYBIT_WS_URL": told["exchange_ws"],
            "OKD_OPERATIONS_PORT": "0",
            "OKD_DRAIN_SECONDS": "0",
            "DATABASE_URL": told["database"],
            "REDIS_URL": told["redis"],
        },
    )
    try:
        feed.until("listening")
        yield feed
    finally:
        feed.discard()


def leads(sandbox: Sandbox) -> dict[str, str | None]:
    """What the supervised feed says of each category: standing by, or nothing when it leads."""
    told = httpx.get(f"{sandbox.addresses['operations']['feed']}/readyz", timeout=5).json()
    return {c["name"]: c["detail"] for c in told["components"] if c["name"].startswith("feed.")}


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM])
async def test_a_standby_leads_within_five_seconds(
    own: Sandbox, second_feed: Program, how: signal.Signals
):
    async with watching(own.addresses["graphql_ws"]) as watcher:
        alive = await watcher.until(live)
        leader = own.pid_of("feed")
        assert leader is not None
        # The supervised feed was here first, or took over when the last test's second feed ended.
        assert set(leads(own).values()) == {None}

        # Stopped first: a process that is killed is restarted at once, and could lead again.
        os.kill(leader, signal.SIGSTOP)
        began = time.monotonic()
        if how is signal.SIGKILL:
            os.kill(leader, signal.SIGKILL)
        else:
            os.kill(leader, signal.SIGCONT)
            os.kill(leader, signal.SIGTERM)
        fell = await watcher.until(stale, after=alive, within_seconds=10)
        await watcher.until(live, after=fell, within_seconds=10)
        taken = time.monotonic() - began

    assert taken < HANDOVER_SECONDS_MAX
    assert watcher.closes == []
    stamps = [value["asOf"] for value in watcher.values]
    assert stamps == sorted(stamps), "a price went back in time"
