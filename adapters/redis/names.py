"""What our keys and channels are called: ``<prefix>:v1:<family>:...``.

The prefix is per deployment and per test; ``v1`` moves when the meaning of a key changes, so that
two releases can share one Redis during a rolling deployment.
"""

from dataclasses import dataclass, replace

from domain.kernel.events import StreamName
from domain.kernel.ids import Category
from domain.market.topics import RATES, Follow, Topic, TopicKind

REPORT = "feed:report"


@dataclass(frozen=True, slots=True)
class Place:
    """Where a newest value is kept and where its changes are announced."""

    key: str
    channel: str


@dataclass(frozen=True, slots=True)
class Names:
    """All names of one deployment."""

    prefix: str

    def followed(self, follow: Follow) -> Place:
        """One key for all rates of a topic, a channel for each."""
        category = follow.topic.instrument.category
        channel = f"{self.prefix}:v1:changed:{category}:{follow.name}"
        return Place(self.latest(follow.topic), channel)

    def latest(self, topic: Topic) -> str:
        """The newest frame of a topic; of trades, the last ones together."""
        return f"{self.prefix}:v1:latest:{topic.instrument.category}:{topic.name}"

    def tape(self, topic: Topic) -> str:
        """A list: the last trades, one text each, of which ``latest`` is made."""
        return f"{self.prefix}:v1:tape:{topic.instrument.category}:{topic.name}"

    def report(self, category: Category) -> Place:
        """What the leading feed of a category says of itself; its heartbeat too."""
        tail = f"{category}:{REPORT}"
        return Place(f"{self.prefix}:v1:latest:{tail}", f"{self.prefix}:v1:changed:{tail}")

    def stream(self, stream: StreamName) -> Place:
        """The newest number of an event stream."""
        return Place(f"{self.prefix}:v1:stream:{stream}", f"{self.prefix}:v1:grown:{stream}")

    def access(self) -> Place:
        """Where it is told whose access ended; the key is never written."""
        return Place(f"{self.prefix}:v1:access", f"{self.prefix}:v1:access:ended")

    def spent(self, digest: str) -> str:
        """A step-up that was used."""
        return f"{self.prefix}:v1:spent:{digest}"

    def looked_up(self, user: str) -> str:
        """A set: digests of the addresses somebody asked about within a day."""
        return f"{self.prefix}:v1:looked-up:{user}"

    def kept(self, name: str) -> str:
        """A text all processes share."""
        return f"{self.prefix}:v1:kept:{name}"

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
        """A sorted set: names of follows, by the millisecond at which nobody wants them more."""
        return f"{self.prefix}:v1:wanted:{category}"


def audible(follow: Follow) -> Follow:
    """The follow whose channel to listen to: trades and candles come at one rate only.

    A feed lets them through as they come whatever the rate, so that a channel per rate would carry
    the same thing several times.
    """
    if follow.topic.kind in (TopicKind.TRADES, TopicKind.CANDLES):
        return replace(follow, rate=RATES[-1])
    return follow
