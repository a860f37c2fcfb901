"""The kline streams of one instrument (Bybit v5 public kline).

As recorded: on a second of the instrument's own (BTC linear at .441, SOL linear at .006), when
something has traded since; a closed candle is told once with confirm true, together with its
successor; and, as documented, once a minute at least.
"""

from dataclasses import replace

from adapters.sandbox.exchange.candles import (
    INTERVALS,
    Candle,
    current_minute,
    gather,
    interval_end,
    interval_start,
    stream_candle,
)
from adapters.sandbox.exchange.frames import kline_frames
from adapters.sandbox.exchange.pace import MINUTE_MS, STEP_MS
from adapters.sandbox.exchange.process import InstrumentProcess
from adapters.sandbox.exchange.venue import Feed, Topic

GRID_MS = 1_000
QUIET_MS = MINUTE_MS


class KlineChannel:
    """One interval. Closed minutes are added up once, the minute under way on every frame."""

    def __init__(self, process: InstrumentProcess, interval: str) -> None:
        instrument = process.instrument
        self.topic = Topic.kline(instrument.category, interval, instrument.symbol)
        self._process = process
        self._interval = interval
        self._told: int | None = None  # the start of the open candle last told
        self._sent_ms = self._sent_trades = 0
        self._closed: Candle | None = None
        self._closed_until = 0

    def snapshot(self, now_ms: int) -> str:
        return self._frames([(self._candle(self._open_start()), False)], now_ms)[0]

    def publish(self, feed: Feed, now_ms: int) -> None:
        """Called on the instrument's second."""
        if not feed.wants(self.topic):
            self._told = None
            return
        start, candles = self._open_start(), []
        # After a leap of months the told candle is older than the history: it stays unconfirmed.
        oldest = self._process.history.first
        if self._told is not None and oldest <= self._told < start:
            candles = [(self._candle(self._told), True)]
        traded = self._process.trades != self._sent_trades
        quiet = 0 <= now_ms - self._sent_ms < QUIET_MS
        if self._told == start and quiet and not traded:
            return
        candles.append((self._candle(start), False))
        self._told, self._sent_ms, self._sent_trades = start, now_ms, self._process.trades
        for frame in self._frames(candles, now_ms):
            feed.publish(self.topic, frame)

    def _open_start(self) -> int:
        return interval_start(self._interval, self._process.day.minute)

    def _candle(self, start: int) -> Candle:
        """The candle that begins here, whole if it is closed."""
        interval, process = self._interval, self._process
        if self._closed is None or self._closed.start != start:
            self._closed, self._closed_until = None, start
        end, now = interval_end(interval, start), process.day.minute
        until = min(end, now)
        for part in gather(
            process.history.read(self._closed_until, until), interval, self._closed_until, until
        ):
            if self._closed is None:
                self._closed = part
            else:
                self._closed.take(part)
        self._closed_until = until
        candle = None if self._closed is None else replace(self._closed)
        if start <= now < end:
            live = gather([current_minute(process)], interval, now, now + 1)[0]
            if candle is None:
                return live
            candle.take(live)
        if candle is None:
            raise LookupError(f"{self.topic.name} has no candle at minute {start}")
        return candle

    def _frames(self, candles: list[tuple[Candle, bool]], ts: int) -> list[str]:
        instrument, interval = self._process.instrument, self._interval
        rows = [
            stream_candle(instrument, interval, candle, confirmed=confirmed, ts=ts)
            for candle, confirmed in candles
        ]
        return kline_frames(self.topic, rows, ts=ts)


class KlineChannels:
    """All intervals of an instrument, asked once a second."""

    def __init__(self, process: InstrumentProcess) -> None:
        self.channels = [KlineChannel(process, interval) for interval in INTERVALS]
        self._phase_ms = process.instrument.symbol_id * STEP_MS % GRID_MS
        self._second = 0

    def publish(self, feed: Feed, now_ms: int) -> None:
        second = (now_ms - self._phase_ms) // GRID_MS
        if second != self._second:
            self._second = second
            for channel in self.channels:
                channel.publish(feed, now_ms)
