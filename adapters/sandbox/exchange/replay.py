"""The replayed market: a recorded session in a loop, in its own rhythm.

Prices and sizes are the recording's strings, untouched. Stamps move to the present, `cs`, `u` and
`seq` move on with every turn so that they only grow, and the next funding is the coming one. Each
turn begins with the recorded snapshots, which reset whoever listens. What the recording does not
hold (funding and open interest of the past, intervals nobody recorded) is answered with no rows.
"""

import asyncio
from collections.abc import Sequence
from decimal import Decimal
from itertools import islice
from typing import Any

from adapters.sandbox.exchange.frames import BOOK_REPEAT_MS
from adapters.sandbox.exchange.instruments import INSTRUMENTS, Category, Instrument
from adapters.sandbox.exchange.recording import (
    BookEvent,
    Event,
    KlineEvent,
    Recording,
    RecordingError,
    TickerEvent,
    TradeEvent,
)
from adapters.sandbox.exchange.tickers import linear_row, spot_row
from adapters.sandbox.exchange.tracks import (
    BookTrack,
    KlineTrack,
    Moment,
    TickerTrack,
    Track,
    TradeTrack,
)
from adapters.sandbox.exchange.venue import Feed, NotPossible, Topic, Window
from adapters.sandbox.exchange.wire import epoch_ms
from domain.kernel.clock import Clock

NO_QUOTE = ("", "")
DEEPEST = 200
QUIET_CHECK_SECONDS = 0.5
# Stamps keep the distances of the recording until the clock leaps by more than this.
LEAP_MS = 2_000

_TRACKS: dict[type[Event], type[Track[Any]]] = {
    TickerEvent: TickerTrack,
    BookEvent: BookTrack,
    TradeEvent: TradeTrack,
    KlineEvent: KlineTrack,
}


class ReplayMarket:
    """Offers the instruments the recording has tickers of, and nothing else."""

    mode = "replay"

    def __init__(self, recording: Recording, clock: Clock) -> None:
        self._recording = recording
        self._clock = clock
        self._shift_ms = epoch_ms(clock) - recording.started_ms
        self._round = 0
        events: dict[Topic, list[Event]] = {}
        for event in recording.events:
            events.setdefault(event.topic, []).append(event)
        tickers = {(t.category, t.symbol) for t in events if t.kind == "tickers"}
        self._instruments = _instruments(tickers)
        self._tracks: dict[Topic, Track[Any]] = {
            topic: _TRACKS[type(own[0])](topic, own)
            for topic, own in events.items()
            if (topic.category, topic.symbol) in tickers
        }
        self._live_once_before()

    def instruments(self, category: Category) -> Sequence[Instrument]:
        return [instrument for instrument in self._instruments if instrument.category is category]

    def ticker_row(self, instrument: Instrument) -> dict[str, str]:
        track = self._tracks[Topic.tickers(instrument.category, instrument.symbol)]
        data = track.data(epoch_ms(self._clock)) if isinstance(track, TickerTrack) else {}
        if instrument.category is Category.LINEAR:
            return linear_row(data)
        best = self._tracks.get(Topic.best(instrument.category, instrument.symbol))
        if not isinstance(best, BookTrack):
            return spot_row(data, NO_QUOTE, NO_QUOTE)
        levels = best.levels(1)
        return spot_row(data, levels.bids[0], levels.asks[0])

    def order_book(self, instrument: Instrument, levels: int) -> dict[str, Any]:
        track = self._tracks.get(Topic.book(instrument.category, DEEPEST, instrument.symbol))
        now = epoch_ms(self._clock)
        book = track.levels(levels) if isinstance(track, BookTrack) else None
        return {
            "s": instrument.symbol,
            "a": book.asks if book else [],
            "b": book.bids if book else [],
            "ts": now,
            "u": book.update_id if book else 0,
            "seq": book.sequence if book else 0,
            "cts": now,
        }

    def recent_trades(self, instrument: Instrument, limit: int) -> list[dict[str, Any]]:
        track = self._tracks.get(Topic.trades(instrument.category, instrument.symbol))
        if not isinstance(track, TradeTrack):
            return []
        return [_rest_trade(trade) for trade in islice(reversed(track.tape), limit)]

    async def candles(
        self, instrument: Instrument, interval: str, window: Window
    ) -> list[list[str]]:
        track = self._tracks.get(Topic.kline(instrument.category, interval, instrument.symbol))
        if not isinstance(track, KlineTrack):
            return []
        starts = [
            start
            for start in sorted(track.candles)
            if (window.start_ms is None or start >= window.start_ms)
            and (window.end_ms is None or start <= window.end_ms)
        ]
        if window.end_ms is None and window.start_ms is not None:
            starts = starts[: window.limit]
        return [_rest_candle(track.candles[start]) for start in starts[-window.limit :][::-1]]

    def funding_rates(self, instrument: Instrument, window: Window) -> list[dict[str, str]]:
        del instrument, window
        return []

    def open_interest(
        self, instrument: Instrument, interval_ms: int, window: Window
    ) -> list[dict[str, str]]:
        del instrument, interval_ms, window
        return []

    def offers(self, topic: Topic) -> bool:
        return topic in self._tracks

    def snapshot(self, topic: Topic) -> str | None:
        return self._tracks[topic].snapshot(epoch_ms(self._clock))

    def shock(self, instrument: Instrument, percent: Decimal, feed: Feed) -> None:
        del percent, feed
        raise NotPossible(f"{instrument.symbol} is replayed: its prices are the recording's")

    async def run(self, feed: Feed) -> None:
        loop = asyncio.get_running_loop()
        while True:
            began = loop.time()
            self._shift_ms = epoch_ms(self._clock) - self._recording.started_ms
            for event in self._recording.events:
                due = began + (event.at_ms - self._recording.started_ms) / 1000
                while (wait := due - loop.time()) > 0:
                    await asyncio.sleep(min(wait, QUIET_CHECK_SECONDS))
                    self._repeat_quiet(feed)
                self.play(event, feed)
            await asyncio.sleep(max(0, began + self._recording.duration_ms / 1000 - loop.time()))
            self._round += 1

    def play(self, event: Event, feed: Feed) -> None:
        """Show one recorded frame as of now."""
        track = self._tracks.get(event.topic)
        if track is None:
            return
        now = epoch_ms(self._clock)
        if abs(now - event.at_ms - self._shift_ms) > LEAP_MS:
            self._shift_ms = now - event.at_ms
        moment = Moment(self._round, self._shift_ms, now)
        track.merge(event, moment)
        track.sent_ms = now
        if feed.wants(event.topic):
            for frame in track.frames(event, moment):
                feed.publish(event.topic, frame)

    def _live_once_before(self) -> None:
        """Trades and candles as if a turn had just ended: REST has rows from the first moment."""
        now = epoch_ms(self._clock)
        moment = Moment(-1, self._shift_ms - self._recording.duration_ms, now)
        for event in self._recording.events:
            if isinstance(event, TradeEvent | KlineEvent) and event.topic in self._tracks:
                self._tracks[event.topic].merge(event, moment)

    def _repeat_quiet(self, feed: Feed) -> None:
        now = epoch_ms(self._clock)
        for topic, track in self._tracks.items():
            if topic.kind == "orderbook.1" and now - track.sent_ms >= BOOK_REPEAT_MS:
                track.sent_ms = now
                frame = track.snapshot(now) if feed.wants(topic) else None
                if frame is not None:
                    feed.publish(topic, frame)


def _rest_trade(trade: dict[str, Any]) -> dict[str, Any]:
    return {
        "execId": trade["i"],
        "symbol": trade["s"],
        "price": trade["p"],
        "size": trade["v"],
        "side": trade["S"],
        "time": str(trade["T"]),
        "isBlockTrade": trade.get("BT", False),
        "isRPITrade": trade.get("RPI", False),
        "seq": str(trade["seq"]),
    }


def _rest_candle(candle: dict[str, Any]) -> list[str]:
    numbers = (candle[key] for key in ("open", "high", "low", "close", "volume", "turnover"))
    return [str(candle["start"]), *numbers]


def _instruments(offered: set[tuple[Category, str]]) -> list[Instrument]:
    known = {(instrument.category, instrument.symbol) for instrument in INSTRUMENTS}
    strangers = sorted(f"{category} {symbol}" for category, symbol in offered - known)
    if strangers:
        raise RecordingError(
            f"the recording has tickers of {', '.join(strangers)}, whose tick and lot sizes are"
            " unknown here: add them to adapters/sandbox/exchange/instruments.py"
        )
    return [i for i in INSTRUMENTS if (i.category, i.symbol) in offered]
