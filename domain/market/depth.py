"""Order books as they are read, and what trading against one would cost."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import ROUND_HALF_EVEN, Decimal

from domain.kernel.ids import Category, InstrumentId, Side, Symbol
from domain.market.model import Source

# Average prices and ratios are shown with the platform's own scale (docs/decisions/0005).
_SHOWN = Decimal("0.000000000000000001")


@dataclass(frozen=True, slots=True)
class Level:
    """A price and the quantity resting at it, in the base asset."""

    price: Decimal
    quantity: Decimal


@dataclass(frozen=True, slots=True)
class CostToTrade:
    """What taking a quantity out of a book would cost right now, fees left out."""

    side: Side
    quantity: Decimal
    """What was asked for."""
    filled: Decimal
    """What the known levels hold of it; less than ``quantity`` when they do not reach."""
    average_price: Decimal | None
    """None when nothing can be filled."""
    worst_price: Decimal | None
    notional: Decimal
    """``filled`` at the levels' prices, in the quote asset."""
    slippage: Decimal | None
    """How much worse the average is than the best price, as a ratio of it; never negative."""
    levels: int
    """How many levels are touched."""


@dataclass(frozen=True, slots=True)
class OrderBook:
    """The whole book down to a depth; bids fall, asks rise, and they never cross.

    ``sequence`` is the venue's cross sequence: it grows, and is the same for every depth and for
    its REST books, so that two books of one sequence are equal as far as both reach.
    """

    id: InstrumentId
    depth: int
    """How many levels were asked for; a thin market has fewer."""
    bids: Sequence[Level]
    asks: Sequence[Level]
    sequence: int
    as_of: datetime
    stale: bool
    source: Source

    @property
    def category(self) -> Category:
        return self.id.category

    @property
    def symbol(self) -> Symbol:
        return self.id.symbol

    @property
    def mid_price(self) -> Decimal | None:
        """Half way between best bid and best ask; None when a side is empty."""
        if not self.bids or not self.asks:
            return None
        return (self.bids[0].price + self.asks[0].price) / 2

    @property
    def spread(self) -> Decimal | None:
        """Best ask minus best bid; None when a side is empty."""
        if not self.bids or not self.asks:
            return None
        return self.asks[0].price - self.bids[0].price


def cost_to_trade(book: OrderBook, side: Side, quantity: Decimal) -> CostToTrade:
    """Walk the book from its best price until ``quantity`` (above zero) is filled."""
    levels = book.asks if side is Side.BUY else book.bids
    left, notional, touched = quantity, Decimal(0), 0
    worst: Decimal | None = None
    for level in levels:
        if left <= 0:
            break
        taken = min(left, level.quantity)
        notional += taken * level.price
        left -= taken
        touched += 1
        worst = level.price
    filled = quantity - left
    average = _rounded(notional / filled) if filled else None
    slippage = None
    if average is not None:
        best = levels[0].price
        slippage = max(Decimal(0), _rounded(abs(average - best) / best))
    return CostToTrade(side, quantity, filled, average, worst, notional, slippage, touched)


def _rounded(number: Decimal) -> Decimal:
    return number.quantize(_SHOWN, ROUND_HALF_EVEN)
