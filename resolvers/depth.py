"""Fields about order books."""

from decimal import Decimal
from typing import Annotated

import strawberry
from strawberry import Parent

import domain.market
from domain.kernel.errors import BadInput
from domain.kernel.ids import InstrumentId, Side
from domain.market import (
    BookAsked,
    CostToTrade,
    Instrument,
    OrderBook,
    UnknownInstrument,
    depth_refusal,
)
from resolvers.context import Info

Depth = Annotated[int, strawberry.argument(description="Levels on each side, 1 to 200.")]


async def order_book(
    info: Info, instrument: InstrumentId, depth: Depth = domain.market.DEPTH_DEFAULT
) -> OrderBook | UnknownInstrument | BadInput:
    return await info.context.services.books.book(instrument, depth)


async def book_of_instrument(
    instrument: Parent[Instrument], info: Info, depth: Depth = domain.market.DEPTH_DEFAULT
) -> OrderBook | BadInput:
    refused = depth_refusal(depth)
    if refused is not None:
        return refused
    return await info.context.loaders.book.load(BookAsked(instrument.id, depth))


async def sequence_of_book(book: Parent[OrderBook]) -> str:
    return str(book.sequence)  # beyond 2^53: a JSON number would lose digits


async def cost_to_trade(
    book: Parent[OrderBook],
    side: Annotated[Side, strawberry.argument(description="Which side takes.")],
    quantity: Annotated[Decimal, strawberry.argument(description="Above zero, in the base asset.")],
) -> CostToTrade | BadInput:
    if quantity <= 0:
        return BadInput("quantity", "has to be above zero.")
    return domain.market.cost_to_trade(book, side, quantity)
