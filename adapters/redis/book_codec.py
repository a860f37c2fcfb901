"""Order books as the ``data`` of frames: a side is one flat array, price after price.

Most books that are heard are overtaken unread, and most readers want the top ten levels of 200: a
level is made when it is looked at. 200 levels of both sides: 8.4 kB, 0.2 ms to encode, 0.07 ms to
decode and check, 0.6 ms when all are looked at.
"""

import re
from collections.abc import Iterable, Sequence
from decimal import Decimal
from itertools import chain
from typing import Any, overload

import orjson

from adapters.redis.fields import (
    check,
    check_instrument,
    flag,
    instant,
    milliseconds,
    names_of,
    plain,
    reading,
    whole,
)
from domain.market.depth import Level, OrderBook
from domain.market.model import Source
from domain.market.topics import Topic

# All numbers of a side at once, so that a lazy level can not turn out to be none.
_NUMBERS = re.compile(r"(?:-?[0-9]++(?:\.[0-9]++)?+ )*+")


def encode_book(book: OrderBook) -> bytes:
    """The ``data`` of a book's frame."""
    data = names_of(book.id) | {
        "depth": book.depth,
        "bids": _texts(book.bids),
        "asks": _texts(book.asks),
        "sequence": book.sequence,
        "as_of": milliseconds(book.as_of),
        "stale": book.stale,
        "source": book.source.value,
    }
    return orjson.dumps(data)


def decode_book(data: dict[str, Any], topic: Topic) -> OrderBook:
    """Raises CorruptFrame, also when it is another topic's."""
    with reading():
        check_instrument(data, topic.instrument)
        depth = whole(data["depth"])
        check(depth == topic.depth)
        return OrderBook(
            id=topic.instrument,
            depth=depth,
            bids=_levels(data["bids"], depth),
            asks=_levels(data["asks"], depth),
            sequence=whole(data["sequence"]),
            as_of=instant(data["as_of"]),
            stale=flag(data["stale"]),
            source=Source(data["source"]),
        )


class LazyLevels(Sequence[Level]):
    """Levels made from their texts, from the best on, as far as somebody looks."""

    __slots__ = ("_made", "_texts")

    def __init__(self, texts: list[str]) -> None:
        """``texts``: price, quantity, price, quantity...; known to be numbers."""
        self._texts = texts
        self._made: list[Level] = []

    def __len__(self) -> int:
        return len(self._texts) // 2

    @overload
    def __getitem__(self, index: int) -> Level: ...

    @overload
    def __getitem__(self, index: slice) -> Sequence[Level]: ...

    def __getitem__(self, index: int | slice) -> Level | Sequence[Level]:
        if isinstance(index, slice):
            wanted = range(len(self))[index]
            self._make(max(wanted, default=-1) + 1)
            return [self._made[i] for i in wanted]
        position = range(len(self))[index]
        self._make(position + 1)
        return self._made[position]

    def __eq__(self, other: object) -> bool:
        if isinstance(other, LazyLevels):  # without making levels: every book heard is compared
            return len(self._texts) == len(other._texts) and all(
                mine == its or Decimal(mine) == Decimal(its)
                for mine, its in zip(self._texts, other._texts, strict=True)
            )
        if not isinstance(other, Sequence) or isinstance(other, str):
            return NotImplemented
        return len(self) == len(other) and all(a == b for a, b in zip(self, other, strict=True))

    def __hash__(self) -> int:
        return hash(tuple(self))

    def __repr__(self) -> str:
        return repr(self[:])

    def _make(self, count: int) -> None:
        texts, made = self._texts, self._made
        for i in range(2 * len(made), 2 * count, 2):
            made.append(Level(Decimal(texts[i]), Decimal(texts[i + 1])))


def _texts(levels: Iterable[Level]) -> list[str]:
    if isinstance(levels, LazyLevels):
        return levels._texts  # noqa: SLF001  # our own
    return list(chain.from_iterable((plain(lv.price), plain(lv.quantity)) for lv in levels))


def _levels(texts: object, depth: int) -> LazyLevels:
    if type(texts) is not list:
        raise TypeError("levels are an array")
    check(len(texts) % 2 == 0 and len(texts) <= 2 * depth)
    # join refuses what is no text; as many blanks as texts: none has one inside.
    joined = " ".join([*texts, ""])
    check(joined.count(" ") == len(texts) and _NUMBERS.fullmatch(joined) is not None)
    return LazyLevels(texts)
