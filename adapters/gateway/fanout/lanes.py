"""What is kept of one operation's values until they can go out, by the field's delivery.

The rules are those of ``domain/market/conflation.py``, here for values that are bytes already.
"""

from collections import deque
from collections.abc import Sequence
from typing import Protocol

from adapters.gateway.fanout.sink import Encoded
from domain.kernel.policy import Delivery

FINAL_MAX = 100
BATCHES_MAX = 1000
BATCH_BYTES_MAX = 1024 * 1024
LOSSLESS_MAX = 1000


class Keeper(Protocol):
    """Holds values of one operation on their way. Their order is kept, key by key."""

    size: int
    """Bytes held."""
    surpassed: int
    """Values ever left out because something newer came, or because there was no room."""

    @property
    def overflown(self) -> bool:
        """Whether something was to be kept that must not be dropped, and there was no room."""
        ...

    def put(self, value: Encoded) -> None: ...

    def take(self) -> Sequence[Encoded]:
        """All that is held, oldest first; nothing is afterwards."""
        ...


class LatestKept:
    """The newest of each key, and before it the final ones (the newest FINAL_MAX of them)."""

    # One value of one key is nearly always all there is: it is held without a dictionary, because
    # what thousands of connections hold is not in the processor's cache when their turn comes.
    __slots__ = ("_final", "_newest", "_only", "size", "surpassed")
    overflown = False

    def __init__(self) -> None:
        self.size = 0
        self.surpassed = 0
        self._only: Encoded | None = None
        self._newest: dict[object, Encoded] | None = None
        self._final: deque[Encoded] | None = None

    def put(self, value: Encoded) -> None:
        self.size += len(value.tail)
        before = self._only
        if self._newest is None:
            if before is None or before.key == value.key:
                self._only = value
            else:
                self._newest = {before.key: before, value.key: value}
                before = self._only = None
        else:
            before = self._newest.get(value.key)
            self._newest[value.key] = value
        if before is not None:
            self._surpass(before)

    def _surpass(self, before: Encoded) -> None:
        if before.final:
            if self._final is None:
                self._final = deque()
            self._final.append(before)
            if len(self._final) <= FINAL_MAX:
                return
            before = self._final.popleft()
        self.size -= len(before.tail)
        self.surpassed += 1

    def take(self) -> Sequence[Encoded]:
        self.size = 0
        if self._only is not None and self._final is None:
            only, self._only = self._only, None
            return (only,)
        kept = [*(self._final or ()), *(self._newest or {}).values()]
        if self._only is not None:
            kept.append(self._only)
        self._final = self._newest = self._only = None
        return kept


class BoundedKept:
    """All, up to a bound; then the oldest go, and the next one tells how much went with them."""

    __slots__ = ("_kept", "_lost", "size", "surpassed")
    overflown = False

    def __init__(self) -> None:
        self.size = 0
        self.surpassed = 0
        self._kept: deque[Encoded] = deque()
        self._lost = 0

    def put(self, value: Encoded) -> None:
        self._kept.append(value)
        self.size += len(value.tail)
        while len(self._kept) > 1 and (
            len(self._kept) > BATCHES_MAX or self.size > BATCH_BYTES_MAX
        ):
            oldest = self._kept.popleft()
            self.size -= len(oldest.tail)
            self.surpassed += 1
            self._lost += oldest.carries

    def take(self) -> Sequence[Encoded]:
        kept = list(self._kept)
        if kept and self._lost:
            kept[0] = kept[0].after_losing(self._lost)
        self._kept.clear()
        self.size = self._lost = 0
        return kept


class LosslessKept:
    """All. When there is no room for one more, its reader has to resume from a cursor."""

    __slots__ = ("_kept", "size", "surpassed")

    def __init__(self) -> None:
        self.size = 0
        self.surpassed = 0
        self._kept: list[Encoded] = []

    @property
    def overflown(self) -> bool:
        return len(self._kept) > LOSSLESS_MAX

    def put(self, value: Encoded) -> None:
        self._kept.append(value)
        self.size += len(value.tail)

    def take(self) -> Sequence[Encoded]:
        kept, self._kept = self._kept, []
        self.size = 0
        return kept


_KEEPERS: dict[Delivery, type[LatestKept | BoundedKept | LosslessKept]] = {
    Delivery.LATEST: LatestKept,
    Delivery.BOUNDED: BoundedKept,
    Delivery.LOSSLESS: LosslessKept,
}


def keeper_for(delivery: Delivery) -> Keeper:
    return _KEEPERS[delivery]()
