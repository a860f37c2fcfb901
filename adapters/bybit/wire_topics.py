"""Which of the venue's topics a topic of ours is made of (Bybit v5 "Websocket Public Topics").

TICKER linear   tickers.S
TICKER spot     tickers.S and orderbook.1.S, for spot tickers have neither bid nor ask
BOOK            orderbook.50.S, orderbook.200.S
TRADES          publicTrade.S
CANDLES         kline.I.S
"""

from collections.abc import Collection, Mapping
from types import MappingProxyType
from typing import assert_never

from domain.kernel.ids import Category, Symbol
from domain.market import Interval, Topic, TopicKind

TICKERS = "tickers."
ORDERBOOK = "orderbook."
ORDERBOOK_1 = "orderbook.1."
TRADES = "publicTrade."
KLINE = "kline."

WIRE_INTERVALS: Mapping[Interval, str] = MappingProxyType(
    {
        Interval.MINUTE_1: "1",
        Interval.MINUTE_3: "3",
        Interval.MINUTE_5: "5",
        Interval.MINUTE_15: "15",
        Interval.MINUTE_30: "30",
        Interval.HOUR_1: "60",
        Interval.HOUR_2: "120",
        Interval.HOUR_4: "240",
        Interval.HOUR_6: "360",
        Interval.HOUR_12: "720",
        Interval.DAY_1: "D",
        Interval.WEEK_1: "W",
        Interval.MONTH_1: "M",
    }
)

OPEN_INTEREST_INTERVALS: Mapping[Interval, str] = MappingProxyType(
    {
        Interval.MINUTE_5: "5min",
        Interval.MINUTE_15: "15min",
        Interval.MINUTE_30: "30min",
        Interval.HOUR_1: "1h",
        Interval.HOUR_4: "4h",
        Interval.DAY_1: "1d",
    }
)


def wire_topics_of(topic: Topic) -> tuple[str, ...]:
    """Everything that must be subscribed to tell of ``topic``."""
    symbol = topic.instrument.symbol
    match topic.kind:
        case TopicKind.TICKER if topic.instrument.category is Category.SPOT:
            return f"{TICKERS}{symbol}", f"{ORDERBOOK_1}{symbol}"
        case TopicKind.TICKER:
            return (f"{TICKERS}{symbol}",)
        case TopicKind.BOOK:
            return (f"{ORDERBOOK}{topic.depth}.{symbol}",)
        case TopicKind.TRADES:
            return (f"{TRADES}{symbol}",)
        case TopicKind.CANDLES:
            if topic.interval is None:
                raise AssertionError("candles have an interval")
            return (f"{KLINE}{WIRE_INTERVALS[topic.interval]}.{symbol}",)
        case _:
            assert_never(topic.kind)


def served_by(topics: Collection[Topic]) -> Mapping[str, tuple[Topic, ...]]:
    """Each of the venue's topics that ``topics`` need, with those that need it."""
    served: dict[str, tuple[Topic, ...]] = {}
    for topic in topics:
        for name in wire_topics_of(topic):
            served[name] = (*served.get(name, ()), topic)
    return served


def is_book(wire_topic: str) -> bool:
    """Whether it is a book that is merged from deltas."""
    return wire_topic.startswith(ORDERBOOK) and not wire_topic.startswith(ORDERBOOK_1)


def has_snapshots(wire_topic: str) -> bool:
    """Whether asking for it anew brings its whole state; trades and candles have none."""
    return not wire_topic.startswith((TRADES, KLINE))


def speaks_regularly(wire_topic: str) -> bool:
    """Whether silence of it means something: nobody need trade, and then no candle changes."""
    return not wire_topic.startswith((TRADES, KLINE))


def symbol_of(wire_topic: str) -> Symbol:
    """The last part of its name."""
    return Symbol(wire_topic.rpartition(".")[2])
