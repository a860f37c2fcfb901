"""Market data as clients see it."""

from datetime import datetime
from decimal import Decimal
from typing import Annotated

import strawberry

import domain.market
from domain.kernel.ids import Category, InstrumentId, Symbol
from domain.kernel.policy import Audience, Delivery, FieldPolicy, StreamRules
from resolvers import depth, live, market, tape
from schema._shared import Connection
from schema._view import Stream, resolved_by, streamed_by, view_of
from schema.depth import OrderBook
from schema.tape import Candle, CandleWindow, FundingRate, OpenInterest, Trade, TradeBatch

_PUBLIC = FieldPolicy(Audience.ANYONE)
_SAME_FOR_ALL = FieldPolicy(Audience.ANYONE, shared=True)


@strawberry.input(description="Names an instrument; a symbol alone may exist in two categories.")
class InstrumentRef:
    category: Category = strawberry.field(description="Its product family.")
    symbol: str = strawberry.field(description="Such as `BTCUSDT`, in upper case.")

    def to_domain(self) -> InstrumentId:
        return InstrumentId(self.category, Symbol(self.symbol))


@view_of(domain.market.Instrument, description="Something that trades, and the rules for orders.")
class Instrument:
    category: Category = strawberry.field(description="Its product family.")
    symbol: str = strawberry.field(description="Its name within the category.")
    base_asset: str = strawberry.field(description="What is bought and sold.")
    quote_asset: str = strawberry.field(description="What prices are in.")
    settle_asset: str | None = strawberry.field(
        description="What profit and loss are in; null for spot."
    )
    status: domain.market.InstrumentStatus = strawberry.field(description="Whether it trades.")
    tick_size: Decimal = strawberry.field(description="Prices are multiples of this.")
    quantity_step: Decimal = strawberry.field(description="Quantities are multiples of this.")
    min_quantity: Decimal = strawberry.field(description="Smallest order, in the base asset.")
    max_quantity: Decimal = strawberry.field(description="Largest order, in the base asset.")
    min_notional: Decimal | None = strawberry.field(
        description="Smallest order, in the quote asset."
    )
    max_leverage: Decimal | None = strawberry.field(description="Null for spot.")
    funding_interval_minutes: int | None = strawberry.field(description="Null for spot.")
    launched_at: datetime | None = strawberry.field(description="Since when it trades, if known.")
    ticker: "Ticker | None" = resolved_by(
        market.ticker_of_instrument,
        policy=_SAME_FOR_ALL,
        description="Its newest price; null when the venue gives none.",
    )
    order_book: OrderBook | None = resolved_by(
        depth.book_of_instrument,
        policy=_SAME_FOR_ALL,
        description="Its order book, 1 to 200 levels.",
    )
    candles: CandleWindow | None = resolved_by(
        tape.candles_of_instrument,
        policy=_SAME_FOR_ALL,
        description="Its candles in a window; the last 200 by default, at most 1000.",
    )
    recent_trades: list[Trade] | None = resolved_by(
        tape.trades_of_instrument,
        policy=_SAME_FOR_ALL,
        description="Its last trades, newest first; `first` at most 60 for spot, else 1000.",
    )


@view_of(domain.market.Ticker, description="The newest price and the last 24 hours.")
class Ticker:
    category: Category = strawberry.field(description="Product family of the instrument.")
    symbol: str = strawberry.field(description="Symbol of the instrument.")
    last_price: Decimal = strawberry.field(description="Price of the last trade.")
    bid_price: Decimal | None = strawberry.field(description="Best price somebody buys at.")
    bid_size: Decimal | None = strawberry.field(description="Quantity at the best bid.")
    ask_price: Decimal | None = strawberry.field(description="Best price somebody sells at.")
    ask_size: Decimal | None = strawberry.field(description="Quantity at the best ask.")
    high_price_24h: Decimal = strawberry.field(description="Highest price of 24 hours.")
    low_price_24h: Decimal = strawberry.field(description="Lowest price of 24 hours.")
    previous_price_24h: Decimal = strawberry.field(description="Price 24 hours ago.")
    change_24h: Decimal = strawberry.field(
        description="Change over 24 hours as a ratio: 0.01 is one percent up."
    )
    volume_24h: Decimal = strawberry.field(description="Traded in 24 hours, in the base asset.")
    turnover_24h: Decimal = strawberry.field(description="Traded in 24 hours, in the quote asset.")
    mark_price: Decimal | None = strawberry.field(description="What positions are valued at.")
    index_price: Decimal | None = strawberry.field(description="The index behind the mark price.")
    open_interest: Decimal | None = strawberry.field(description="Open contracts; null for spot.")
    funding_rate: Decimal | None = strawberry.field(
        description="Next funding as a ratio of the position; null for spot."
    )
    next_funding_at: datetime | None = strawberry.field(description="Null for spot.")
    as_of: datetime = strawberry.field(description="The venue's own time of the newest part.")
    stale: bool = strawberry.field(
        description="True while the connection or topic behind the price is silent."
    )
    source: domain.market.Source = strawberry.field(description="Which world it comes from.")
    instrument: Instrument | None = resolved_by(
        market.instrument_of_ticker,
        policy=_SAME_FOR_ALL,
        description="What it is the price of.",
    )


_ONE = {
    "instrument": Annotated[InstrumentRef, strawberry.argument(description="Which instrument.")]
}
_MANY = {
    "instruments": Annotated[
        list[InstrumentRef], strawberry.argument(description="1 to 100, any categories.")
    ]
}
_LIVE = FieldPolicy(Audience.ANYONE, shared=True, delivery=Delivery.LATEST)
_EVERY_TRADE = FieldPolicy(Audience.ANYONE, shared=True, delivery=Delivery.BOUNDED)
_PACED = {"maxPerSecond": domain.market.pace_class}


@strawberry.type
class MarketQueries:
    instruments: Connection[Instrument] = resolved_by(
        market.instruments,
        policy=_PUBLIC,
        description="The instruments of a category in the order of their symbols. "
        "`first` is 1 to 100, 20 by default.",
    )
    instrument: Instrument | None = resolved_by(
        market.instrument,
        policy=_PUBLIC,
        description="One instrument. A misspelt symbol is answered with near matches.",
    )
    ticker: Ticker | None = resolved_by(
        market.ticker,
        policy=_PUBLIC,
        description="The newest price of one instrument; null when the venue gives none.",
    )
    tickers: list[Ticker | None] = resolved_by(
        market.tickers,
        shown_as=_MANY,
        policy=FieldPolicy(Audience.ANYONE, cost=5),
        description="The newest prices of at most 100 instruments, in the order asked for.",
    )
    all_tickers: Connection[Ticker] = resolved_by(
        market.all_tickers,
        policy=FieldPolicy(Audience.ANYONE, cost=5),
        description="The newest prices of a whole category, page by page in the order of symbols.",
    )
    search_instruments: list[Instrument] = resolved_by(
        market.search_instruments,
        policy=_PUBLIC,
        description="Instruments that look like `text`, the likeliest first.",
    )
    order_book: OrderBook | None = resolved_by(
        depth.order_book,
        shown_as=_ONE,
        policy=FieldPolicy(Audience.ANYONE, cost=5),
        description="The order book of one instrument, 1 to 200 levels, 50 by default.",
    )
    candles: CandleWindow | None = resolved_by(
        tape.candles,
        shown_as=_ONE,
        policy=FieldPolicy(Audience.ANYONE, cost=5),
        description="Candles that begin in [from, to): at most 1000, the last 200 by default.",
    )
    recent_trades: list[Trade] | None = resolved_by(
        tape.recent_trades,
        shown_as=_ONE,
        policy=FieldPolicy(Audience.ANYONE, cost=2),
        description="The last trades, newest first; `first` at most 60 for spot, else 1000.",
    )
    funding_rates: list[FundingRate] | None = resolved_by(
        tape.funding_rates,
        shown_as=_ONE,
        policy=FieldPolicy(Audience.ANYONE, cost=2),
        description="Settled funding, newest first; `first` at most 200, 30 days by default.",
    )
    open_interest: list[OpenInterest] | None = resolved_by(
        tape.open_interest,
        shown_as=_ONE,
        policy=FieldPolicy(Audience.ANYONE, cost=2),
        description="Open interest, newest first, at most 200 points. `interval` is one of "
        "MINUTE_5, MINUTE_15, MINUTE_30, HOUR_1, HOUR_4, DAY_1.",
    )


@strawberry.type
class MarketSubscriptions:
    ticker: Stream[Ticker] = streamed_by(
        market.ticker_changes,
        policy=_LIVE,
        rules=StreamRules(alone_with="stopAfter"),
        description="The price of one instrument: the current one at once, then every change, at "
        "most 10 per second. `stopAfter` (1 to 1000000) ends the stream after so many values.",
    )
    tickers: Stream[Ticker] = streamed_by(
        live.tickers,
        shown_as=_MANY,
        policy=_LIVE,
        rules=StreamRules(split_by="instruments", alike=_PACED),
        description="Prices of 1 to 100 instruments, one at a time: the current ones at once, "
        "then every change, each instrument at most `maxPerSecond`.",
    )
    order_book: Stream[OrderBook] = streamed_by(
        live.order_book,
        shown_as=_ONE,
        policy=_LIVE,
        rules=StreamRules(alike=_PACED),
        description="Whole order books, at most `maxPerSecond`: each replaces the one before.",
    )
    trades: Stream[TradeBatch] = streamed_by(
        live.trades,
        shown_as=_ONE,
        policy=_EVERY_TRADE,
        rules=StreamRules(carries=domain.market.trades_told, dropped="dropped"),
        description="Every trade, in order; some recent ones at once. A reader too slow is told "
        "how many it missed.",
    )
    candles: Stream[Candle] = streamed_by(
        live.candles,
        shown_as=_ONE,
        policy=_LIVE,
        rules=StreamRules(keeps=domain.market.is_final),
        description="The candle being made, at every change, and each confirmed one.",
    )
