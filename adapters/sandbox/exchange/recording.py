"""Reading a recorded Bybit v5 session: one JSON object a line, {"dir", "category", "t", "msg"}.

Only what the replay shows is kept: tickers, trades, klines and orderbook.200 as they are, and the
books of depth 1 and 50 that lie in the deep one. All work that can be done before the market opens
is done here, and so is every complaint about the file.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import InvalidOperation
from pathlib import Path
from typing import Any

import orjson

from adapters.sandbox.exchange.frames import Kind, Levels
from adapters.sandbox.exchange.instruments import Category
from adapters.sandbox.exchange.recorded_book import EmptySide, RecordedBook
from adapters.sandbox.exchange.venue import Topic

# What the replay moves to the present or passes on to REST, with its type.
TRADE = {"T": int, "i": str, "p": str, "v": str, "S": str, "s": str, "seq": int}
CANDLE = {
    "start": int,
    "end": int,
    "interval": str,
    "timestamp": int,
    "confirm": bool,
} | dict.fromkeys(("open", "high", "low", "close", "volume", "turnover"), str)


class RecordingError(Exception):
    """The recording cannot be replayed; the message names the file, the line and what is wrong."""


@dataclass(frozen=True, slots=True)
class TickerEvent:
    topic: Topic
    at_ms: int  # since the first frame of the recording, as it arrived
    ts: int
    kind: Kind
    sequence: int
    data: dict[str, str]


@dataclass(frozen=True, slots=True)
class BookEvent:
    topic: Topic
    at_ms: int
    ts: int
    matched_ts: int
    kind: Kind
    levels: Levels


@dataclass(frozen=True, slots=True)
class TradeEvent:
    topic: Topic
    at_ms: int
    ts: int
    trades: list[dict[str, Any]]


@dataclass(frozen=True, slots=True)
class KlineEvent:
    topic: Topic
    at_ms: int
    ts: int
    candles: list[dict[str, Any]]


Event = TickerEvent | BookEvent | TradeEvent | KlineEvent


@dataclass(frozen=True, slots=True)
class Recording:
    events: tuple[Event, ...]  # in order of arrival
    started_ms: int
    duration_ms: int


class Complaint(Exception):
    """Becomes a RecordingError with file and line."""


def load(path: Path) -> Recording:
    """Read a whole recording.

    Raises:
        RecordingError: the file is missing, malformed, or has no ticker frames.
    """
    try:
        lines = path.read_bytes().splitlines()
    except OSError as error:
        raise RecordingError(f"{path}: cannot be read: {error.strerror}") from error
    reader = _Reader()
    for number, line in enumerate(lines, start=1):
        try:
            reader.take(line)
        except Complaint as complaint:
            raise RecordingError(f"{path}, line {number}: {complaint}") from complaint
    try:
        return reader.result()
    except Complaint as complaint:
        raise RecordingError(f"{path}: {complaint}") from complaint


class _Reader:
    def __init__(self) -> None:
        self._events: list[Event] = []
        self._books: dict[Topic, RecordedBook] = {}
        self._started: set[Topic] = set()

    def take(self, line: bytes) -> None:
        if not line.strip():
            return
        row = _object(line)
        arrived, category = row.get("t"), row.get("category")
        if not isinstance(arrived, int | float) or isinstance(arrived, bool):
            raise Complaint('"t" must be the time of arrival in seconds')
        if category not in set(Category):
            raise Complaint('"category" must be "linear" or "spot"')
        if row.get("dir") != "recv":
            return
        message = row.get("msg")
        if not isinstance(message, dict):
            raise Complaint('"msg" must be an object')
        for event in self._events_of(Category(category), message, round(arrived * 1000)):
            self._events.append(event)

    def result(self) -> Recording:
        if not any(isinstance(event, TickerEvent) for event in self._events):
            raise Complaint("there is no ticker frame in it")
        # Each socket's frames are in order; two sockets may be written one after the other.
        events = sorted(self._events, key=lambda event: event.at_ms)
        started = events[0].at_ms
        # A second of rest between the end and the beginning, as between two ticks of a quiet
        # market.
        duration = events[-1].at_ms - started + 1_000
        return Recording(tuple(events), started, duration)

    def _events_of(
        self, category: Category, message: dict[str, Any], at_ms: int
    ) -> Iterator[Event]:
        topic = Topic(category, str(message.get("topic", "")))
        try:
            if topic.kind == "tickers":
                yield self._ticker(topic, message, at_ms)
            elif topic.kind == "orderbook.200":
                yield from self._book(topic, message, at_ms)
            elif topic.kind == "publicTrade":
                trades = [checked(trade, TRADE) for trade in message["data"]]
                yield TradeEvent(topic, at_ms, int(message["ts"]), trades)
            elif topic.kind.startswith("kline."):
                candles = [checked(candle, CANDLE) for candle in message["data"]]
                yield KlineEvent(topic, at_ms, int(message["ts"]), candles)
        except EmptySide as error:
            raise Complaint(str(error)) from error
        except (KeyError, TypeError, ValueError, AttributeError, InvalidOperation) as error:
            raise Complaint(f"not a frame of {message['topic']}: {error!r}") from error

    def _ticker(self, topic: Topic, message: dict[str, Any], at_ms: int) -> TickerEvent:
        kind, data = message["type"], message["data"]
        if kind == "delta" and topic not in self._started:
            raise Complaint(f"a delta of {topic.name} before its snapshot")
        if kind not in {"snapshot", "delta"}:
            raise Complaint(f"{topic.name} has the type {kind!r}")
        if not all(isinstance(value, str) for value in data.values()):
            raise Complaint(f"{topic.name} has a value that is not a string")
        self._started.add(topic)
        return TickerEvent(topic, at_ms, int(message["ts"]), kind, int(message["cs"]), data)

    def _book(self, topic: Topic, message: dict[str, Any], at_ms: int) -> Iterator[BookEvent]:
        reset = message["type"] == "snapshot"
        if not reset and topic not in self._books:
            raise Complaint(f"a delta of {topic.name} before its snapshot")
        book = self._books.setdefault(topic, RecordedBook())
        ts, matched_ts = int(message["ts"]), int(message["cts"])
        for depth, kind, levels in book.take(message["data"], reset=reset):
            derived = Topic.book(topic.category, depth, topic.symbol)
            yield BookEvent(derived, at_ms, ts, matched_ts, kind, levels)


def checked(row: object, keys: dict[str, type]) -> dict[str, Any]:
    if not isinstance(row, dict):
        raise TypeError("a row is not an object")
    for key, wanted in keys.items():
        if not isinstance(row[key], wanted):
            raise TypeError(f"{key} is {row[key]!r}")
    return row


def _object(line: bytes) -> dict[str, Any]:
    try:
        row = orjson.loads(line)
    except orjson.JSONDecodeError as error:
        raise Complaint(f"not JSON: {error}") from error
    if not isinstance(row, dict):
        raise Complaint("not a JSON object")
    return row
