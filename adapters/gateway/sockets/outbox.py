"""All that leaves a connection: one queue, one writer, a bound, and a limit to patience.

Operations put frames without waiting and ask for the next value once theirs has left
(``Lane.sent``): a reader that is slow slows its operations, whose streams conflate meanwhile as
their fields promise. So a connection holds about one value of each operation, however long the
reader takes. A reader that takes nothing at all is given up.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Hashable
from enum import Enum, auto

from adapters.gateway.sockets.wire import Wire, WireGone

FRAMES_MAX = 2000
BYTES_MAX = 16 * 1024 * 1024


class Ended(Enum):
    """Why an outbox stopped writing."""

    GONE = auto()
    """The peer left."""
    STALLED = auto()
    """The peer is there and did not read in time."""


class Outbox:
    """One per connection. ``run`` is the only writer, but for what the wire takes at once."""

    def __init__(
        self,
        wire: Wire,
        *,
        stall_seconds: float,
        on_full: Callable[[], None],
        frames_max: int = FRAMES_MAX,
        bytes_max: int = BYTES_MAX,
    ) -> None:
        self.bytes_waiting = 0
        self._wire = wire
        self._stall_seconds = stall_seconds
        self._on_full = on_full
        self._frames_max = frames_max
        self._bytes_max = bytes_max
        self._queue: OrderedDict[_Slot, None] = OrderedDict()
        self._more = asyncio.Event()
        self._writing = False
        self._full = False

    @property
    def frames_waiting(self) -> int:
        return len(self._queue)

    def lane(self) -> "Lane":
        """A place for the frames of one operation."""
        return Lane(self)

    def put(self, lane: "Lane", frame: bytes, key: Hashable) -> None:
        """``Lane.put``, where the reader is."""
        older = None if key is None else lane.waiting.get(key)
        if older is not None:
            self.bytes_waiting += len(frame) - len(older.frame)
            older.frame = frame
        elif not self._full:
            if not self._writing and not self._queue and self._wire.write_now(frame):
                return
            slot = _Slot(lane, frame, object() if key is None else key)
            lane.wait_for(slot)
            self._queue[slot] = None
            self.bytes_waiting += len(frame)
            self._more.set()
        self._check()

    def remove(self, slot: "_Slot") -> None:
        """Take one frame back that has not left."""
        del self._queue[slot]
        self.bytes_waiting -= len(slot.frame)

    async def run(self) -> Ended:
        """Write until cancelled, or until there is nobody to write to."""
        while True:
            while self._queue:
                slot, _ = self._queue.popitem(last=False)
                self.bytes_waiting -= len(slot.frame)
                slot.lane.taken(slot)
                self._writing = True
                try:
                    async with asyncio.timeout(self._stall_seconds):
                        await self._wire.write(slot.frame)
                except TimeoutError:
                    return Ended.STALLED
                except WireGone:
                    return Ended.GONE
                self._writing = False
                slot.lane.left()
            self._more.clear()
            await self._more.wait()

    def _check(self) -> None:
        over = len(self._queue) > self._frames_max or self.bytes_waiting > self._bytes_max
        if over and not self._full:
            self._full = True
            self._on_full()


class Lane:
    """One operation's frames: they leave in order, and can be taken back until they do."""

    def __init__(self, outbox: Outbox) -> None:
        self.waiting: dict[Hashable, _Slot] = {}
        self._outbox = outbox
        self._unsent = 0
        self._sent = asyncio.Event()
        self._sent.set()
        self._dropped = False

    def put(self, frame: bytes, *, key: Hashable = None) -> None:
        """Queue a frame; never waits. It replaces the unsent one of the same ``key``, if any."""
        if not self._dropped:
            self._outbox.put(self, frame, key)

    async def sent(self) -> None:
        """Wait until all that was put has left for the transport."""
        await self._sent.wait()

    def drop(self) -> None:
        """Take back what has not left, and whatever is put from now on."""
        self._dropped = True
        for slot in self.waiting.values():
            self._outbox.remove(slot)
        self._leave(len(self.waiting))
        self.waiting.clear()

    # The outbox's side.

    def wait_for(self, slot: "_Slot") -> None:
        """It has a place in the queue."""
        self.waiting[slot.key] = slot
        self._unsent += 1
        self._sent.clear()

    def taken(self, slot: "_Slot") -> None:
        """It is being written: too late to replace it or to take it back."""
        del self.waiting[slot.key]

    def left(self) -> None:
        """What was taken is written."""
        self._leave(1)

    def _leave(self, count: int) -> None:
        self._unsent -= count
        if not self._unsent:
            self._sent.set()


class _Slot:
    """A place in the queue; its frame may be replaced or taken back while it waits."""

    __slots__ = ("frame", "key", "lane")

    def __init__(self, lane: Lane, frame: bytes, key: Hashable) -> None:
        self.lane = lane
        self.frame = frame
        self.key = key
