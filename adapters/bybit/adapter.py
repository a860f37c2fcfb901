"""Both halves of Bybit for one process, opened and closed together."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from adapters.bybit.config import BybitAddresses, addresses_of
from adapters.bybit.metrics import FeedMetrics, NullFeedMetrics
from adapters.bybit.public_feed import BybitStreams
from adapters.bybit.rest import BybitRest
from adapters.bybit.timings import STREAM_TIMINGS, StreamTimings
from adapters.resilience import Breakers
from adapters.settings import Settings
from domain.kernel.clock import Clock

REST_BREAKER = "bybit-rest"
_NULL_METRICS = NullFeedMetrics()


@dataclass(frozen=True, slots=True)
class BybitAdapter:
    """What ``connect`` yields."""

    addresses: BybitAddresses
    rest: BybitRest
    """domain.market.VenueCatalogue"""
    streams: BybitStreams
    """domain.market.VenueStreams"""


@asynccontextmanager
async def connect(
    settings: Settings,
    *,
    clock: Clock,
    breakers: Breakers,
    metrics: FeedMetrics = _NULL_METRICS,
    timings: StreamTimings = STREAM_TIMINGS,
) -> AsyncIterator[BybitAdapter]:
    """Make the adapter the settings ask for. Nothing is dialled before it is used.

    Streams are opened and closed by whoever leads; leaving here ends the REST threads.
    """
    addresses = addresses_of(settings)
    rest = BybitRest(
        addresses,
        clock=clock,
        breaker=breakers.of(REST_BREAKER, what="exchange"),
        timeout_seconds=settings.bybit_timeout_seconds,
        metrics=metrics,
    )
    try:
        yield BybitAdapter(
            addresses, rest, BybitStreams(addresses, metrics=metrics, timings=timings)
        )
    finally:
        await rest.close()
