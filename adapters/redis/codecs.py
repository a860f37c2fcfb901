"""The values of topics as the ``data`` of frames."""

from typing import Any, assert_never

from adapters.redis.book_codec import decode_book, encode_book
from adapters.redis.candle_codec import decode_candle, encode_candle
from adapters.redis.fields import CorruptFrame
from adapters.redis.tape_codec import decode_tape, encode_tape
from adapters.redis.ticker_codec import decode_ticker, encode_ticker
from domain.market.depth import OrderBook
from domain.market.model import Ticker
from domain.market.tape import Candle, Trades
from domain.market.topics import Topic, TopicKind
from domain.market.updates import Update

__all__ = ["CorruptFrame", "decode_update", "encode_update"]


def encode_update(update: Update) -> bytes:
    """Any value by itself; trades without what came before them."""
    match update:
        case Ticker():
            return encode_ticker(update)
        case OrderBook():
            return encode_book(update)
        case Trades():
            return encode_tape(update, after=None)
        case Candle():
            return encode_candle(update)
        case _:
            assert_never(update)


def decode_update(data: dict[str, Any], topic: Topic) -> Update:
    """Raises CorruptFrame, also when it is another topic's."""
    match topic.kind:
        case TopicKind.TICKER:
            return decode_ticker(data, topic.instrument)
        case TopicKind.BOOK:
            return decode_book(data, topic)
        case TopicKind.TRADES:
            return decode_tape(data, topic.instrument).trades
        case TopicKind.CANDLES:
            return decode_candle(data, topic)
        case _:
            assert_never(topic.kind)
