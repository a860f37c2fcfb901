"""What can be followed live, and how often a follower wants to hear of it."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Self

from domain.kernel.ids import Category, InstrumentId, Symbol
from domain.market.intervals import Interval

BOOK_DEPTHS = (50, 200)
"""Depths that are followed; a reader of fewer levels takes the smallest that holds them."""
RATES = (1, 2, 5, 10)
"""Values per second a follower may ask for at most; nothing is published more often."""


class TopicKind(StrEnum):
    """What a topic tells of."""

    TICKER = "ticker"
    BOOK = "book"
    TRADES = "trades"
    CANDLES = "candles"


@dataclass(frozen=True, slots=True)
class Topic:
    """One stream of values about one instrument."""

    kind: TopicKind
    instrument: InstrumentId
    depth: int | None = None
    """Of a book: one of BOOK_DEPTHS."""
    interval: Interval | None = None
    """Of candles."""

    def __post_init__(self) -> None:
        if (self.kind is TopicKind.BOOK) != (self.depth is not None):
            raise ValueError("a depth belongs to a book, and a book has one")
        if self.depth is not None and self.depth not in BOOK_DEPTHS:
            raise ValueError(f"books are followed at {BOOK_DEPTHS}")
        if (self.kind is TopicKind.CANDLES) != (self.interval is not None):
            raise ValueError("an interval belongs to candles, and candles have one")

    @property
    def name(self) -> str:
        """``ticker:BTCUSDT``, ``book.50:BTCUSDT``, ``candles.HOUR_1:BTCUSDT``."""
        detail = self.depth or self.interval
        kind = f"{self.kind}.{detail}" if detail is not None else str(self.kind)
        return f"{kind}:{self.instrument.symbol}"

    @classmethod
    def named(cls, category: Category, name: str) -> Self:
        """The topic of ``name``. Raises ValueError for what is no name of a topic."""
        kind_text, separator, symbol = name.partition(":")
        if not separator or not symbol:
            raise ValueError("a topic is named kind:symbol")
        kind, _, detail = kind_text.partition(".")
        instrument = InstrumentId(category, Symbol(symbol))
        match TopicKind(kind):
            case TopicKind.BOOK:
                return cls(TopicKind.BOOK, instrument, depth=int(detail))
            case TopicKind.CANDLES:
                return cls(TopicKind.CANDLES, instrument, interval=Interval(detail))
            case plain if not detail:
                return cls(plain, instrument)
        raise ValueError("only books and candles have a detail")


def ticker_topic(instrument: InstrumentId) -> Topic:
    return Topic(TopicKind.TICKER, instrument)


def trades_topic(instrument: InstrumentId) -> Topic:
    return Topic(TopicKind.TRADES, instrument)


def candles_topic(instrument: InstrumentId, interval: Interval) -> Topic:
    return Topic(TopicKind.CANDLES, instrument, interval=interval)


def book_topic(instrument: InstrumentId, levels: int) -> Topic:
    """The topic whose book holds at least ``levels`` (1 to 200) on each side."""
    depth = next(depth for depth in BOOK_DEPTHS if depth >= levels)
    return Topic(TopicKind.BOOK, instrument, depth=depth)


def rate_class(values_per_second: int) -> int:
    """The largest rate not above ``values_per_second`` (1 or more)."""
    return max(rate for rate in RATES if rate <= values_per_second)


def pace_class(values_per_second: int) -> int:
    """The rate heard by who asks for so many; a number nobody may ask for stays as it is."""
    asked_well = 1 <= values_per_second <= RATES[-1]
    return rate_class(values_per_second) if asked_well else values_per_second


@dataclass(frozen=True, slots=True)
class Follow:
    """A topic, heard at most ``rate`` times a second."""

    topic: Topic
    rate: int = RATES[-1]

    @property
    def name(self) -> str:
        """``ticker:BTCUSDT@10``."""
        return f"{self.topic.name}@{self.rate}"

    @classmethod
    def named(cls, category: Category, name: str) -> Self:
        """The follow of ``name``. Raises ValueError."""
        topic, _, rate = name.rpartition("@")
        if int(rate) not in RATES:
            raise ValueError(f"rates are {RATES}")
        return cls(Topic.named(category, topic), int(rate))
