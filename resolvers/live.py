"""Subscriptions of the market."""

from collections.abc import AsyncGenerator, Sequence
from typing import Annotated

import strawberry

import domain.market
from domain.kernel.errors import BadInput
from domain.kernel.ids import InstrumentId
from domain.market import (
    Candle,
    Interval,
    OrderBook,
    Ticker,
    TooManyInstruments,
    Trades,
    UnknownInstrument,
)
from resolvers.context import Info
from resolvers.depth import Depth

MaxPerSecond = Annotated[
    int,
    strawberry.argument(description="1 to 10; the next lower of 1, 2, 5, 10 values per second."),
]


async def tickers(
    info: Info, instruments: Sequence[InstrumentId], max_per_second: MaxPerSecond = 10
) -> AsyncGenerator[Ticker, None] | UnknownInstrument | TooManyInstruments | BadInput:
    return await info.context.services.market.watch_many(instruments, max_per_second)


async def order_book(
    info: Info,
    instrument: InstrumentId,
    depth: Depth = domain.market.DEPTH_DEFAULT,
    max_per_second: MaxPerSecond = 5,
) -> AsyncGenerator[OrderBook, None] | UnknownInstrument | BadInput:
    return await info.context.services.books.watch(instrument, depth, max_per_second)


async def trades(
    info: Info, instrument: InstrumentId
) -> AsyncGenerator[Trades, None] | UnknownInstrument:
    return await info.context.services.tape.watch_trades(instrument)


async def candles(
    info: Info,
    instrument: InstrumentId,
    interval: Annotated[Interval, strawberry.argument(description="How long each lasts.")],
) -> AsyncGenerator[Candle, None] | UnknownInstrument:
    return await info.context.services.tape.watch_candles(instrument, interval)
