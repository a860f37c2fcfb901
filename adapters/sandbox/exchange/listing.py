"""One simulated instrument on the public stream: what is published after each step."""

from typing import Literal

from adapters.sandbox.exchange.frames import BOOK_REPEAT_MS, Best, best_frame, ticker_frame
from adapters.sandbox.exchange.instruments import Category
from adapters.sandbox.exchange.process import InstrumentProcess
from adapters.sandbox.exchange.tickers import (
    delta,
    linear_data,
    linear_row,
    spot_data,
    spot_row,
    touch,
)
from adapters.sandbox.exchange.venue import Feed, Topic

# Spot tickers come on a half-second grid when something traded, and once a second regardless
# (recorded).
SPOT_GRID_MS = 500
SPOT_QUIET_MS = 1_000


class Listing:
    """Holds what subscribers were told last, because a delta only means something against that."""

    def __init__(self, process: InstrumentProcess) -> None:
        self.process = process
        self.instrument = process.instrument
        self.tickers = Topic.tickers(self.instrument.category, self.instrument.symbol)
        self.best = Topic.best(self.instrument.category, self.instrument.symbol)
        self._told: dict[str, str] | None = None
        self._spot_sent_ms = self._spot_trades = 0
        self._best_sent_ms = self._best_sent_id = 0

    def row(self, now_ms: int) -> dict[str, str]:
        if self.instrument.category is Category.LINEAR:
            return linear_row(linear_data(self.process, now_ms))
        return spot_row(spot_data(self.process), *touch(self.process))

    def snapshot(self, topic: Topic, now_ms: int) -> str:
        if topic == self.best:
            return self._best_frame(now_ms)
        if self.instrument.category is Category.SPOT:
            return self._ticker_frame(spot_data(self.process), now_ms, "snapshot")
        # Whoever listens already has merged exactly this, so one base serves all.
        if self._told is None:
            self._told = linear_data(self.process, now_ms)
        return self._ticker_frame(self._told, now_ms, "snapshot")

    def publish(self, feed: Feed, now_ms: int) -> None:
        if self.instrument.category is Category.SPOT:
            self._publish_spot(feed, now_ms)
        else:
            self._publish_linear(feed, now_ms)
        self._publish_best(feed, now_ms)

    def _publish_linear(self, feed: Feed, now_ms: int) -> None:
        if not feed.wants(self.tickers):
            self._told = None
            return
        data = linear_data(self.process, now_ms)
        changed = data if self._told is None else delta(self._told, data)
        kind: Literal["snapshot", "delta"] = "snapshot" if self._told is None else "delta"
        self._told = data
        if len(changed) > 1:
            feed.publish(self.tickers, self._ticker_frame(changed, now_ms, kind))

    def _publish_spot(self, feed: Feed, now_ms: int) -> None:
        waited = now_ms - self._spot_sent_ms
        traded = self.process.trades != self._spot_trades
        if 0 <= waited < (SPOT_GRID_MS if traded else SPOT_QUIET_MS):
            return
        self._spot_sent_ms, self._spot_trades = now_ms, self.process.trades
        if feed.wants(self.tickers):
            feed.publish(
                self.tickers, self._ticker_frame(spot_data(self.process), now_ms, "snapshot")
            )

    def _publish_best(self, feed: Feed, now_ms: int) -> None:
        waited = now_ms - self._best_sent_ms
        if self.process.update_id == self._best_sent_id and 0 <= waited < BOOK_REPEAT_MS:
            return
        self._best_sent_ms, self._best_sent_id = now_ms, self.process.update_id
        if feed.wants(self.best):
            feed.publish(self.best, self._best_frame(now_ms))

    def _ticker_frame(
        self, data: dict[str, str], now_ms: int, kind: Literal["snapshot", "delta"]
    ) -> str:
        sequence = self.process.cross_sequence
        return ticker_frame(self.tickers, data, kind=kind, sequence=sequence, ts=now_ms)

    def _best_frame(self, now_ms: int) -> str:
        bid, ask = touch(self.process)
        best = Best(bid, ask, self.process.update_id, self.process.cross_sequence)
        return best_frame(self.best, best, ts=now_ms, matched_ts=now_ms)
