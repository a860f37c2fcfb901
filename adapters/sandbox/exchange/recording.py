"""Reading a recorded Bybit v5 session: one JSON object a line, {"dir", "category", "t", "msg"}.

Only what the replay shows is kept: ticker frames as they are, and the best bid and ask of every
orderbook.200. All work that can be done before the market opens is done here, and so is every
complaint about the file.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any, Literal

import orjson

from adapters.sandbox.exchange.frames import Best
from adapters.sandbox.exchange.instruments import Category
from adapters.sandbox.exchange.venue import Topic


class RecordingError(Exception):
    """The recording cannot be replayed; the message names the file, the line and what is wrong."""


@dataclass(frozen=True, slots=True)
class TickerEvent:
    topic: Topic
    at_ms: int  # since the first frame of the recording, as it arrived
    ts: int
    kind: Literal["snapshot", "delta"]
    sequence: int
    data: dict[str, str]


@dataclass(frozen=True, slots=True)
class BestEvent:
    topic: Topic
    at_ms: int
    ts: int
    matched_ts: int
    best: Best


Event = TickerEvent | BestEvent


@dataclass(frozen=True, slots=True)
class Recording:
    events: tuple[Event, ...]  # in order of arrival
    started_ms: int
    duration_ms: int


class _Complaint(Exception):
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
        except _Complaint as complaint:
            raise RecordingError(f"{path}, line {number}: {complaint}") from complaint
    try:
        return reader.result()
    except _Complaint as complaint:
        raise RecordingError(f"{path}: {complaint}") from complaint


@dataclass(slots=True)
class _Book:
    bids: dict[str, str] = field(default_factory=dict)
    asks: dict[str, str] = field(default_factory=dict)
    last: tuple[tuple[str, str], tuple[str, str]] | None = None

    def apply(self, data: dict[str, Any], *, reset: bool) -> None:
        for side, levels in ((self.bids, data["b"]), (self.asks, data["a"])):
            if reset:
                side.clear()
            for price, size in levels:
                side[price] = size
                if size == "0":
                    del side[price]

    def touch(self) -> tuple[tuple[str, str], tuple[str, str]]:
        if not self.bids or not self.asks:
            raise _Complaint("the order book has an empty side")
        bid, ask = max(self.bids, key=Decimal), min(self.asks, key=Decimal)
        return (bid, self.bids[bid]), (ask, self.asks[ask])


class _Reader:
    def __init__(self) -> None:
        self._events: list[Event] = []
        self._books: dict[Topic, _Book] = {}
        self._started: set[Topic] = set()

    def take(self, line: bytes) -> None:
        if not line.strip():
            return
        row = _object(line)
        arrived, category = row.get("t"), row.get("category")
        if not isinstance(arrived, int | float) or isinstance(arrived, bool):
            raise _Complaint('"t" must be the time of arrival in seconds')
        if category not in set(Category):
            raise _Complaint('"category" must be "linear" or "spot"')
        if row.get("dir") != "recv":
            return
        message = row.get("msg")
        if not isinstance(message, dict):
            raise _Complaint('"msg" must be an object')
        for event in self._events_of(Category(category), message, round(arrived * 1000)):
            self._events.append(event)

    def result(self) -> Recording:
        if not any(isinstance(event, TickerEvent) for event in self._events):
            raise _Complaint("there is no ticker frame in it")
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
        kind, _, symbol = str(message.get("topic", "")).rpartition(".")
        try:
            if kind == "tickers":
                yield self._ticker(Topic.tickers(category, symbol), message, at_ms)
            elif kind == "orderbook.200":
                yield from self._best(Topic.best(category, symbol), message, at_ms)
        except (KeyError, TypeError, ValueError, AttributeError, InvalidOperation) as error:
            raise _Complaint(f"not a frame of {message['topic']}: {error!r}") from error

    def _ticker(self, topic: Topic, message: dict[str, Any], at_ms: int) -> TickerEvent:
        kind, data = message["type"], message["data"]
        if kind == "delta" and topic not in self._started:
            raise _Complaint(f"a delta of {topic.name} before its snapshot")
        if kind not in {"snapshot", "delta"}:
            raise _Complaint(f"{topic.name} has the type {kind!r}")
        if not all(isinstance(value, str) for value in data.values()):
            raise _Complaint(f"{topic.name} has a value that is not a string")
        self._started.add(topic)
        return TickerEvent(topic, at_ms, int(message["ts"]), kind, int(message["cs"]), data)

    def _best(self, topic: Topic, message: dict[str, Any], at_ms: int) -> Iterator[BestEvent]:
        data, reset = message["data"], message["type"] == "snapshot"
        if not reset and topic not in self._books:
            raise _Complaint(f"a delta of {message['topic']} before its snapshot")
        book = self._books.setdefault(topic, _Book())
        book.apply(data, reset=reset)
        touch = book.touch()
        if touch == book.last:
            return
        book.last = touch
        best = Best(*touch, int(data["u"]), int(data["seq"]))
        yield BestEvent(topic, at_ms, int(message["ts"]), int(message["cts"]), best)


def _object(line: bytes) -> dict[str, Any]:
    try:
        row = orjson.loads(line)
    except orjson.JSONDecodeError as error:
        raise _Complaint(f"not JSON: {error}") from error
    if not isinstance(row, dict):
        raise _Complaint("not a JSON object")
    return row
