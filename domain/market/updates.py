"""The values that travel on topics."""

from typing import TypeAlias, assert_never

from domain.kernel.ids import InstrumentId
from domain.market.depth import OrderBook
from domain.market.model import Ticker
from domain.market.tape import Candle, Trades
from domain.market.topics import Topic, TopicKind, candles_topic, ticker_topic, trades_topic

Update: TypeAlias = Ticker | OrderBook | Trades | Candle


def topic_of(update: Update) -> Topic:
    """Which topic an update belongs to."""
    match update:
        case Ticker():
            return ticker_topic(update.id)
        case OrderBook():
            return Topic(TopicKind.BOOK, update.id, depth=update.depth)
        case Trades():
            return trades_topic(update.instrument)
        case Candle():
            return candles_topic(update.instrument, update.interval)
        case _:
            assert_never(update)


def instrument_of(update: Update) -> InstrumentId:
    """What an update is about."""
    return topic_of(update).instrument
