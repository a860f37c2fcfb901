"""What other adapters count, on the process's registry. They know only small protocols."""

from collections import Counter as Counts
from collections.abc import Iterable, Sequence

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from domain.kernel.ids import Category

_REST_SECONDS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)


class VenueCounters:
    """Counts for adapters.bybit: streams and REST. Called from its threads, too."""

    def __init__(self, registry: CollectorRegistry) -> None:
        def by_category(name: str, meaning: str, *more: str) -> Counter:
            return Counter(name, meaning, ["category", *more], registry=registry)

        self._frames = by_category("okd_feed_frames", "Frames of the venue's streams.")
        self._dropped = by_category("okd_feed_frames_dropped", "Frames without use.", "reason")
        self._connects = by_category("okd_feed_connects", "Connections made to the streams.")
        self._disconnects = by_category("okd_feed_disconnects", "Connections lost.", "reason")
        self._silent = by_category("okd_feed_topics_silent", "Topics that fell silent.")
        self._rejected = by_category("okd_feed_topics_rejected", "Topics the venue refused.")
        self._rest = Histogram(
            "okd_exchange_rest_seconds",
            "Tries of the venue's REST interface.",
            ["endpoint", "outcome"],
            buckets=_REST_SECONDS,
            registry=registry,
        )

    def frame_received(self, category: Category) -> None:
        self._frames.labels(category).inc()

    def frame_dropped(self, category: Category, reason: str) -> None:
        self._dropped.labels(category, reason).inc()

    def feed_connected(self, category: Category) -> None:
        self._connects.labels(category).inc()

    def feed_disconnected(self, category: Category, reason: str) -> None:
        self._disconnects.labels(category, reason).inc()

    def topic_silent(self, category: Category) -> None:
        self._silent.labels(category).inc()

    def topic_rejected(self, category: Category) -> None:
        self._rejected.labels(category).inc()

    def rest_answered(self, endpoint: str, outcome: str, seconds: float) -> None:
        self._rest.labels(endpoint, outcome).observe(seconds)


class HubCounters:
    """Counts for adapters.redis: the hub between Redis and the watchers of a web process."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._frames = Counter("okd_hub_frames", "Frames heard from Redis.", registry=registry)
        self._dropped = Counter(
            "okd_hub_frames_dropped", "Frames not shown.", ["reason"], registry=registry
        )
        self._conflated = Counter(
            "okd_hub_values_conflated", "Values slow watchers skipped.", registry=registry
        )
        self._lost = Counter(
            "okd_hub_connections_lost", "Lost connections to Redis.", registry=registry
        )
        self._watchers = Gauge("okd_hub_watchers", "Watchers of this process.", registry=registry)
        self._topics = Gauge("okd_hub_topics", "Topics they watch.", registry=registry)

    def frame_received(self) -> None:
        self._frames.inc()

    def frame_dropped(self, reason: str) -> None:
        self._dropped.labels(reason.lower()).inc()

    def values_conflated(self, count: int) -> None:
        self._conflated.inc(count)

    def connection_lost(self) -> None:
        self._lost.inc()

    def watchers_changed(self, *, watchers: int, topics: int) -> None:
        self._watchers.set(watchers)
        self._topics.set(topics)


class LedgerGauges:
    """What the verification of the ledger found last, by this process."""

    def __init__(self, registry: CollectorRegistry, *, rules: Sequence[str]) -> None:
        self._rules = rules
        self._findings = Gauge(
            "okd_ledger_findings",
            "Findings of the last verification, 100 of a rule at most; none before the first.",
            ["rule"],
            registry=registry,
        )
        self._verified_at = Gauge(
            "okd_ledger_verified_seconds",
            "When the ledger was last verified to the end, as a Unix time.",
            registry=registry,
        )

    def verified(self, broken: Iterable[str], *, at_seconds: float) -> None:
        """``broken``: the rule of each finding."""
        counts = Counts(broken)
        for rule in self._rules:
            self._findings.labels(rule).set(counts[rule])
        self._verified_at.set(at_seconds)
