"""The seam between a market (simulated or replayed) and what shows it (REST, sockets).

A new kind of data joins by a market offering more topics and frames; hub, sockets and control do
not change.
"""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any, NamedTuple, Protocol

from adapters.sandbox.exchange.instruments import Category, Instrument


class Topic(NamedTuple):
    """A public topic. The category comes from the socket's path: no frame carries it."""

    category: Category
    name: str

    @classmethod
    def tickers(cls, category: Category, symbol: str) -> "Topic":
        return cls(category, f"tickers.{symbol}")

    @classmethod
    def best(cls, category: Category, symbol: str) -> "Topic":
        return cls.book(category, 1, symbol)

    @classmethod
    def book(cls, category: Category, depth: int, symbol: str) -> "Topic":
        return cls(category, f"orderbook.{depth}.{symbol}")

    @classmethod
    def trades(cls, category: Category, symbol: str) -> "Topic":
        return cls(category, f"publicTrade.{symbol}")

    @classmethod
    def kline(cls, category: Category, interval: str, symbol: str) -> "Topic":
        return cls(category, f"kline.{interval}.{symbol}")

    @property
    def kind(self) -> str:
        """The name without the symbol."""
        return self.name.rpartition(".")[0]

    @property
    def symbol(self) -> str:
        return self.name.rpartition(".")[2]

    @property
    def is_merged(self) -> bool:
        """Whether listeners add its deltas to a state, so that a lost one leaves it wrong."""
        if self.kind == "tickers":
            return self.category is Category.LINEAR
        return self.kind.startswith("orderbook.") and self.kind != "orderbook.1"


class Feed(Protocol):
    """Where a market publishes."""

    def wants(self, topic: Topic) -> bool:
        """Whether anybody listens: nothing is encoded for nobody."""
        ...

    def publish(self, topic: Topic, frame: str) -> None: ...


class Window(NamedTuple):
    """Which rows of a series are asked for; both ends in ms and inside the window."""

    start_ms: int | None
    end_ms: int | None
    limit: int


class NotPossible(Exception):
    """The market cannot do what the control plane asked; the message says why."""


class Market(Protocol):
    """What the exchange shows."""

    mode: str

    def instruments(self, category: Category) -> Sequence[Instrument]:
        """Every instrument on offer, in the order the venue lists them."""
        ...

    def ticker_row(self, instrument: Instrument) -> dict[str, str]:
        """The row of market/tickers."""
        ...

    def order_book(self, instrument: Instrument, levels: int) -> dict[str, Any]:
        """The result of market/orderbook."""
        ...

    def recent_trades(self, instrument: Instrument, limit: int) -> list[dict[str, Any]]:
        """Rows of market/recent-trade, newest first."""
        ...

    async def candles(
        self, instrument: Instrument, interval: str, window: Window
    ) -> list[list[str]]:
        """Rows of market/kline, newest first; waits where much of the past has to be made."""
        ...

    def funding_rates(self, instrument: Instrument, window: Window) -> list[dict[str, str]]:
        """Rows of market/funding/history, newest first."""
        ...

    def open_interest(
        self, instrument: Instrument, interval_ms: int, window: Window
    ) -> list[dict[str, str]]:
        """Rows of market/open-interest, newest first."""
        ...

    def offers(self, topic: Topic) -> bool: ...

    def snapshot(self, topic: Topic) -> str | None:
        """The frame a new subscriber starts from; the deltas published after it apply to it.

        None where the venue sends nothing until something happens: trades.
        """
        ...

    def shock(self, instrument: Instrument, percent: Decimal, feed: Feed) -> None:
        """Move the price at once.

        Raises:
            NotPossible: this market's prices are not ours to move.
        """
        ...

    async def run(self, feed: Feed) -> None:
        """Live until cancelled."""
        ...
