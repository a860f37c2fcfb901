"""What the adapter counts, as a port: telemetry plugs in behind it, nothing here knows Prometheus.

Called from reader threads and from the loop: an implementation must be quick, thread-safe, and
must not raise. Every string is from a small closed set, fit to be a label.
"""

from typing import Protocol

from domain.kernel.ids import Category


class FeedMetrics(Protocol):
    """Counters of the public feeds and of REST."""

    def frame_received(self, category: Category) -> None:
        """A frame with data arrived."""
        ...

    def frame_dropped(self, category: Category, reason: str) -> None:
        """A frame could not be used; ``reason`` is a word such as ``delta_before_snapshot``."""
        ...

    def feed_connected(self, category: Category) -> None: ...

    def feed_disconnected(self, category: Category, reason: str) -> None: ...

    def topic_silent(self, category: Category) -> None: ...

    def topic_rejected(self, category: Category) -> None: ...

    def rest_answered(self, endpoint: str, outcome: str, seconds: float) -> None:
        """One REST try ended; ``outcome`` is OK or a failure code."""
        ...


class NullFeedMetrics:
    """Counts nothing."""

    def frame_received(self, category: Category) -> None:
        pass

    def frame_dropped(self, category: Category, reason: str) -> None:
        pass

    def feed_connected(self, category: Category) -> None:
        pass

    def feed_disconnected(self, category: Category, reason: str) -> None:
        pass

    def topic_silent(self, category: Category) -> None:
        pass

    def topic_rejected(self, category: Category) -> None:
        pass

    def rest_answered(self, endpoint: str, outcome: str, seconds: float) -> None:
        pass
