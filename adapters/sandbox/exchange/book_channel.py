"""The book streams of one instrument: depth 1 as snapshots, 50 and 200 as deltas (Bybit v5).

`u` counts by one per frame (recorded: 1094 of 1094 deltas), so each depth has its own; what the
depths share is `seq`. The REST book carries the `u` of depth 200.
"""

from adapters.sandbox.exchange.depth import LEVELS, Depth
from adapters.sandbox.exchange.frames import BOOK_REPEAT_MS, Kind, Level, Levels, book_frame
from adapters.sandbox.exchange.instruments import Category, Instrument
from adapters.sandbox.exchange.process import InstrumentProcess
from adapters.sandbox.exchange.tickers import touch
from adapters.sandbox.exchange.venue import Feed, Topic
from adapters.sandbox.exchange.wire import fixed, plain

# The matching engine is this much ahead of the stream (recorded: 1 ms for the busiest book).
MATCHED_BEFORE_MS = 1


class BestChannel:
    """Depth 1 knows snapshots only."""

    def __init__(self, process: InstrumentProcess) -> None:
        instrument = process.instrument
        self.topic = Topic.best(instrument.category, instrument.symbol)
        self._process = process
        self._sent_ms = self._sent_id = 0

    def snapshot(self, now_ms: int) -> str:
        process = self._process
        bid, ask = touch(process)
        best = Levels([bid], [ask], process.update_id, process.cross_sequence)
        return book_frame(
            self.topic, best, kind="snapshot", ts=now_ms, matched_ts=now_ms - MATCHED_BEFORE_MS
        )

    def publish(self, feed: Feed, now_ms: int) -> None:
        waited = now_ms - self._sent_ms
        if self._process.update_id == self._sent_id and 0 <= waited < BOOK_REPEAT_MS:
            return
        self._sent_ms, self._sent_id = now_ms, self._process.update_id
        if feed.wants(self.topic):
            feed.publish(self.topic, self.snapshot(now_ms))


class BookChannel:
    """A depth of which only changes are told; nothing is compared or encoded for nobody."""

    def __init__(self, process: InstrumentProcess, depth: Depth, levels: int) -> None:
        instrument = process.instrument
        self.topic = Topic.book(instrument.category, levels, instrument.symbol)
        self.update_id = process.update_id
        self._process = process
        self._depth = depth
        self._levels = levels
        self._told: tuple[dict[int, int], dict[int, int]] | None = None

    def snapshot(self, now_ms: int) -> str:
        if self._told is None:
            self._told = self._top()
        bids, asks = self._told
        return self._frame(bids, asks, now_ms, "snapshot")

    def publish(self, feed: Feed, now_ms: int) -> None:
        if not self._depth.changed:
            return
        if not feed.wants(self.topic):
            # The deepest book counts on unheard, because REST tells its number too.
            self.update_id += self._levels == LEVELS
            self._told = None
            return
        told, self._told = self._told, self._top()
        if told is None:
            self.update_id += 1
            feed.publish(self.topic, self.snapshot(now_ms))
            return
        bids, asks = (_changes(old, new) for old, new in zip(told, self._told, strict=True))
        if bids or asks:
            self.update_id += 1
            feed.publish(self.topic, self._frame(bids, asks, now_ms, "delta"))

    def _top(self) -> tuple[dict[int, int], dict[int, int]]:
        return self._depth.bids.top(self._levels), self._depth.asks.top(self._levels)

    def _frame(self, bids: dict[int, int], asks: dict[int, int], now_ms: int, kind: Kind) -> str:
        instrument = self._process.instrument
        levels = Levels(
            [written(instrument, *level) for level in sorted(bids.items(), reverse=True)],
            [written(instrument, *level) for level in sorted(asks.items())],
            self.update_id,
            self._process.cross_sequence,
        )
        matched = now_ms - MATCHED_BEFORE_MS
        return book_frame(self.topic, levels, kind=kind, ts=now_ms, matched_ts=matched)


def written(instrument: Instrument, price: int, lots: int) -> Level:
    """A level as text; no lots is "0" whatever the decimals: that deletes it."""
    write = fixed if instrument.category is Category.LINEAR else plain
    size = write(lots * instrument.lot_units, instrument.lot_decimals) if lots else "0"
    return write(price * instrument.tick_units, instrument.price_decimals), size


def _changes(old: dict[int, int], new: dict[int, int]) -> dict[int, int]:
    changed = {price: lots for price, lots in new.items() if old.get(price) != lots}
    return changed | dict.fromkeys(old.keys() - new.keys(), 0)
