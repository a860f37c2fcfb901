"""Market data as clients see it."""

from datetime import datetime
from decimal import Decimal
from typing import Annotated

import strawberry

import domain.market
from domain.kernel.ids import Category, InstrumentId, Symbol
from domain.kernel.policy import Audience, Delivery, FieldPolicy
from resolvers import market
from schema._shared import Connection
from schema._view import Stream, resolved_by, streamed_by, view_of
from schema._words import words_of

words_of(
    Category,
    description="The venue's product families.",
    values={
        "LINEAR": "Perpetual and dated futures settled in a stablecoin.",
        "SPOT": "Immediate exchange of one asset for another.",
    },
)
words_of(
    domain.market.InstrumentStatus,
    description="Whether an instrument trades.",
    values={
        "PRE_LAUNCH": "Announced, not trading yet.",
        "TRADING": "Trading.",
        "DELIVERING": "A dated future that is being settled.",
        "CLOSED": "No longer traded, or no longer listed by the venue.",
        "SUSPENDED": "Not tradable for a reason of the venue's own.",
    },
)
words_of(
    domain.market.Source,
    name="PriceSource",
    description="Which world a price comes from. Only BYBIT is real money.",
    values={
        "BYBIT": "Bybit, the real market.",
        "BYBIT_TESTNET": "Bybit's test network.",
        "BYBIT_DEMO": "Bybit's demo trading.",
        "SANDBOX": "The platform's own sandbox exchange: made-up prices.",
        "RECORDING": "A replayed recording: real prices of another day.",
    },
)

_PUBLIC = FieldPolicy(Audience.ANYONE)


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
        description="Its newest price; null when the venue gives none.",
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
        market.instrument_of_ticker, description="What it is the price of."
    )


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
        shown_as={
            "instruments": Annotated[
                list[InstrumentRef], strawberry.argument(description="1 to 100, any categories.")
            ]
        },
        policy=FieldPolicy(Audience.ANYONE, cost=5),
        description="The newest prices of at most 100 instruments, in the order asked for.",
    )


@strawberry.type
class MarketSubscriptions:
    ticker: Stream[Ticker] = streamed_by(
        market.ticker_changes,
        policy=FieldPolicy(Audience.ANYONE, shared=True, delivery=Delivery.LATEST),
        description="The price of one instrument: the current one at once, then every change, at "
        "most 10 per second. `stopAfter` (1 to 1000000) ends the stream after so many values.",
    )
