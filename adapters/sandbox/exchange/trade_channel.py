"""The trade stream of one instrument: every trade once, in order (Bybit v5 public trade)."""

from adapters.sandbox.exchange.frames import trade_frame
from adapters.sandbox.exchange.process import InstrumentProcess
from adapters.sandbox.exchange.trades import stream_trade
from adapters.sandbox.exchange.venue import Feed, Topic


class TradeChannel:
    def __init__(self, process: InstrumentProcess) -> None:
        instrument = process.instrument
        self.topic = Topic.trades(instrument.category, instrument.symbol)
        self._process = process

    def snapshot(self, now_ms: int) -> None:
        """The recorded stream starts with the first trade after the subscription."""
        del now_ms

    def publish(self, feed: Feed, now_ms: int) -> None:
        trades, self._process.fresh = self._process.fresh, []
        if trades and feed.wants(self.topic):
            rows = [stream_trade(self._process.instrument, trade) for trade in trades]
            feed.publish(self.topic, trade_frame(self.topic, rows, ts=now_ms))
