"""One simulated instrument on the public stream: its channels, published after each step."""

from typing import Protocol

from adapters.sandbox.exchange.book_channel import BestChannel, BookChannel
from adapters.sandbox.exchange.depth import LEVELS, Depth
from adapters.sandbox.exchange.instruments import Category
from adapters.sandbox.exchange.kline_channel import KlineChannels
from adapters.sandbox.exchange.process import InstrumentProcess
from adapters.sandbox.exchange.ticker_channel import LinearTickerChannel, SpotTickerChannel
from adapters.sandbox.exchange.trade_channel import TradeChannel
from adapters.sandbox.exchange.venue import Feed, Topic

DEPTHS = (50, LEVELS)


class Channel(Protocol):
    """One topic."""

    topic: Topic

    def snapshot(self, now_ms: int) -> str | None: ...

    def publish(self, feed: Feed, now_ms: int) -> None: ...


class Listing:
    """Process, book and channels of an instrument."""

    def __init__(self, process: InstrumentProcess, depth: Depth) -> None:
        self.process = process
        self.depth = depth
        self.instrument = process.instrument
        linear = self.instrument.category is Category.LINEAR
        self._books = [BookChannel(process, depth, levels) for levels in DEPTHS]
        self._steady: list[Channel] = [
            LinearTickerChannel(process) if linear else SpotTickerChannel(process),
            BestChannel(process),
            *self._books,
            TradeChannel(process),
        ]
        self._klines = KlineChannels(process)

    @property
    def channels(self) -> list[Channel]:
        return [*self._steady, *self._klines.channels]

    @property
    def book_update_id(self) -> int:
        """`u` of the deepest book."""
        return self._books[-1].update_id

    def step(self, now_ms: int) -> None:
        self.process.step(now_ms)
        self.depth.step()

    def catch_up(self) -> None:
        """Stand where the process stands: after a history, a leap or a shock."""
        self.depth.follow()

    def born(self, now_ms: int, update_id: int) -> None:
        """Number what follows from here: higher than anything an earlier run has said."""
        self.process.cross_sequence = now_ms
        self.process.update_id = update_id
        for book in self._books:
            book.update_id = update_id

    def publish(self, feed: Feed, now_ms: int) -> None:
        for channel in self._steady:
            channel.publish(feed, now_ms)
        self._klines.publish(feed, now_ms)
        self.depth.changed = False
