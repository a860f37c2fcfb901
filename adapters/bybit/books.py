"""Order books built up from snapshots and deltas. One thread only: the reader's.

Facts (Bybit v5 "Orderbook", and the recorded session of 2026-08-09): a snapshot replaces the book;
a delta carries absolute quantities, "0" takes a level out; ``u`` of a topic grows by exactly one.
pybit's own merge is not used: it leaves levels unsorted (3 of 4 recorded books) and looks at no
``u``.
"""

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from decimal import Decimal

from adapters.bybit.merge import DELTA_BEFORE_SNAPSHOT
from adapters.bybit.parse import Frame, FrameKind, Unusable
from adapters.bybit.parse_books import BookData, book_data_of
from domain.kernel.ids import InstrumentId
from domain.market import Level, OrderBook, Source

OUT_OF_SEQUENCE = Unusable("out_of_sequence")
CROSSED = Unusable("crossed_book")


class BookMerge:
    """The book of one ``orderbook.{depth}.S`` topic.

    What is not sound is forgotten as a whole: from there on every delta is refused until a snapshot
    comes, so that a wrong book is never shown.
    """

    def __init__(self, instrument: InstrumentId, depth: int, source: Source) -> None:
        self._instrument = instrument
        self._depth = depth
        self._source = source
        self._bids = BookSide(falling=True)
        self._asks = BookSide(falling=False)
        self._update_id: int | None = None

    def apply(self, frame: Frame) -> OrderBook | Unusable:
        """Take a frame in; the whole book after it."""
        data = book_data_of(frame.data)
        if isinstance(data, Unusable):
            self.forget()
            return data
        if refusal := self._merge(frame.kind, data):
            return refusal
        return OrderBook(
            id=self._instrument,
            depth=self._depth,
            bids=tuple(self._bids.levels),
            asks=tuple(self._asks.levels),
            sequence=data.sequence,
            as_of=frame.made_at or frame.sent_at,
            stale=False,
            source=self._source,
        )

    def forget(self) -> None:
        """Until the next snapshot nothing is known."""
        self._update_id = None

    def _merge(self, kind: FrameKind, data: BookData) -> Unusable | None:
        # Unknown until all of it is in, whatever may happen on the way.
        known, self._update_id = self._update_id, None
        if kind is FrameKind.SNAPSHOT:
            self._bids.clear()
            self._asks.clear()
        elif known is None:
            return DELTA_BEFORE_SNAPSHOT
        elif data.update_id != known + 1:
            return OUT_OF_SEQUENCE
        self._bids.apply(data.bids, self._depth)
        self._asks.apply(data.asks, self._depth)
        if crossed(self._bids.levels, self._asks.levels):
            return CROSSED
        self._update_id = data.update_id
        return None


class BookSide:
    """Levels in order, best first.

    Two parallel lists and a bisection: moving 200 pointers costs less than any tree, and the levels
    that did not change are shared with every book shown before.
    """

    def __init__(self, *, falling: bool) -> None:
        self._falling = falling
        self._keys = list[Decimal]()
        self.levels = list[Level]()

    def clear(self) -> None:
        self._keys.clear()
        self.levels.clear()

    def apply(self, levels: Iterable[Level], depth: int) -> None:
        """Set these levels, take out those of quantity zero, and keep the best ``depth``."""
        keys, kept = self._keys, self.levels
        for level in levels:
            # copy_negate is exact; a plain minus would round to the context's precision.
            key = level.price.copy_negate() if self._falling else level.price
            at = bisect_left(keys, key)
            known = at < len(keys) and keys[at] == key
            if not level.quantity:
                if known:
                    del keys[at], kept[at]
            elif known:
                kept[at] = level
            else:
                keys.insert(at, key)
                kept.insert(at, level)
        del keys[depth:], kept[depth:]


def crossed(bids: Sequence[Level], asks: Sequence[Level]) -> bool:
    """Whether somebody bids as much as somebody asks: then it is no state of any market."""
    return bool(bids and asks) and bids[0].price >= asks[0].price
