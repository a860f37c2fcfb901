"""Tickers as the ``data`` of frames: one key per field."""

from typing import Any

import orjson

from adapters.redis.fields import (
    check_instrument,
    flag,
    instant,
    milliseconds,
    names_of,
    number,
    plain,
    reading,
)
from domain.kernel.ids import InstrumentId
from domain.market.model import Source, Ticker

# The fields of Ticker that are numbers, always and sometimes there.
_NUMBERS = (
    "last_price",
    "high_price_24h",
    "low_price_24h",
    "previous_price_24h",
    "change_24h",
    "volume_24h",
    "turnover_24h",
)
_OPTIONAL_NUMBERS = (
    "bid_price",
    "bid_size",
    "ask_price",
    "ask_size",
    "mark_price",
    "index_price",
    "open_interest",
    "funding_rate",
)


def encode_ticker(ticker: Ticker) -> bytes:
    """The ``data`` of a ticker's frame."""
    data: dict[str, object] = {
        name: None if (value := getattr(ticker, name)) is None else plain(value)
        for name in (*_NUMBERS, *_OPTIONAL_NUMBERS)
    }
    at = ticker.next_funding_at
    data |= names_of(ticker.id)
    data |= {
        "next_funding_at": None if at is None else milliseconds(at),
        "as_of": milliseconds(ticker.as_of),
        "stale": ticker.stale,
        "source": ticker.source.value,
    }
    return orjson.dumps(data)


def decode_ticker(data: dict[str, Any], instrument: InstrumentId) -> Ticker:
    """Raises CorruptFrame, also when it is another instrument's."""
    with reading():
        check_instrument(data, instrument)
        numbers: dict[str, Any] = {name: number(data[name]) for name in _NUMBERS}
        for name in _OPTIONAL_NUMBERS:
            numbers[name] = None if (text := data[name]) is None else number(text)
        funding_at = data["next_funding_at"]
        return Ticker(
            id=instrument,
            next_funding_at=None if funding_at is None else instant(funding_at),
            as_of=instant(data["as_of"]),
            stale=flag(data["stale"]),
            source=Source(data["source"]),
            **numbers,
        )
