"""The seam between a market (simulated or replayed) and what shows it (REST, sockets).

Books, trades and klines join by a market offering more topics and frames; hub, sockets and control
do not change.
"""

from collections.abc import Sequence
from decimal import Decimal
from typing import NamedTuple, Protocol

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
        return cls(category, f"orderbook.1.{symbol}")


class Feed(Protocol):
    """Where a market publishes."""

    def wants(self, topic: Topic) -> bool:
        """Whether anybody listens: nothing is encoded for nobody."""
        ...

    def publish(self, topic: Topic, frame: str) -> None: ...


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

    def offers(self, topic: Topic) -> bool: ...

    def snapshot(self, topic: Topic) -> str:
        """The frame a new subscriber starts from; the deltas published after it apply to it."""
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
