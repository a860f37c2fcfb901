"""Everything on its way to one connection: one write per tick, bounded, never waited for.

What cannot go out is kept by the lanes and goes out when the wire is writable again. A client
that lets nothing through for too long, or would make us hold too much, is closed with the reason.
"""

import asyncio
from collections.abc import Callable

import orjson

from adapters.gateway.fanout.flusher import Flusher
from adapters.gateway.fanout.lanes import Keeper, keeper_for
from adapters.gateway.fanout.sink import Encoded, FormattedErrors
from adapters.gateway.fanout.wires import Message, Wire
from domain.kernel.policy import Delivery

CLOSE_TOO_SLOW = 1013
CLOSE_RESUME = 4412
_SAID_MAX = 1000


class Outbox:
    """One connection's. ``on_close`` is called once, when this side gave the connection up."""

    __slots__ = (
        "_awaiting",
        "_blocked",
        "_flusher",
        "_on_close",
        "_resuming",
        "_said",
        "_scheduled",
        "_waiting",
        "_wire",
        "bytes_kept",
        "bytes_max",
        "closed",
        "lanes",
    )

    def __init__(
        self, wire: Wire, flusher: Flusher, on_close: Callable[[int, str], None] | None = None
    ) -> None:
        self.bytes_kept = 0
        self.bytes_max = flusher.limits.bytes_max
        self.closed = False
        self.lanes = 0
        """Operations that are not over."""
        self._wire = wire
        self._flusher = flusher
        self._on_close = on_close
        self._said: list[Message] = []
        self._waiting: list[Lane] = []
        self._resuming = 0
        self._scheduled = False
        self._blocked: asyncio.TimerHandle | None = None
        self._awaiting: list[asyncio.Future[None]] = []
        wire.on_writable = self._unblock

    def lane(
        self,
        operation_id: str,
        delivery: Delivery,
        on_end: Callable[[], None] | None = None,
        *,
        resumes: bool | None = None,
        single: bool = False,
    ) -> "Lane":
        """The sink of one operation; ``on_end`` tells that its groups ended it.

        ``resumes``: whether its client has to resume after a gap; by default what is lossless.
        ``single``: its values come one at a time. While it is the only operation there is no
        company to wait for, and they go out at once.
        """
        if resumes is None:
            resumes = delivery is Delivery.LOSSLESS
        self.lanes += 1
        return Lane(self, operation_id, delivery, on_end, resumes=resumes, single=single)

    def write_value(self, head: bytes, value: Encoded) -> bool:
        """Write it now, if nothing else is on its way out; otherwise take nothing."""
        if self._scheduled or self._blocked is not None or not self._wire.write_value(head, value):
            return False
        counters = self._flusher.counters
        counters.deliveries += 1
        counters.writes += 1
        return True

    def must_not_miss(self, operations: int) -> None:
        """So many more (or fewer) operations run whose client has to resume after a gap."""
        self._resuming += operations

    def say(self, message: bytes) -> None:
        """Send a message of the connection itself; it goes before values that still wait."""
        if self.closed:
            return
        self._said.append((message, b""))
        self.bytes_kept += len(message)
        if len(self._said) > _SAID_MAX:  # a client asks for pongs and does not read them
            self.relieve()
        else:
            self.fill()

    def fill(self) -> None:
        """Something is to go out. While the wire is blocked, that is remembered already."""
        if not self._scheduled and self._blocked is None:
            self._scheduled = True
            self._flusher.schedule(self)

    def wait(self, lane: "Lane") -> None:
        self._waiting.append(lane)
        if not self._scheduled and self._blocked is None:  # as ``fill``: a call less
            self._scheduled = True
            self._flusher.schedule(self)

    def relieve(self) -> None:
        """Too much is kept: let it out at once, or give up a client that lets nothing through."""
        if self._blocked is None:
            self.flush()
        if self._waiting or self._said:
            self.give_up()

    def give_up(self) -> None:
        """Close a client that reads too slowly, with what it can do about it."""
        code = CLOSE_RESUME if self._resuming else CLOSE_TOO_SLOW
        self.close(code, "You read too slowly. " + _ADVICE[code])

    async def sent(self) -> None:
        """Wait until the wire took all that was put and would take more, or is closed.

        For operations that are paced by their reader instead of conflated.
        """
        if not self.closed and (self._said or self._waiting or self._blocked is not None):
            told: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            self._awaiting.append(told)
            await told

    def flush(self) -> None:
        self._scheduled = False
        if self.closed:
            return
        if not self._wire.writable():
            self._block()
            return
        messages: list[Message] = []
        said = len(self._said)
        if said:
            messages, self._said = self._said, messages
        for lane in self._waiting:
            lane.take(messages)
        self._waiting.clear()
        self.bytes_kept = 0
        if messages:
            counters = self._flusher.counters
            counters.deliveries += len(messages) - said
            counters.writes += 1
            if not self._wire.write(messages):
                self._block()
                return
        if self._awaiting:
            self._tell_sent()

    def close(self, code: int, reason: str) -> None:
        """Close the connection, after what is kept if the wire takes it. Harmless twice."""
        if self.closed:
            return
        if self._wire.writable():
            self.flush()
        self.closed = True
        self._flusher.counters.closed[code] += 1
        self._forget()
        self._wire.close(code, reason)
        if self._on_close is not None:
            self._on_close(code, reason)

    def lost(self) -> None:
        """The connection is gone: nothing is sent, nothing is kept."""
        self.closed = True
        self._forget()

    def count_surpassed(self, values: int) -> None:
        self._flusher.counters.conflated += values

    def _forget(self) -> None:
        self._wire.on_writable = None
        self._said.clear()
        self._waiting.clear()
        self.bytes_kept = 0
        if self._blocked is not None:
            self._blocked.cancel()
            self._blocked = None
        self._tell_sent()

    def _tell_sent(self) -> None:
        for told in self._awaiting:
            if not told.done():
                told.set_result(None)
        self._awaiting.clear()

    def _block(self) -> None:
        if self._blocked is None:
            seconds = self._flusher.limits.slow_reader_seconds
            self._blocked = self._flusher.later(seconds, self._too_slow)

    def _unblock(self) -> None:
        if self._blocked is not None:
            self._blocked.cancel()
            self._blocked = None
        if self._said or self._waiting:
            self.fill()
        else:
            self._tell_sent()

    def _too_slow(self) -> None:
        if self._wire.writable():  # it was, a moment ago: nobody is closed for our delay
            self._unblock()
            return
        self.give_up()


class Lane:
    """One operation of one connection: a Sink."""

    # What thousands hold is not in the processor's cache when their turn comes: the one value that
    # nearly always is all there is is held here, and a keeper is made when there are two.
    __slots__ = (
        "_delivery",
        "_head",
        "_keeper",
        "_last",
        "_on_end",
        "_only",
        "_outbox",
        "_resumes",
        "_single",
        "_waits",
        "ended",
    )

    def __init__(
        self,
        outbox: Outbox,
        operation_id: str,
        delivery: Delivery,
        on_end: Callable[[], None] | None,
        *,
        resumes: bool,
        single: bool,
    ) -> None:
        self.ended = False
        self._resumes = resumes
        self._single = single
        self._outbox = outbox
        self._delivery = delivery
        self._keeper: Keeper | None = None
        self._only: Encoded | None = None
        self._head = b'{"id":' + orjson.dumps(operation_id) + b',"type":"next","payload":'
        self._last: bytes | None = None
        self._waits = False
        self._on_end = on_end
        if resumes:
            outbox.must_not_miss(1)

    def offer(self, value: Encoded) -> None:
        outbox = self._outbox
        if self.ended or outbox.closed:
            return
        if self._waits:
            self._keep(value)
        elif self._single and outbox.lanes == 1 and outbox.write_value(self._head, value):
            return
        else:
            self._waits = True
            self._only = value
            outbox.bytes_kept += value.size
            outbox.wait(self)
        if outbox.bytes_kept > outbox.bytes_max:
            outbox.relieve()

    def _keep(self, value: Encoded) -> None:
        keeper = self._keeper
        if keeper is None:
            keeper = self._keeper = keeper_for(self._delivery)
        before = keeper.size
        if self._only is not None:
            before += self._only.size
            keeper.put(self._only)
            self._only = None
        keeper.put(value)
        self._outbox.bytes_kept += keeper.size - before
        if keeper.surpassed:
            self._outbox.count_surpassed(keeper.surpassed)
            keeper.surpassed = 0
        if keeper.overflown:
            self._outbox.relieve()

    def end(self, errors: FormattedErrors | None) -> None:
        """Send ``complete``, or ``error`` with the errors, behind what is kept."""
        if self.ended or self._outbox.closed:
            return
        self._over()
        kind = b'"type":"complete"}'
        if errors is not None:
            kind = b'"type":"error","payload":' + orjson.dumps(errors) + b"}"
        self._last = self._head[: -len(_NEXT)] + kind
        if not self._waits:
            self._waits = True
            self._outbox.wait(self)
        if self._on_end is not None:
            self._on_end()

    def leave(self) -> None:
        """The client wants no more of it: nothing is sent, not even an end."""
        self._over()
        self._last = None
        if self._only is not None:
            self._outbox.bytes_kept -= self._only.size
            self._only = None
        if self._keeper is not None:
            self._outbox.bytes_kept -= self._keeper.size
            self._keeper.take()

    def _over(self) -> None:
        if not self.ended:
            self._outbox.lanes -= 1
            if self._resumes:
                self._outbox.must_not_miss(-1)
        self.ended = True

    def take(self, messages: list[Message]) -> None:
        """Move what is kept to ``messages``."""
        self._waits = False
        if self._only is not None:
            messages.append((self._head, self._only.tail))
            self._only = None
        elif self._keeper is not None:
            head = self._head
            messages += [(head, value.tail) for value in self._keeper.take()]
        if self._last is not None:
            messages.append((self._last, b""))
            self._last = None


_NEXT = b'"type":"next","payload":'
_ADVICE = {
    CLOSE_TOO_SLOW: "Come back with fewer subscriptions or on a better line.",
    CLOSE_RESUME: "Resume from your cursor.",
}
