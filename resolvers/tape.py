"""Fields about trades, candles, funding and open interest."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated

import strawberry
from strawberry import Parent

from domain.kernel.errors import BadInput
from domain.kernel.ids import InstrumentId
from domain.market import (
    CandleWindow,
    FundingRate,
    Instrument,
    Interval,
    NoSuchHistory,
    OpenInterest,
    Trade,
    UnknownInstrument,
)
from resolvers.context import Info

From = Annotated[
    datetime | None, strawberry.argument(name="from", description="Beginning of the window.")
]
To = Annotated[
    datetime | None,
    strawberry.argument(name="to", description="End of the window, not in it; now by default."),
]
IntervalArgument = Annotated[
    Interval, strawberry.argument(description="How long each candle lasts.")
]
First = Annotated[int, strawberry.argument(description="How many at most.")]


async def candles(
    info: Info,
    instrument: InstrumentId,
    interval: IntervalArgument,
    start: From = None,
    end: To = None,
) -> CandleWindow | UnknownInstrument | BadInput:
    return await info.context.services.tape.candles(instrument, interval, start=start, end=end)


async def candles_of_instrument(
    instrument: Parent[Instrument],
    info: Info,
    interval: IntervalArgument,
    start: From = None,
    end: To = None,
) -> CandleWindow | UnknownInstrument | BadInput:
    return await info.context.services.tape.candles(instrument.id, interval, start=start, end=end)


async def recent_trades(
    info: Info, instrument: InstrumentId, first: First = 50
) -> Sequence[Trade] | UnknownInstrument | BadInput:
    return await info.context.services.tape.recent_trades(instrument, first)


async def trades_of_instrument(
    instrument: Parent[Instrument], info: Info, first: First = 50
) -> Sequence[Trade] | UnknownInstrument | BadInput:
    return await info.context.services.tape.recent_trades(instrument.id, first)


async def funding_rates(
    info: Info,
    instrument: InstrumentId,
    start: From = None,
    end: To = None,
    first: First = 50,
) -> Sequence[FundingRate] | UnknownInstrument | NoSuchHistory | BadInput:
    return await info.context.services.tape.funding_rates(
        instrument, start=start, end=end, first=first
    )


async def open_interest(
    info: Info,
    instrument: InstrumentId,
    interval: IntervalArgument,
    start: From = None,
    end: To = None,
) -> Sequence[OpenInterest] | UnknownInstrument | NoSuchHistory | BadInput:
    return await info.context.services.tape.open_interest(
        instrument, interval, start=start, end=end
    )
