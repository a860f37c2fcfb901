"""Trades and candles as they are pushed: nothing twice, nothing backwards. Reader's thread only.

Both outlive a connection: what a new one repeats was known before.
"""

from collections import deque
from collections.abc import Sequence

from adapters.bybit.parse import Frame, Unusable
from adapters.bybit.parse_tape import pushed_candles_of, pushed_trades_of
from domain.kernel.ids import InstrumentId
from domain.market import Candle, Interval, Source, Trade, Trades

IDS_KEPT = 1024
"""Bybit v5 "Trade": a frame holds up to 1024 trades."""


class TradeMerge:
    """The trades of one ``publicTrade.S`` topic."""

    def __init__(self, instrument: InstrumentId, source: Source) -> None:
        self._instrument = instrument
        self._source = source
        self._ids: set[str] = set()
        self._in_order: deque[str] = deque()

    def apply(self, frame: Frame) -> Sequence[Trades] | Unusable:
        """The trades of a frame that were not told before; rows nobody can read are counted."""
        rows = pushed_trades_of(frame.data)
        if isinstance(rows, Unusable):
            return rows
        unread = sum(isinstance(row, Unusable) for row in rows)
        fresh = tuple(row for row in rows if isinstance(row, Trade) and self._first_time(row.id))
        if not fresh and not unread:
            return ()
        return (
            Trades(
                self._instrument,
                fresh,
                dropped=unread,
                as_of=frame.sent_at,
                stale=False,
                source=self._source,
            ),
        )

    def _first_time(self, trade_id: str) -> bool:
        if trade_id in self._ids:
            return False
        self._ids.add(trade_id)
        self._in_order.append(trade_id)
        if len(self._in_order) > IDS_KEPT:
            self._ids.discard(self._in_order.popleft())
        return True


class CandleMerge:
    """The candles of one ``kline.I.S`` topic."""

    def __init__(self, instrument: InstrumentId, interval: Interval, source: Source) -> None:
        self._instrument = instrument
        self._interval = interval
        self._source = source
        self._last: Candle | None = None

    def apply(self, frame: Frame) -> Sequence[Candle] | Unusable:
        """The candles of a frame, without those that would take a chart back in time."""
        found = pushed_candles_of(
            self._instrument,
            self._interval,
            frame.data,
            as_of=frame.sent_at,
            source=self._source,
        )
        if isinstance(found, Unusable):
            return found
        return [candle for candle in found if self._advances(candle)]

    def _advances(self, candle: Candle) -> bool:
        last = self._last
        if last is not None:
            if (candle.start, candle.as_of) < (last.start, last.as_of):
                return False
            if candle.start == last.start and last.confirmed:
                return False  # final is final
        self._last = candle
        return True
