"""What our keys and channels are called: ``<prefix>:v1:<family>:...``.

The prefix is per deployment and per test; ``v1`` moves when the meaning of a key changes, so that
two releases can share one Redis during a rolling deployment.
"""

from dataclasses import dataclass

from domain.kernel.ids import Category, InstrumentId

TICKER = "ticker"
FEED = "feed"
REPORT = "report"


@dataclass(frozen=True, slots=True)
class Topic:
    """One newest value: where it is kept and where its changes are announced."""

    key: str
    channel: str


@dataclass(frozen=True, slots=True)
class Names:
    """All names of one deployment."""

    prefix: str

    def ticker(self, instrument: InstrumentId) -> Topic:
        return self._topic(instrument.category, TICKER, instrument.symbol)

    def report(self, category: Category) -> Topic:
        """What the leading feed of a category says of itself; its heartbeat too."""
        return self._topic(category, FEED, REPORT)

    def lease(self, name: str) -> str:
        """Holds the token of who leads."""
        return f"{self.prefix}:v1:lease:{name}"

    def epoch(self, name: str) -> str:
        """Counts the leaders there were. Never expires."""
        return f"{self.prefix}:v1:epoch:{name}"

    def fence(self, category: Category) -> str:
        """A hash: the highest ``epoch`` that has published, and the last ``seq``. Never expires."""
        return f"{self.prefix}:v1:fence:{category}"

    def wanted(self, category: Category) -> str:
        """A sorted set: symbols, by the millisecond at which nobody wants them any more."""
        return f"{self.prefix}:v1:wanted:{category}"

    def _topic(self, category: Category, kind: str, symbol: str) -> Topic:
        tail = f"{category}:{kind}:{symbol}"
        return Topic(f"{self.prefix}:v1:latest:{tail}", f"{self.prefix}:v1:changed:{tail}")
