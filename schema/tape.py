"""Trades, candles, funding and open interest as clients see them."""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import NewType

import strawberry

import domain.market
import schema.words  # noqa: F401  # the enums must be declared before they are shown
from domain.kernel.ids import Side
from schema._view import view_of

CandleRows = NewType("CandleRows", Sequence[Sequence[str | int | bool]])


@view_of(domain.market.Trade, description="One trade on the venue.")
class Trade:
    id: strawberry.ID = strawberry.field(description="The venue's id of it.")
    price: Decimal = strawberry.field(description="In the quote asset.")
    quantity: Decimal = strawberry.field(description="In the base asset.")
    side: Side = strawberry.field(description="The taker's side.")
    at: datetime = strawberry.field(description="When it happened, by the venue's clock.")


@view_of(domain.market.Trades, description="Trades in the order they happened.")
class TradeBatch:
    trades: list[Trade] = strawberry.field(
        description="Oldest first; empty when only `stale` changed."
    )
    dropped: int = strawberry.field(
        description="How many were left out before these because this reader was too slow."
    )
    as_of: datetime = strawberry.field(description="The venue's own time of the last of them.")
    stale: bool = strawberry.field(description="True while the source is silent.")
    source: domain.market.Source = strawberry.field(description="Which world they come from.")


@view_of(domain.market.Candle, description="Open, high, low and close of one interval.")
class Candle:
    interval: domain.market.Interval = strawberry.field(description="How long it lasts.")
    start: datetime = strawberry.field(description="Its first instant.")
    end: datetime = strawberry.field(description="The first instant after it.")
    open_price: Decimal = strawberry.field(description="Price of the first trade.")
    high_price: Decimal = strawberry.field(description="Highest price.")
    low_price: Decimal = strawberry.field(description="Lowest price.")
    close_price: Decimal = strawberry.field(description="Price of the last trade so far.")
    volume: Decimal = strawberry.field(description="Traded, in the base asset.")
    turnover: Decimal = strawberry.field(description="Traded, in the quote asset.")
    confirmed: bool = strawberry.field(description="True when it is over and will not change.")
    as_of: datetime = strawberry.field(description="The venue's own time of its newest part.")
    stale: bool = strawberry.field(description="True while the source is silent.")
    source: domain.market.Source = strawberry.field(description="Which world it comes from.")


@view_of(domain.market.CandleWindow, description="The candles that begin within a window of time.")
class CandleWindow:
    interval: domain.market.Interval = strawberry.field(description="How long each lasts.")
    start: datetime = strawberry.field(description="Beginning of the window.")
    end: datetime = strawberry.field(description="End of the window, itself not in it.")
    candles: list[Candle] = strawberry.field(description="Oldest first, at most 1000.")
    rows: CandleRows = strawberry.field(
        description="The same candles as plain rows, for charts: far cheaper for many candles."
    )


@view_of(domain.market.FundingRate, description="Funding as it was settled.")
class FundingRate:
    rate: Decimal = strawberry.field(
        description="Ratio of the position; positive: longs paid shorts."
    )
    at: datetime = strawberry.field(description="When it was settled.")


@view_of(domain.market.OpenInterest, description="How much was open at a moment.")
class OpenInterest:
    quantity: Decimal = strawberry.field(description="Open contracts, in the base asset.")
    at: datetime = strawberry.field(description="The moment.")
