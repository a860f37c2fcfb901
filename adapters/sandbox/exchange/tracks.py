"""What a replayed topic shows now, per kind of topic.

Prices and sizes are the recording's strings, untouched. With every turn of the loop `cs`, `u` and
`seq` move on by what they grew in one turn, so that they only grow.
"""

from collections import deque
from collections.abc import Sequence
from typing import Any, Generic, NamedTuple, TypeVar
from uuid import UUID, uuid5

from adapters.sandbox.exchange.candles import interval_end, interval_start
from adapters.sandbox.exchange.frames import (
    Levels,
    book_frame,
    kline_frames,
    ticker_frame,
    trade_frame,
)
from adapters.sandbox.exchange.pace import MINUTE_MS
from adapters.sandbox.exchange.recording import BookEvent, KlineEvent, TickerEvent, TradeEvent
from adapters.sandbox.exchange.tickers import next_funding_ms
from adapters.sandbox.exchange.venue import Topic

E = TypeVar("E", TickerEvent, BookEvent, TradeEvent, KlineEvent)
CANDLES_KEPT, TRADES_KEPT = 1_000, 1_000
_IDS = UUID("8f0f5d3e-1c0b-5a53-8a59-6f0a0b6a4a11")
_SPOT_ID_STRIDE = 10**12


class Moment(NamedTuple):
    """When a frame is shown: which turn of the loop, and how far its stamps are moved."""

    turn: int
    shift_ms: int
    now_ms: int


class Track(Generic[E]):
    """One topic; `merge` is called for every event, `frames` only when somebody listens."""

    def __init__(self, topic: Topic, events: Sequence[E]) -> None:
        self.topic = topic
        self.sent_ms = 0
        self.begin(events)

    def begin(self, events: Sequence[E]) -> None:
        """Be complete before the first frame plays."""
        raise NotImplementedError

    def merge(self, event: E, moment: Moment) -> None:
        raise NotImplementedError

    def frames(self, event: E, moment: Moment) -> list[str]:
        raise NotImplementedError

    def snapshot(self, now_ms: int) -> str | None:
        raise NotImplementedError


class TickerTrack(Track[TickerEvent]):
    def begin(self, events: Sequence[TickerEvent]) -> None:
        self._stride = events[-1].sequence - events[0].sequence + 1
        self._sequence = events[0].sequence
        self._data = events[0].data

    def data(self, now_ms: int) -> dict[str, str]:
        return self._stamped(self._data, now_ms)

    def merge(self, event: TickerEvent, moment: Moment) -> None:
        self._sequence = event.sequence + moment.turn * self._stride
        self._data = event.data if event.kind == "snapshot" else self._data | event.data

    def frames(self, event: TickerEvent, moment: Moment) -> list[str]:
        data = self._stamped(event.data, moment.now_ms)
        ts = event.ts + moment.shift_ms
        return [ticker_frame(self.topic, data, kind=event.kind, sequence=self._sequence, ts=ts)]

    def snapshot(self, now_ms: int) -> str:
        data = self.data(now_ms)
        return ticker_frame(self.topic, data, kind="snapshot", sequence=self._sequence, ts=now_ms)

    def _stamped(self, data: dict[str, str], now_ms: int) -> dict[str, str]:
        if "nextFundingTime" not in data:
            return data
        hours = int(self._data.get("fundingIntervalHour", "8"))
        return data | {"nextFundingTime": str(next_funding_ms(now_ms, hours))}


class BookTrack(Track[BookEvent]):
    """Any depth."""

    def begin(self, events: Sequence[BookEvent]) -> None:
        first, last = events[0].levels, events[-1].levels
        self._stride = last.sequence - first.sequence + 1
        self._id_stride = last.update_id - first.update_id + 1
        self._bids: dict[str, str] = dict(first.bids)
        self._asks: dict[str, str] = dict(first.asks)
        self._update_id, self._sequence = first.update_id, first.sequence

    def levels(self, most: int) -> Levels:
        bids = sorted(self._bids.items(), key=lambda level: float(level[0]), reverse=True)
        asks = sorted(self._asks.items(), key=lambda level: float(level[0]))
        return Levels(bids[:most], asks[:most], self._update_id, self._sequence)

    def merge(self, event: BookEvent, moment: Moment) -> None:
        levels = event.levels
        self._update_id = levels.update_id + moment.turn * self._id_stride
        self._sequence = levels.sequence + moment.turn * self._stride
        for side, changes in ((self._bids, levels.bids), (self._asks, levels.asks)):
            if event.kind == "snapshot":
                side.clear()
            side.update(changes)
            for price, size in changes:
                if size == "0":
                    del side[price]

    def frames(self, event: BookEvent, moment: Moment) -> list[str]:
        levels = event.levels._replace(update_id=self._update_id, sequence=self._sequence)
        ts, matched = event.ts + moment.shift_ms, event.matched_ts + moment.shift_ms
        return [book_frame(self.topic, levels, kind=event.kind, ts=ts, matched_ts=matched)]

    def snapshot(self, now_ms: int) -> str:
        levels = self.levels(len(self._bids) + len(self._asks))
        return book_frame(self.topic, levels, kind="snapshot", ts=now_ms, matched_ts=now_ms)


class TradeTrack(Track[TradeEvent]):
    """Trades of later turns get ids of their own: nobody sees one id twice."""

    def begin(self, events: Sequence[TradeEvent]) -> None:
        self._stride = events[-1].trades[-1]["seq"] - events[0].trades[0]["seq"] + 1
        self.tape: deque[dict[str, Any]] = deque(maxlen=TRADES_KEPT)
        self._moved: list[dict[str, Any]] = []

    def merge(self, event: TradeEvent, moment: Moment) -> None:
        self._moved = [self._moved_trade(trade, moment) for trade in event.trades]
        self.tape += self._moved

    def frames(self, event: TradeEvent, moment: Moment) -> list[str]:
        return [trade_frame(self.topic, self._moved, ts=event.ts + moment.shift_ms)]

    def snapshot(self, now_ms: int) -> None:
        del now_ms

    def _moved_trade(self, trade: dict[str, Any], moment: Moment) -> dict[str, Any]:
        return trade | {
            "T": trade["T"] + moment.shift_ms,
            "i": _identity(trade["i"], moment.turn),
            "seq": trade["seq"] + moment.turn * self._stride,
        }


class KlineTrack(Track[KlineEvent]):
    """Candles lie on the interval's own grid: moved by whole intervals, never ahead of now."""

    def begin(self, events: Sequence[KlineEvent]) -> None:
        self._interval = events[0].candles[0]["interval"]
        self._last: KlineEvent = events[0]
        self._moved: list[dict[str, Any]] = []
        self.candles: dict[int, dict[str, Any]] = {}

    def merge(self, event: KlineEvent, moment: Moment) -> None:
        self._last = event
        self._moved = [self._moved_candle(candle, moment.shift_ms) for candle in event.candles]
        for candle in self._moved:
            self.candles.pop(candle["start"], None)
            self.candles[candle["start"]] = candle
        while len(self.candles) > CANDLES_KEPT:
            del self.candles[next(iter(self.candles))]

    def frames(self, event: KlineEvent, moment: Moment) -> list[str]:
        return kline_frames(self.topic, self._moved, ts=event.ts + moment.shift_ms)

    def snapshot(self, now_ms: int) -> str:
        shift_ms = now_ms - self._last.ts
        candle = self._moved_candle(self._last.candles[-1], shift_ms)
        return kline_frames(self.topic, [candle], ts=now_ms)[0]

    def _moved_candle(self, candle: dict[str, Any], shift_ms: int) -> dict[str, Any]:
        minute = (candle["start"] + shift_ms) // MINUTE_MS
        start = interval_start(self._interval, minute)
        return candle | {
            "start": start * MINUTE_MS,
            "end": interval_end(self._interval, start) * MINUTE_MS - 1,
            "timestamp": candle["timestamp"] + shift_ms,
        }


def _identity(recorded: str, turn: int) -> str:
    if turn == 0:
        return recorded
    if recorded.isdigit():
        return str(int(recorded) + turn * _SPOT_ID_STRIDE)
    return str(uuid5(_IDS, f"{recorded}:{turn}"))
