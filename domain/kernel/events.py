"""Events: what happened, told once, in order, to everybody who must not miss it.

An event is appended in the transaction of what it tells of. Its stream gives it the next number
without a gap, under the stream's row lock; (stream, sequence) is its place for ever and the
cursor of everybody who reads on. Bodies hold ids and amounts, never personal data.
"""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import NewType, Protocol
from uuid import UUID

from domain.kernel.errors import BadInput
from domain.kernel.ids import UserId

StreamName = NewType("StreamName", str)
"""``user:<uuid>`` or ``desk:<role in lower case>``."""

EventId = NewType("EventId", UUID)

_VERSION = "v1"


@dataclass(frozen=True, slots=True)
class NewEvent:
    """Something that happens with the transaction it is appended in."""

    stream: StreamName
    type: str
    """Dotted and in the past tense: ``session.ended``."""
    body: Mapping[str, object]
    """JSON values. Money as text. No personal data: ids are looked up by who may see."""
    version: int = 1
    """Of the body's shape; a consumer that does not know it skips nothing and says so."""


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened."""

    id: EventId
    stream: StreamName
    sequence: int
    """1, 2, 3 ... without a gap within the stream."""
    type: str
    version: int
    body: Mapping[str, object]
    recorded_at: datetime


class EventAppender(Protocol):
    """The end of a unit of work that events go into."""

    def append(self, event: NewEvent) -> None:
        """Keep ``event`` for the commit: numbers are taken last, streams in the order of names."""
        ...


def stream_of_user(user_id: UserId) -> StreamName:
    """The stream of one user's account."""
    return StreamName(f"user:{user_id}")


def stream_of_desk(role: str) -> StreamName:
    """The stream of a role's common work."""
    return StreamName(f"desk:{role.lower()}")


def event_cursor(stream: StreamName, sequence: int) -> str:
    """The cursor that continues after ``sequence``; opaque to clients, safe in a URL."""
    text = f"{_VERSION}:{stream}:{sequence}".encode()
    return urlsafe_b64encode(text).rstrip(b"=").decode()


def sequence_of(cursor: str, stream: StreamName, *, argument: str = "after") -> int | BadInput:
    """The sequence inside ``cursor``; bad input when it is not one of ``stream``.

    Not signed: a caller may only ever read their own stream, whatever the cursor says.
    """
    try:
        text = urlsafe_b64decode(cursor.encode("ascii") + b"=" * (-len(cursor) % 4)).decode()
        version, rest = text.split(":", 1)
        name, sequence = rest.rsplit(":", 1)
        if version == _VERSION and name == stream and sequence.isascii() and sequence.isdecimal():
            return int(sequence[:20])
    except ValueError:  # not ASCII, not base64, not UTF-8, too few parts: all the same to a client
        pass
    return BadInput(argument, "this is not a cursor of this stream; use an event's own cursor.")
