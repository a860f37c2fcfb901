"""Fields about the market."""

from collections.abc import AsyncGenerator, Sequence
from typing import Annotated

import strawberry
from strawberry import Parent

from domain.kernel.errors import BadInput
from domain.kernel.ids import Category, InstrumentId, Symbol
from domain.kernel.page import DEFAULT_PAGE_SIZE, Page
from domain.market import Instrument, Ticker, TooManyInstruments, UnknownInstrument
from resolvers.context import Info
from resolvers.streams import stop_after_count

CategoryArgument = Annotated[Category, strawberry.argument(description="Product family.")]
First = Annotated[int, strawberry.argument(description="1 to 100.")]
After = Annotated[str | None, strawberry.argument(description="`endCursor` of the page before.")]
SymbolArgument = Annotated[str, strawberry.argument(description="Such as `BTCUSDT`.")]


async def instruments(
    info: Info,
    category: CategoryArgument,
    first: First = DEFAULT_PAGE_SIZE,
    after: After = None,
) -> Page[Instrument] | BadInput:
    return await info.context.services.market.instruments(category, first=first, after=after)


async def instrument(
    info: Info, category: CategoryArgument, symbol: SymbolArgument
) -> Instrument | UnknownInstrument:
    return await info.context.services.market.instrument(InstrumentId(category, Symbol(symbol)))


async def ticker(
    info: Info, category: CategoryArgument, symbol: SymbolArgument
) -> Ticker | UnknownInstrument | None:
    return await info.context.services.market.ticker(InstrumentId(category, Symbol(symbol)))


async def tickers(
    info: Info,
    instruments: Annotated[Sequence[InstrumentId], strawberry.argument(description="At most 100.")],
) -> Sequence[Ticker | None] | TooManyInstruments | UnknownInstrument:
    return await info.context.services.market.tickers(instruments)


async def all_tickers(
    info: Info,
    category: CategoryArgument,
    first: First = DEFAULT_PAGE_SIZE,
    after: After = None,
) -> Page[Ticker] | BadInput:
    return await info.context.services.market.all_tickers(category, first=first, after=after)


async def search_instruments(
    info: Info,
    text: Annotated[str, strawberry.argument(description="1 to 40 characters.")],
    category: Annotated[
        Category | None, strawberry.argument(description="Both categories by default.")
    ] = None,
    first: First = DEFAULT_PAGE_SIZE,
) -> Sequence[Instrument] | BadInput:
    return await info.context.services.market.search(text, category, first=first)


async def ticker_changes(
    info: Info,
    category: CategoryArgument,
    symbol: SymbolArgument,
    stop_after: Annotated[
        int | None, strawberry.argument(description="End after so many values.")
    ] = None,
) -> AsyncGenerator[Ticker, None] | UnknownInstrument | BadInput:
    limit = stop_after_count(stop_after)
    if isinstance(limit, BadInput):
        return limit
    stream = await info.context.services.market.watch(InstrumentId(category, Symbol(symbol)))
    return stream if isinstance(stream, UnknownInstrument) else limit.of(stream)


async def ticker_of_instrument(instrument: Parent[Instrument], info: Info) -> Ticker | None:
    return await info.context.loaders.ticker.load(instrument.id)


async def instrument_of_ticker(ticker: Parent[Ticker], info: Info) -> Instrument | None:
    return await info.context.loaders.instrument.load(ticker.id)
