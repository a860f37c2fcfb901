"""Order books from the wire, total like everything in parse.py.

Sources: Bybit v5 "Orderbook" topic and "Get Orderbook".
"""

from collections.abc import Sequence
from dataclasses import dataclass

from adapters.bybit.parse import Unusable, usable
from adapters.bybit.wire import (
    Fields,
    UnusableField,
    fields,
    instant,
    items,
    needed_count,
    needed_instant,
    number_of,
)
from domain.kernel.ids import InstrumentId
from domain.market import Level, OrderBook, Source


@dataclass(frozen=True, slots=True)
class BookData:
    """Levels as they came; a quantity of zero takes a level out."""

    bids: Sequence[Level]
    asks: Sequence[Level]
    update_id: int
    """``u``: counts the updates of one stream, so that a gap shows."""
    sequence: int
    """``seq``, the cross sequence: the same for every depth and for REST. ``u`` where it is not
    given."""


def book_data_of(data: object) -> BookData | Unusable:
    """The data of an ``orderbook`` frame."""
    return usable(lambda: _book_data(data))


def order_book_of(
    instrument: InstrumentId, depth: int, answer: object, *, source: Source
) -> OrderBook | Unusable:
    """The book of a REST answer, down to ``depth``.

    Its ``u`` counts on the venue's deepest stream and is not comparable with a followed book's;
    its cross sequence is (Bybit v5 "Get Orderbook").
    """
    return usable(lambda: _order_book(instrument, depth, answer, source))


def _book_data(data: object) -> BookData:
    found = fields(data, "data")
    update_id = needed_count(found, "u")
    sequence = needed_count(found, "seq") if "seq" in found else update_id
    return BookData(_levels(found, "b"), _levels(found, "a"), update_id, sequence)


def _levels(data: Fields, side: str) -> list[Level]:
    return [_level(pair, side) for pair in items(data.get(side), side)]


def _level(pair: object, side: str) -> Level:
    if not isinstance(pair, list) or len(pair) != 2:  # noqa: PLR2004  # a pair
        raise UnusableField(f"not_a_level:{side}")
    price, quantity = number_of(pair[0], side), number_of(pair[1], side)
    if price is None or quantity is None or price <= 0 or quantity < 0:
        raise UnusableField(f"not_a_level:{side}")
    return Level(price, quantity)


def _order_book(instrument: InstrumentId, depth: int, answer: object, source: Source) -> OrderBook:
    result = fields(fields(answer, "answer").get("result"), "result")
    data = _book_data(result)
    bids = sorted((x for x in data.bids if x.quantity), key=lambda x: x.price, reverse=True)
    asks = sorted((x for x in data.asks if x.quantity), key=lambda x: x.price)
    if bids and asks and bids[0].price >= asks[0].price:
        raise UnusableField("crossed_book")
    return OrderBook(
        id=instrument,
        depth=depth,
        bids=tuple(bids[:depth]),
        asks=tuple(asks[:depth]),
        sequence=data.sequence,
        as_of=instant(result, "cts") or needed_instant(result, "ts"),
        stale=False,
        source=source,
    )
