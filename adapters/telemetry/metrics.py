"""Prometheus metrics of one process, in a registry of its own.

Several web processes share one listening socket, so a scrape of that port would reach any of them.
Each process therefore serves its own ``/metrics`` on its operations port, and every process is a
target of its own; nothing is merged in files (prometheus_client's multiprocess mode keeps gauges
of the dead and costs a write to a mapped file per event).
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum

from prometheus_client import (
    CONTENT_TYPE_LATEST,
    CollectorRegistry,
    Counter,
    Gauge,
    GCCollector,
    Histogram,
    PlatformCollector,
    ProcessCollector,
    generate_latest,
)
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from domain.status import ComponentState, SystemStatus

CONTENT_TYPE = CONTENT_TYPE_LATEST
# From a warm cache hit to the longest deadline of any dependency.
_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
_BREAKER_STATES = ("closed", "half_open", "open")


class Outcome(StrEnum):
    """How an operation ended, worst error first."""

    OK = "ok"
    REFUSED = "refused"
    """Never executed: unparsable, invalid, over a limit."""
    USER_ERROR = "user_error"
    FAILURE = "failure"
    INTERNAL = "internal"


@dataclass(frozen=True, slots=True)
class Deliveries:
    """What fan-out has done so far, and what runs."""

    delivered: int
    conflated: int
    groups: int
    members: int
    executions: int


class Metrics:
    """Everything this process counts. Label values are closed sets: no names clients invent."""

    def __init__(self, *, role: str, known_operations: frozenset[str] = frozenset()) -> None:
        self._known = known_operations
        self._watches_status = False
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        PlatformCollector(registry=self.registry)
        GCCollector(registry=self.registry)
        Gauge("okd_role", "The role this process plays.", ["role"], registry=self.registry).labels(
            role
        ).set(1)
        self._declare_graphql()

    def _declare_graphql(self) -> None:
        registry = self.registry
        self._operations = Counter(
            "okd_graphql_operations",
            "GraphQL operations by type, outcome and (only if known) name.",
            ["type", "outcome", "operation"],
            registry=registry,
        )
        self._seconds = Histogram(
            "okd_graphql_operation_seconds",
            "Time to the result of a query or mutation, to the end of a subscription's setup.",
            ["type", "outcome"],
            buckets=_SECONDS,
            registry=registry,
        )
        self._errors = Counter(
            "okd_graphql_errors", "Errors shown to clients.", ["code"], registry=registry
        )
        self.sockets = Gauge(
            "okd_websocket_connections", "Open GraphQL sockets.", registry=registry
        )
        self._socket_closes = Counter(
            "okd_websocket_closes",
            "Ended GraphQL sockets by the code we closed them with; `client`: it left by itself.",
            ["code"],
            registry=registry,
        )
        self.event_streams = Gauge(
            "okd_event_streams", "Open GraphQL event streams (SSE).", registry=registry
        )
        self.subscriptions = Gauge(
            "okd_subscriptions", "Operations running on sockets and streams.", registry=registry
        )
        self._refused = Counter(
            "okd_refused",
            "Requests and connects refused before GraphQL saw them.",
            ["reason"],
            registry=registry,
        )
        self._connections = Gauge(
            "okd_connections", "Open connections by port.", ["server"], registry=registry
        )
        self._cut = Counter(
            "okd_connections_cut",
            "Connections cut on a deadline: of a head, of a body, of an answer nobody reads.",
            ["deadline"],
            registry=registry,
        )

    def operation(self, kind: str, outcome: Outcome, seconds: float, name: str | None) -> None:
        """Count one operation; ``kind`` is query, mutation, subscription or unknown."""
        shown = name if name in self._known else "-"
        self._operations.labels(kind, outcome, shown).inc()
        self._seconds.labels(kind, outcome).observe(seconds)

    def error(self, code: str) -> None:
        self._errors.labels(code).inc()

    def refused(self, reason: str) -> None:
        self._refused.labels(reason).inc()

    def connection_cut(self, deadline: str) -> None:
        self._cut.labels(deadline).inc()

    def watch_connections(self, server: str, count: Callable[[], int]) -> None:
        """Show how many connections a port (``web``, ``operations``) holds, as scraped."""
        self._connections.labels(server).set_function(count)

    def socket_closed(self, code: str) -> None:
        """``code`` is one of ours or ``client``: never what a client sent."""
        self._socket_closes.labels(code).inc()

    def watch_status(self, status: Callable[[], SystemStatus]) -> None:
        """Show component states, read when scraped. A process has one board: the first counts."""
        if not self._watches_status:
            self.registry.register(_Components(status))
        self._watches_status = True

    def watch_breakers(self, states: Callable[[], Mapping[str, str]]) -> None:
        """Show breaker states (``closed``, ``half_open``, ``open``) by dependency, as scraped."""
        self.registry.register(_Breakers(states))

    def watch_deliveries(self, deliveries: Callable[[], Deliveries]) -> None:
        """Show what fan-out counts by itself, as scraped: a label costs more than a delivery."""
        self.registry.register(_Deliveries(deliveries))

    def exposition(self) -> bytes:
        """The text a scrape gets; its type is CONTENT_TYPE."""
        return generate_latest(self.registry)


class _Components(Collector):
    def __init__(self, status: Callable[[], SystemStatus]) -> None:
        self._status = status

    def collect(self) -> Iterator[GaugeMetricFamily]:
        status = self._status()
        family = GaugeMetricFamily(
            "okd_component_state",
            "1 for the state a component is in.",
            labels=["component", "required", "state"],
        )
        for component in status.components:
            for state in ComponentState:
                labels = [component.name, str(component.required).lower(), state.lower()]
                family.add_metric(labels, float(component.state is state))
        yield family
        yield GaugeMetricFamily(
            "okd_ready", "Whether all required components serve.", value=float(status.ready)
        )

    def describe(self) -> Iterator[GaugeMetricFamily]:
        """Nothing: registering must not ask the board."""
        return iter(())


class _Deliveries(Collector):
    def __init__(self, deliveries: Callable[[], Deliveries]) -> None:
        self._deliveries = deliveries

    def collect(self) -> Iterator[Metric]:
        now = self._deliveries()
        yield CounterMetricFamily(
            "okd_deliveries", "Results sent over sockets and streams.", value=now.delivered
        )
        yield CounterMetricFamily(
            "okd_deliveries_conflated",
            "Results that were never sent: a newer one came, or there was no room.",
            value=now.conflated,
        )
        yield CounterMetricFamily(
            "okd_group_executions",
            "Shared subscriptions begun, each for all who ask the same.",
            value=now.executions,
        )
        yield GaugeMetricFamily(
            "okd_subscription_groups", "Shared subscriptions running.", value=now.groups
        )
        yield GaugeMetricFamily(
            "okd_subscription_group_members",
            "Places in shared subscriptions: one for each operation and group.",
            value=now.members,
        )

    def describe(self) -> Iterator[Metric]:
        """Nothing: registering must not ask."""
        return iter(())


class _Breakers(Collector):
    def __init__(self, states: Callable[[], Mapping[str, str]]) -> None:
        self._states = states

    def collect(self) -> Iterator[GaugeMetricFamily]:
        family = GaugeMetricFamily(
            "okd_breaker_state", "1 for the state a breaker is in.", labels=["dependency", "state"]
        )
        for dependency, current in self._states().items():
            for state in _BREAKER_STATES:
                family.add_metric([dependency, state], float(current == state))
        yield family

    def describe(self) -> Iterator[GaugeMetricFamily]:
        """Nothing: registering must not ask the breakers."""
        return iter(())
