"""Bybit V5: pybit behind our own guard. The rest of the platform knows only what is named here.

async with connect(settings, clock=clock, breakers=breakers) as bybit:
    bybit.rest      # domain.market.VenueCatalogue
    bybit.streams   # domain.market.VenueStreams
"""

from adapters.bybit.adapter import REST_BREAKER, BybitAdapter, connect
from adapters.bybit.config import BybitAddresses, addresses_of
from adapters.bybit.metrics import FeedMetrics, NullFeedMetrics
from adapters.bybit.public_feed import BybitStreams
from adapters.bybit.rest import BybitRest
from adapters.bybit.timings import StreamTimings

__all__ = [
    "REST_BREAKER",
    "BybitAdapter",
    "BybitAddresses",
    "BybitRest",
    "BybitStreams",
    "FeedMetrics",
    "NullFeedMetrics",
    "StreamTimings",
    "addresses_of",
    "connect",
]
