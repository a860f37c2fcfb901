"""The ticker stream of one instrument (Bybit v5 public ticker)."""

from adapters.sandbox.exchange.frames import Kind, ticker_frame
from adapters.sandbox.exchange.instruments import Category
from adapters.sandbox.exchange.process import InstrumentProcess
from adapters.sandbox.exchange.tickers import delta, linear_data, spot_data
from adapters.sandbox.exchange.venue import Feed, Topic

# Spot tickers come on a half-second grid when something traded, and once a second regardless
# (recorded).
SPOT_GRID_MS = 500
SPOT_QUIET_MS = 1_000


class LinearTickerChannel:
    """Holds what subscribers were told last, because a delta only means something against that."""

    def __init__(self, process: InstrumentProcess) -> None:
        self.topic = Topic.tickers(Category.LINEAR, process.instrument.symbol)
        self._process = process
        self._told: dict[str, str] | None = None

    def snapshot(self, now_ms: int) -> str:
        # Whoever listens already has merged exactly this, so one base serves all.
        if self._told is None:
            self._told = linear_data(self._process, now_ms)
        return self._frame(self._told, now_ms, "snapshot")

    def publish(self, feed: Feed, now_ms: int) -> None:
        if not feed.wants(self.topic):
            self._told = None
            return
        data = linear_data(self._process, now_ms)
        changed = data if self._told is None else delta(self._told, data)
        kind: Kind = "snapshot" if self._told is None else "delta"
        self._told = data
        if len(changed) > 1:
            feed.publish(self.topic, self._frame(changed, now_ms, kind))

    def _frame(self, data: dict[str, str], now_ms: int, kind: Kind) -> str:
        sequence = self._process.cross_sequence
        return ticker_frame(self.topic, data, kind=kind, sequence=sequence, ts=now_ms)


class SpotTickerChannel:
    """Spot tells all of it every time."""

    def __init__(self, process: InstrumentProcess) -> None:
        self.topic = Topic.tickers(Category.SPOT, process.instrument.symbol)
        self._process = process
        self._sent_ms = self._sent_trades = 0

    def snapshot(self, now_ms: int) -> str:
        data, sequence = spot_data(self._process), self._process.cross_sequence
        return ticker_frame(self.topic, data, kind="snapshot", sequence=sequence, ts=now_ms)

    def publish(self, feed: Feed, now_ms: int) -> None:
        waited = now_ms - self._sent_ms
        traded = self._process.trades != self._sent_trades
        if 0 <= waited < (SPOT_GRID_MS if traded else SPOT_QUIET_MS):
            return
        self._sent_ms, self._sent_trades = now_ms, self._process.trades
        if feed.wants(self.topic):
            feed.publish(self.topic, self.snapshot(now_ms))
