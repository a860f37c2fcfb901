"""What a scrape shows."""

from datetime import UTC, datetime

from adapters.telemetry import Metrics, Outcome
from domain.status import Component, ComponentState, SystemStatus

NOW = datetime(2026, 11, 22, tzinfo=UTC)


def test_operations_are_counted_by_type_and_outcome_and_named_only_when_known() -> None:
    metrics = Metrics(role="web", known_operations=frozenset({"Prices"}))
    metrics.operation("query", Outcome.OK, 0.004, "Prices")
    metrics.operation("query", Outcome.OK, 0.004, "made-up-by-a-client-1")
    metrics.error("INTERNAL")

    shown = metrics.exposition().decode()
    line = 'okd_graphql_operations_total{operation="%s",outcome="ok",type="query"} 1.0'
    assert line % "Prices" in shown
    assert line % "-" in shown
    assert "made-up" not in shown
    assert 'okd_graphql_errors_total{code="INTERNAL"} 1.0' in shown
    bucket = 'okd_graphql_operation_seconds_bucket{le="0.005",outcome="ok",type="query"} 2.0'
    assert bucket in shown


def test_two_processes_worth_of_metrics_do_not_share_anything() -> None:
    first, second = Metrics(role="web"), Metrics(role="feed")
    first.refused("flood")

    assert 'okd_refused_total{reason="flood"} 1.0' in first.exposition().decode()
    assert 'okd_refused_total{reason="flood"}' not in second.exposition().decode()
    assert 'okd_role{role="feed"} 1.0' in second.exposition().decode()


def test_states_are_read_when_scraped() -> None:
    state = {"status": ComponentState.UP, "breaker": "closed"}
    metrics = Metrics(role="web")
    metrics.watch_status(
        lambda: SystemStatus(
            (Component("redis", ComponentState(state["status"]), NOW, required=True),), NOW
        )
    )
    metrics.watch_breakers(lambda: {"bybit": state["breaker"]})

    before = metrics.exposition().decode()
    state.update(status=ComponentState.DOWN, breaker="open")
    after = metrics.exposition().decode()

    redis = 'okd_component_state{component="redis",required="true",state="down"} '
    assert (redis + "0.0" in before, redis + "1.0" in after) == (True, True)
    assert ("okd_ready 1.0" in before, "okd_ready 0.0" in after) == (True, True)
    breaker = 'okd_breaker_state{dependency="bybit",state="open"} '
    assert (breaker + "0.0" in before, breaker + "1.0" in after) == (True, True)
