"""Order books as clients see them."""

from datetime import datetime
from decimal import Decimal

import strawberry

import domain.market
import schema.words  # noqa: F401  # the enums must be declared before they are shown
from domain.kernel.ids import Category, Side
from domain.kernel.policy import Audience, FieldPolicy
from resolvers import depth
from schema._view import resolved_by, view_of

_SAME_FOR_ALL = FieldPolicy(Audience.ANYONE, shared=True)


@view_of(domain.market.Level, description="A price and what rests at it.")
class BookLevel:
    price: Decimal = strawberry.field(description="In the quote asset.")
    quantity: Decimal = strawberry.field(description="In the base asset.")


@view_of(
    domain.market.CostToTrade, description="What taking from the book would cost, without fees."
)
class CostToTrade:
    side: Side = strawberry.field(description="Which side takes.")
    quantity: Decimal = strawberry.field(description="What was asked for, in the base asset.")
    filled: Decimal = strawberry.field(
        description="What the levels hold of it: less than `quantity` when they do not reach."
    )
    average_price: Decimal | None = strawberry.field(description="Null when nothing is filled.")
    worst_price: Decimal | None = strawberry.field(description="Price of the last level touched.")
    notional: Decimal = strawberry.field(description="Cost of `filled`, in the quote asset.")
    slippage: Decimal | None = strawberry.field(
        description="How much worse the average is than the best price, as a ratio of it."
    )
    levels: int = strawberry.field(description="How many levels are touched.")


@view_of(domain.market.OrderBook, description="A whole order book: there is nothing to merge.")
class OrderBook:
    category: Category = strawberry.field(description="Product family of the instrument.")
    symbol: str = strawberry.field(description="Symbol of the instrument.")
    bids: list[BookLevel] = strawberry.field(description="Buyers, the best (highest) first.")
    asks: list[BookLevel] = strawberry.field(description="Sellers, the best (lowest) first.")
    sequence: str = resolved_by(
        depth.sequence_of_book,
        policy=_SAME_FOR_ALL,
        description="The venue's cross sequence: it grows; books of one sequence are equal, "
        "as far as both reach.",
    )
    mid_price: Decimal | None = strawberry.field(description="Half way between best bid and ask.")
    spread: Decimal | None = strawberry.field(description="Best ask minus best bid.")
    as_of: datetime = strawberry.field(description="The venue's own time of this state.")
    stale: bool = strawberry.field(description="True while the source is silent.")
    source: domain.market.Source = strawberry.field(description="Which world it comes from.")
    cost_to_trade: CostToTrade = resolved_by(
        depth.cost_to_trade,
        policy=_SAME_FOR_ALL,
        description="What taking `quantity` out of these levels would cost. Ask for enough depth.",
    )
