"""Market data: the catalogue of instruments, their newest tickers, the feed that brings them."""

from domain.market.books import DEPTH_DEFAULT, BookAsked, OrderBooks, depth_refusal
from domain.market.catalogue import CatalogueRefresh
from domain.market.conflation import Conflater, Publication, Slot, is_final, trades_told
from domain.market.depth import CostToTrade, Level, OrderBook, cost_to_trade
from domain.market.errors import (
    MarketErrorCode,
    NoSuchHistory,
    TooManyInstruments,
    UnknownInstrument,
)
from domain.market.feed import CategoryFeed
from domain.market.history import CandleWindow, Tape
from domain.market.intervals import Interval
from domain.market.known import Catalogue
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
    LiveMarket,
    VenueCatalogue,
    VenueStream,
    VenueStreams,
)
from domain.market.service import MarketData
from domain.market.tape import Candle, FundingRate, OpenInterest, Trade, Trades
from domain.market.topics import (
    BOOK_DEPTHS,
    RATES,
    Follow,
    Topic,
    TopicKind,
    book_topic,
    candles_topic,
    pace_class,
    rate_class,
    ticker_topic,
    trades_topic,
)
from domain.market.updates import Update, instrument_of, topic_of
from domain.market.venue_clock import VenueClock

__all__ = [
    "BOOK_DEPTHS",
    "DEPTH_DEFAULT",
    "RATES",
    "BookAsked",
    "Candle",
    "CandleWindow",
    "Catalogue",
    "CatalogueRefresh",
    "CategoryFeed",
    "Conflater",
    "CostToTrade",
    "FeedBatch",
    "FeedPublisher",
    "FeedReport",
    "FeedReports",
    "FeedState",
    "Follow",
    "FundingRate",
    "Instrument",
    "InstrumentStatus",
    "Instruments",
    "Interval",
    "Lease",
    "LeaseLost",
    "Leases",
    "Level",
    "LiveMarket",
    "MarketData",
    "MarketErrorCode",
    "NoSuchHistory",
    "OpenInterest",
    "OrderBook",
    "OrderBooks",
    "Publication",
    "Slot",
    "Source",
    "Tape",
    "Ticker",
    "TooManyInstruments",
    "Topic",
    "TopicKind",
    "Trade",
    "Trades",
    "UnknownInstrument",
    "Update",
    "VenueCatalogue",
    "VenueClock",
    "VenueStream",
    "VenueStreams",
    "book_topic",
    "candles_topic",
    "cost_to_trade",
    "depth_refusal",
    "instrument_of",
    "is_final",
    "pace_class",
    "rate_class",
    "ticker_topic",
    "topic_of",
    "trades_told",
    "trades_topic",
]
