"""Puts the exchange together and owns its one task for as long as the server runs it."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import structlog
from starlette.applications import Starlette
from starlette.routing import BaseRoute, WebSocketRoute

from adapters.sandbox.exchange.control import Control
from adapters.sandbox.exchange.faults import Faults, SkewedClock, Timed
from adapters.sandbox.exchange.hub import Hub
from adapters.sandbox.exchange.instruments import INSTRUMENTS, Instrument
from adapters.sandbox.exchange.public_ws import PublicEndpoint
from adapters.sandbox.exchange.recording import load
from adapters.sandbox.exchange.replay import ReplayMarket
from adapters.sandbox.exchange.rest import Rest
from adapters.sandbox.exchange.simulation import SimulatedMarket
from adapters.sandbox.exchange.venue import Market
from domain.kernel.clock import Clock

log = structlog.get_logger()

FOREVER_SECONDS = 10**9


def create_exchange(
    *,
    seed: int,
    clock: Clock,
    recording: Path | None,
    control_token: str,
    listed: Sequence[Instrument] = INSTRUMENTS,
) -> Starlette:
    """Build the exchange: simulated from the seed, or replayed when a recording is given.

    Args:
        seed: Decides every price of a simulated market.
        clock: The world's clock.
        recording: A session to replay instead.
        control_token: What every request to /control has to carry.
        listed: What a simulated market trades; a recording brings its own.

    Raises:
        RecordingError: the recording cannot be replayed; the message is a sentence for a person.
        ValueError: the control token is empty.
    """
    faults = Faults(clock)
    venue_clock = SkewedClock(clock, faults)
    market: Market
    if recording is None:
        market = SimulatedMarket(seed=seed, clock=venue_clock, listed=listed)
    else:
        market = ReplayMarket(load(recording), venue_clock)
    hub = Hub(faults, market.snapshot)
    control = Control(market, hub, faults, token=control_token)
    endpoint = PublicEndpoint(hub, faults, market.offers)

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        async with asyncio.TaskGroup() as tasks:
            living = tasks.create_task(_live(market, hub, faults))
            try:
                yield
            finally:
                living.cancel()
                hub.drop_all()

    routes: list[BaseRoute] = [
        WebSocketRoute("/v5/public/{category}", endpoint),
        *control.routes(),
        *Rest(market, venue_clock, faults).routes(),
    ]
    return Starlette(routes=routes, lifespan=lifespan)


async def _live(market: Market, hub: Hub, faults: Faults) -> None:
    """Run the market; if it breaks, the exchange is out for all to see, not silently frozen."""
    try:
        await market.run(hub)
    except Exception:
        log.exception("market_broke", mode=market.mode)
        faults.begin(Timed.OUTAGE, FOREVER_SECONDS)
        hub.drop_all()
