"""Candles as the ``data`` of frames."""

from typing import Any

import orjson

from adapters.redis.fields import (
    check,
    check_instrument,
    flag,
    instant,
    milliseconds,
    names_of,
    number,
    plain,
    reading,
)
from domain.market.model import Source
from domain.market.tape import Candle
from domain.market.topics import Topic

_NUMBERS = ("open_price", "high_price", "low_price", "close_price", "volume", "turnover")


def encode_candle(candle: Candle) -> bytes:
    """The ``data`` of a candle's frame; its numbers are one array."""
    data = names_of(candle.instrument) | {
        "interval": candle.interval.value,
        "start": milliseconds(candle.start),
        "numbers": [plain(getattr(candle, name)) for name in _NUMBERS],
        "confirmed": candle.confirmed,
        "as_of": milliseconds(candle.as_of),
        "stale": candle.stale,
        "source": candle.source.value,
    }
    return orjson.dumps(data)


def decode_candle(data: dict[str, Any], topic: Topic) -> Candle:
    """Raises CorruptFrame, also when it is another topic's."""
    with reading():
        check_instrument(data, topic.instrument)
        interval = topic.interval
        if interval is None or data["interval"] != interval:
            raise ValueError("another interval's")
        # A newer feed may append numbers: only those known are looked at.
        texts = data["numbers"]
        check(type(texts) is list and len(texts) >= len(_NUMBERS))
        numbers = dict(zip(_NUMBERS, map(number, texts), strict=False))
        return Candle(
            instrument=topic.instrument,
            interval=interval,
            start=instant(data["start"]),
            confirmed=flag(data["confirmed"]),
            as_of=instant(data["as_of"]),
            stale=flag(data["stale"]),
            source=Source(data["source"]),
            **numbers,
        )
