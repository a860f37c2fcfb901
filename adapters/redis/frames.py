"""What travels through Redis: frames of JSON, and the reports of the feeds inside of them.

A frame is ``{"epoch": ..., "seq": ..., "ts": ..., "data": {...}}``. (epoch, seq) only grows: the
epoch with every change of leader, the seq with every value; ``ts`` is Redis' own clock in
milliseconds. Numbers of the market are strings in plain notation, instants milliseconds since 1970.
Unknown keys are ignored, so that a newer feed may say more than an older web process understands.
"""

from dataclasses import dataclass
from typing import Any, TypeAlias

import orjson

from adapters.redis.fields import CorruptFrame, check, instant, milliseconds, reading
from domain.kernel.ids import Category
from domain.market.model import FeedReport, FeedState

Position: TypeAlias = tuple[int, int]
NOWHERE: Position = (-1, -1)


@dataclass(frozen=True, slots=True)
class Frame:
    """One announced value; ``data`` is not yet looked at."""

    epoch: int
    seq: int
    data: dict[str, Any]

    @property
    def position(self) -> Position:
        """What orders frames of one topic."""
        return (self.epoch, self.seq)


def decode_frame(raw: bytes) -> Frame:
    """Raises CorruptFrame."""
    with reading():
        frame = orjson.loads(raw)
        epoch, seq, data = frame["epoch"], frame["seq"], frame["data"]
    if type(epoch) is int and type(seq) is int and type(data) is dict:
        return Frame(epoch, seq, data)
    raise CorruptFrame("epoch and seq are whole numbers, data is an object")


def encode_report(report: FeedReport) -> bytes:
    """The ``data`` of a report's frame; the epoch is the frame's."""
    data = {
        "category": report.category.value,
        "state": report.state.value,
        "since": milliseconds(report.since),
    }
    return orjson.dumps(data)


def decode_report(frame: Frame, category: Category) -> FeedReport:
    """Raises CorruptFrame, also when it is another category's."""
    data = frame.data
    with reading():
        check(data["category"] == category)
        return FeedReport(
            category=category,
            state=FeedState(data["state"]),
            since=instant(data["since"]),
            epoch=frame.epoch,
        )
