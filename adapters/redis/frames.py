"""What travels through Redis: frames of JSON, and the tickers and reports inside of them.

A frame is ``{"epoch": ..., "seq": ..., "ts": ..., "data": {...}}``. (epoch, seq) only grows: the
epoch with every change of leader, the seq with every value; ``ts`` is Redis' own clock in
milliseconds. Numbers of the market are strings in plain notation, instants milliseconds since 1970.
Unknown keys are ignored, so that a newer feed may say more than an older web process understands.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any

import orjson

from domain.kernel.ids import Category, InstrumentId
from domain.market.model import FeedReport, FeedState, Source, Ticker

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)

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


class CorruptFrame(Exception):
    """These bytes are not a frame, or not of what was expected here."""


@dataclass(frozen=True, slots=True)
class Frame:
    """One announced value; ``data`` is not yet looked at."""

    epoch: int
    seq: int
    data: dict[str, Any]

    @property
    def position(self) -> tuple[int, int]:
        """What orders frames of one topic."""
        return (self.epoch, self.seq)


def decode_frame(raw: bytes) -> Frame:
    """Raises CorruptFrame."""
    try:
        frame = orjson.loads(raw)
        epoch, seq, data = frame["epoch"], frame["seq"], frame["data"]
    except (ValueError, TypeError, KeyError) as error:
        raise CorruptFrame(str(error)) from error
    if type(epoch) is int and type(seq) is int and type(data) is dict:
        return Frame(epoch, seq, data)
    raise CorruptFrame("epoch and seq are whole numbers, data is an object")


def encode_ticker(ticker: Ticker) -> bytes:
    """The ``data`` of a ticker's frame."""
    data: dict[str, object] = {
        name: None if (value := getattr(ticker, name)) is None else format(value, "f")
        for name in (*_NUMBERS, *_OPTIONAL_NUMBERS)
    }
    at = ticker.next_funding_at
    data |= {
        "category": ticker.category.value,
        "symbol": ticker.symbol,
        "next_funding_at": None if at is None else _milliseconds(at),
        "as_of": _milliseconds(ticker.as_of),
        "stale": ticker.stale,
        "source": ticker.source.value,
    }
    return orjson.dumps(data)


def decode_ticker(data: dict[str, Any], instrument: InstrumentId) -> Ticker:
    """Raises CorruptFrame, also when it is another instrument's."""
    try:
        _check(data["category"] == instrument.category and data["symbol"] == instrument.symbol)
        numbers: dict[str, Any] = {name: _number(data[name]) for name in _NUMBERS}
        for name in _OPTIONAL_NUMBERS:
            numbers[name] = None if (text := data[name]) is None else _number(text)
        funding_at = data["next_funding_at"]
        return Ticker(
            id=instrument,
            next_funding_at=None if funding_at is None else _instant(funding_at),
            as_of=_instant(data["as_of"]),
            stale=_flag(data["stale"]),
            source=Source(data["source"]),
            **numbers,
        )
    except (KeyError, ValueError, TypeError, OverflowError, InvalidOperation) as error:
        raise CorruptFrame(str(error)) from error


def encode_report(report: FeedReport) -> bytes:
    """The ``data`` of a report's frame; the epoch is the frame's."""
    data = {
        "category": report.category.value,
        "state": report.state.value,
        "since": _milliseconds(report.since),
    }
    return orjson.dumps(data)


def decode_report(frame: Frame, category: Category) -> FeedReport:
    """Raises CorruptFrame, also when it is another category's."""
    data = frame.data
    try:
        _check(data["category"] == category)
        return FeedReport(
            category=category,
            state=FeedState(data["state"]),
            since=_instant(data["since"]),
            epoch=frame.epoch,
        )
    except (KeyError, ValueError, TypeError, OverflowError) as error:
        raise CorruptFrame(str(error)) from error


def _milliseconds(at: datetime) -> int:
    return (at - _EPOCH) // _MILLISECOND


def _instant(milliseconds: object) -> datetime:
    if type(milliseconds) is not int:
        raise TypeError("instants are whole milliseconds")
    return _EPOCH + timedelta(milliseconds=milliseconds)


def _number(text: object) -> Decimal:
    # A JSON number has been a float on its way and is refused: it may not be what was meant.
    if not isinstance(text, str):
        raise TypeError("numbers are strings")
    number = Decimal(text)
    _check(number.is_finite())
    return number


def _flag(value: object) -> bool:
    if not isinstance(value, bool):
        raise TypeError("flags are true or false")
    return value


def _check(met: bool) -> None:  # noqa: FBT001  # reads as an assertion
    if not met:
        raise ValueError("not what belongs here")
