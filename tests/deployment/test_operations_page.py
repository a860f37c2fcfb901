"""docs/operations.md says what is true: names, links, commands and statements exist."""

import re
from pathlib import Path

from prometheus_client import CollectorRegistry

from adapters.settings import Settings
from adapters.telemetry import Metrics
from adapters.telemetry.counters import HubCounters, LedgerGauges, VenueCounters
from adapters.telemetry.metrics import Deliveries
from tests.deployment import composition
from tests.deployment.roles import roles
from tests.deployment.test_compose import OPTIONAL, known_variables

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "operations.md").read_text()
# Shown when a process serves; their collectors ask its board and its breakers.
WHEN_SERVING = {"okd_ready", "okd_component_state", "okd_breaker_state"}


def exposed(registry: CollectorRegistry) -> set[str]:
    names: set[str] = set()
    for family in registry.collect():
        names |= (
            {family.name, f"{family.name}_total"} if family.type == "counter" else {family.name}
        )
    return names


def test_every_metric_exists():
    metrics = Metrics(role="web")
    VenueCounters(metrics.registry)
    HubCounters(metrics.registry)
    LedgerGauges(metrics.registry, rules=())
    metrics.watch_deliveries(lambda: Deliveries(0, 0, 0, 0, 0))
    named = set(re.findall(r"`(okd_\w+)`", PAGE)) - {"okd_owner", "okd_app"}

    assert named <= exposed(metrics.registry) | WHEN_SERVING
    source = (ROOT / "adapters" / "telemetry" / "metrics.py").read_text()
    assert all(f'"{name}"' in source for name in WHEN_SERVING)


def test_every_variable_exists():
    named = set(re.findall(r"`((?:OKD|DATABASE|REDIS|POSTGRES|PROXY|SITE|BFF)_[A-Z_]+)`", PAGE))

    assert named <= known_variables() | OPTIONAL | set(composition.SECRETS)
    assert named >= OPTIONAL


def test_every_secret_is_made_by_the_shell_lines():
    made = PAGE.partition("umask 077")[2].partition("```")[0]

    assert all(name in made for name in composition.SECRETS)


def test_defaults_are_those_of_the_settings():
    for name, told in re.findall(r"`OKD_([A-Z_]+)`[^`|(]*\((\d+)\)", PAGE):
        assert float(told) == Settings.model_fields[name.lower()].default, name


def test_every_link_leads_somewhere():
    for target in re.findall(r"\]\(([^)#]+)\)", PAGE):
        assert (ROOT / "docs" / target).exists(), target


def test_every_command_is_one_of_app_py():
    commands = set(re.findall(r"python app\.py ([\w-]+)", PAGE))

    assert commands == {
        *("migrate", "web", "feed", "worker"),
        *("rotate-keys", "first-admin", "verify-ledger", "rebuild-balances"),
    }
    assert commands <= roles()


def test_its_statements_are_those_of_compose():
    page = PAGE.partition("```sql")[2].partition("```")[0].replace("'...'", "?")
    compose = composition.composition()["configs"]["roles"]["content"]
    # Compose's image has made the database already, and is connected to it.
    compose = re.sub(r":'\w+'", "?", compose).replace(
        "ALTER DATABASE okd OWNER TO okd_owner;", "CREATE DATABASE okd OWNER okd_owner;"
    )

    assert statements(page) == statements(compose)


def statements(sql: str) -> list[str]:
    return [line.strip() for line in sql.splitlines() if line.strip().endswith(";")]
