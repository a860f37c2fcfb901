"""What happened: trades, candles, funding, open interest."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from domain.kernel.ids import InstrumentId, Side
from domain.market.intervals import Interval
from domain.market.model import Source


@dataclass(frozen=True, slots=True)
class Trade:
    """One trade on the venue; ``side`` is the taker's."""

    id: str
    price: Decimal
    quantity: Decimal
    side: Side
    at: datetime


@dataclass(frozen=True, slots=True)
class Trades:
    """Trades in the order they happened, none left out between two of these unless ``dropped``."""

    instrument: InstrumentId
    trades: Sequence[Trade]
    dropped: int
    """How many older ones did not fit and were left out before these."""
    as_of: datetime
    stale: bool
    source: Source


@dataclass(frozen=True, slots=True)
class Candle:
    """Open, high, low and close of one interval; final once ``confirmed``."""

    instrument: InstrumentId
    interval: Interval
    start: datetime
    open_price: Decimal
    high_price: Decimal
    low_price: Decimal
    close_price: Decimal
    volume: Decimal
    """In the base asset."""
    turnover: Decimal
    """In the quote asset."""
    confirmed: bool
    as_of: datetime
    stale: bool
    source: Source

    @property
    def end(self) -> datetime:
        """The first instant that is no longer part of it."""
        return self.interval.next_start(self.start)


@dataclass(frozen=True, slots=True)
class FundingRate:
    """What longs paid to shorts (negative: the other way), as a ratio of the position."""

    instrument: InstrumentId
    rate: Decimal
    at: datetime


@dataclass(frozen=True, slots=True)
class OpenInterest:
    """How many contracts were open, in the base asset."""

    instrument: InstrumentId
    quantity: Decimal
    at: datetime
