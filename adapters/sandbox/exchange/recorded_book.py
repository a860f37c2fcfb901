"""A recorded orderbook.200 and the shallower books that lie in it (Bybit v5 public orderbook)."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from adapters.sandbox.exchange.frames import Kind, Level, Levels

DEEP, SHALLOW = 200, 50
Sides = tuple[dict[str, str], dict[str, str]]


class EmptySide(Exception):
    """A book without bids or without asks has no best level."""


@dataclass(slots=True)
class RecordedBook:
    """Merges what was recorded and tells each depth's part of it."""

    bids: dict[str, str] = field(default_factory=dict)
    asks: dict[str, str] = field(default_factory=dict)
    _best: Sides | None = None
    _shallow: Sides | None = None
    _shallow_id: int = 0

    def take(self, data: dict[str, Any], *, reset: bool) -> Iterator[tuple[int, Kind, Levels]]:
        """Apply a frame's data; yield (depth, kind, levels) for every depth it changes."""
        kind: Kind = "snapshot" if reset else "delta"
        update_id, sequence = int(data["u"]), int(data["seq"])
        recorded = Levels(_levels(data["b"]), _levels(data["a"]), update_id, sequence)
        for side, levels in ((self.bids, recorded.bids), (self.asks, recorded.asks)):
            if reset:
                side.clear()
            for price, size in levels:
                side[price] = size
                if size == "0":
                    del side[price]
        if not self.bids or not self.asks:
            raise EmptySide("the order book has an empty side")
        yield DEEP, kind, recorded
        bids = sorted(self.bids.items(), key=_price, reverse=True)[:SHALLOW]
        asks = sorted(self.asks.items(), key=_price)[:SHALLOW]
        yield from self._shallow_change(bids, asks, recorded, reset=reset)
        best: Sides = (dict(bids[:1]), dict(asks[:1]))
        if best != self._best:
            self._best = best
            yield 1, "snapshot", Levels(bids[:1], asks[:1], update_id, sequence)

    def _shallow_change(
        self, bids: list[Level], asks: list[Level], recorded: Levels, *, reset: bool
    ) -> Iterator[tuple[int, Kind, Levels]]:
        told, self._shallow = self._shallow, (dict(bids), dict(asks))
        if told is None or reset:
            self._shallow_id = max(self._shallow_id + 1, recorded.update_id)
            yield (
                SHALLOW,
                "snapshot",
                recorded._replace(bids=bids, asks=asks, update_id=self._shallow_id),
            )
            return
        changed_bids = _changes(told[0], self._shallow[0])
        changed_asks = _changes(told[1], self._shallow[1])
        if changed_bids or changed_asks:
            self._shallow_id += 1
            yield (
                SHALLOW,
                "delta",
                recorded._replace(
                    bids=sorted(changed_bids, key=_price, reverse=True),
                    asks=sorted(changed_asks, key=_price),
                    update_id=self._shallow_id,
                ),
            )


def _price(level: Level) -> Decimal:
    return Decimal(level[0])


def _levels(rows: list[list[str]]) -> list[Level]:
    return [(price, size) for price, size in rows]


def _changes(old: dict[str, str], new: dict[str, str]) -> list[Level]:
    changed = [(price, size) for price, size in new.items() if old.get(price) != size]
    return changed + [(price, "0") for price in old.keys() - new.keys()]
