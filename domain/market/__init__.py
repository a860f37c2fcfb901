"""Market data: the catalogue of instruments, their newest tickers, the feed that brings them."""

from domain.market.catalogue import CatalogueRefresh
from domain.market.errors import MarketErrorCode, TooManyInstruments, UnknownInstrument
from domain.market.feed import CategoryFeed
from domain.market.model import (
    FeedReport,
    FeedState,
    Instrument,
    InstrumentStatus,
    Source,
    Ticker,
)
from domain.market.ports import (
    FeedBatch,
    FeedPublisher,
    FeedReports,
    Instruments,
    Lease,
    LeaseLost,
    Leases,
    LiveTickers,
    VenueCatalogue,
    VenueStream,
    VenueStreams,
)
from domain.market.service import Catalogue, MarketData
from domain.market.venue_clock import VenueClock

__all__ = [
    "Catalogue",
    "CatalogueRefresh",
    "CategoryFeed",
    "FeedBatch",
    "FeedPublisher",
    "FeedReport",
    "FeedReports",
    "FeedState",
    "Instrument",
    "InstrumentStatus",
    "Instruments",
    "Lease",
    "LeaseLost",
    "Leases",
    "LiveTickers",
    "MarketData",
    "MarketErrorCode",
    "Source",
    "Ticker",
    "TooManyInstruments",
    "UnknownInstrument",
    "VenueCatalogue",
    "VenueClock",
    "VenueStream",
    "VenueStreams",
]
