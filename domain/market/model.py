"""What trades and what it costs right now, in the platform's own words."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum

from domain.kernel.ids import AssetCode, Category, InstrumentId, Symbol


class InstrumentStatus(StrEnum):
    """Whether it can be traded (Bybit v5 instruments-info, "status")."""

    PRE_LAUNCH = "PRE_LAUNCH"
    TRADING = "TRADING"
    DELIVERING = "DELIVERING"
    CLOSED = "CLOSED"
    SUSPENDED = "SUSPENDED"
    """The venue says something we have no word for: shown, never tradable."""


class Source(StrEnum):
    """Which world a price comes from. A client that shows money must show anything but BYBIT."""

    BYBIT = "BYBIT"
    BYBIT_TESTNET = "BYBIT_TESTNET"
    BYBIT_DEMO = "BYBIT_DEMO"
    SANDBOX = "SANDBOX"
    RECORDING = "RECORDING"


@dataclass(frozen=True, slots=True)
class Instrument:
    """Something that trades, with the steps and bounds its orders must keep.

    Prices are in ``quote_asset`` per ``base_asset``, quantities in ``base_asset``. What a category
    does not have (leverage of a spot pair) is None.
    """

    id: InstrumentId
    base_asset: AssetCode
    quote_asset: AssetCode
    settle_asset: AssetCode | None
    status: InstrumentStatus
    tick_size: Decimal
    quantity_step: Decimal
    min_quantity: Decimal
    max_quantity: Decimal
    min_notional: Decimal | None
    max_leverage: Decimal | None
    funding_interval_minutes: int | None
    launched_at: datetime | None

    @property
    def category(self) -> Category:
        return self.id.category

    @property
    def symbol(self) -> Symbol:
        return self.id.symbol


@dataclass(frozen=True, slots=True)
class Ticker:
    """The newest price of one instrument and its last 24 hours.

    ``as_of`` is the venue's own time of the newest part. ``stale`` tells that the connection or
    topic behind it fell silent; a quiet price over a living connection is not stale.
    """

    id: InstrumentId
    last_price: Decimal
    bid_price: Decimal | None
    bid_size: Decimal | None
    ask_price: Decimal | None
    ask_size: Decimal | None
    high_price_24h: Decimal
    low_price_24h: Decimal
    previous_price_24h: Decimal
    change_24h: Decimal
    """A ratio: 0.01 is one percent up."""
    volume_24h: Decimal
    turnover_24h: Decimal
    mark_price: Decimal | None
    index_price: Decimal | None
    open_interest: Decimal | None
    funding_rate: Decimal | None
    next_funding_at: datetime | None
    as_of: datetime
    stale: bool
    source: Source

    @property
    def category(self) -> Category:
        return self.id.category

    @property
    def symbol(self) -> Symbol:
        return self.id.symbol


class FeedState(StrEnum):
    """How the connection behind one category of prices is."""

    STARTING = "STARTING"
    LIVE = "LIVE"
    SILENT = "SILENT"
    """The socket lives and says nothing."""
    DISCONNECTED = "DISCONNECTED"


@dataclass(frozen=True, slots=True)
class FeedReport:
    """What the leading feed says of itself, with every batch and at least twice a second."""

    category: Category
    state: FeedState
    since: datetime
    epoch: int
    """The lease's fencing number: a report of a smaller one is a ghost's."""
