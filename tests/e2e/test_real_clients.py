"""The clients of the field against the product: audits, test programs, and whole libraries."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.clients.npm import demand_node, node_modules, run_script, workplace
from tests.e2e.sandbox import Sandbox
from tests.front_door.running import Program
from tests.world import REPOSITORY

pytestmark = [
    pytest.mark.xdist_group("sandbox"),
    pytest.mark.timeout(300),  # the first of a machine installs the packages
]

CHECKS = REPOSITORY.parent / "shared" / "checks"
PRICE = re.compile(r"\d+(\.\d+)?")
TICKER = 'ticker(category: LINEAR, symbol: "BTCUSDT"{}) {{ symbol lastPrice asOf stale }}'


@pytest.fixture(scope="session")
def checks() -> Path:
    if CHECKS.is_dir():
        return CHECKS
    missing = "the shared checks are not beside this checkout (shared/checks)"
    if os.environ.get("CI") == "true":
        pytest.fail(missing)
    pytest.skip(missing)


@pytest.fixture
def target(sandbox: Sandbox, tmp_path: Path) -> Path:
    """What the shared checks ask of a server, said in our schema's words."""
    path = tmp_path / "target.json"
    path.write_text(
        json.dumps(
            {
                "http": sandbox.addresses["graphql"],
                "ws": sandbox.addresses["graphql_ws"],
                "headers": {},
                "init_payload": None,
                "query": "{ " + TICKER.format("") + " }",
                "sub_finite": "subscription { " + TICKER.format(", stopAfter: 3") + " }",
                "sub_endless": "subscription { " + TICKER.format("") + " }",
                "sub_invalid": "subscription { noSuchField }",
            }
        )
    )
    return path


def check(*argv: str | Path) -> subprocess.CompletedProcess[str]:
    """Run one of the shared checks; they find the npm packages by GQL_TOOLS."""
    return subprocess.run(  # noqa: S603  # the project's own checks
        ["env", f"GQL_TOOLS={node_modules().parent}", *argv],  # noqa: S607
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def verdicts(printed: str) -> tuple[list[str], str]:
    """The cases that failed, and the last line."""
    lines = printed.splitlines()
    return [line for line in lines if line.startswith("FAIL")], lines[-1]


def test_the_audit_of_graphql_over_http_finds_nothing(
    sandbox: Sandbox, checks: Path, tmp_path: Path
):
    report = tmp_path / "audit.json"

    ran = check(
        *("node", checks / "http-audit.mjs", sandbox.addresses["graphql"]),
        # Its GET queries pass our CSRF guard as a browser's script would.
        *("--header", "graphql-require-preflight: 1"),
        *("--allow-warn", "0", "--json", report),
    )

    assert ran.returncode == 0, ran.stdout + ran.stderr
    audits = json.loads(report.read_text())
    assert len(audits) == 61
    assert [audit for audit in audits if audit["status"] != "ok"] == []


def test_javascript_clients(checks: Path, target: Path):
    ran = check("node", checks / "node-clients.mjs", target, "--sse")

    assert verdicts(ran.stdout) == ([], "node-clients: 12/12 passed"), ran.stderr


def test_python_clients(checks: Path, target: Path):
    # -B: the checks' folder is not ours to write into.
    ran = check(sys.executable, "-B", checks / "py_clients.py", target)

    assert verdicts(ran.stdout) == ([], "py-clients: 14/14 passed"), ran.stderr


def told_by(script: str, sandbox: Sandbox, place: Path) -> list[dict[str, Any]]:
    """The JSON lines of a script of tests/clients."""
    out = run_script(workplace(place, script), script, sandbox.addresses["graphql"])
    return [json.loads(line) for line in out.splitlines()]


def is_price(value: dict[str, Any], symbol: str) -> bool:
    return (
        value["symbol"] == symbol
        and PRICE.fullmatch(value["lastPrice"]) is not None
        and value["source"] == "SANDBOX"
    )


def test_apollo_client(sandbox: Sandbox, tmp_path: Path):
    lines = told_by("apollo.mjs", sandbox, tmp_path)
    (query,) = [line["query"] for line in lines if "query" in line]
    partials = {line["partial"]: line for line in lines if "partial" in line}
    (live,) = [line for line in lines if "subscription" in line]
    (cached,) = [line["cached"] for line in lines if "cached" in line]

    assert is_price(query["ticker"], "BTCUSDT")

    refused = {"name": "CombinedGraphQLErrors", "codes": ["UNKNOWN_INSTRUMENT"]}
    assert {policy: line["thrown"] for policy, line in partials.items()} == {
        "none": True,
        "all": False,
    }
    for line in partials.values():
        assert line["error"] == refused
        assert is_price(line["data"]["good"], "ETHUSDT")
        assert line["data"]["bad"] is None

    assert {"invalid": {**refused, "codes": ["GRAPHQL_VALIDATION_FAILED"]}} in lines
    assert live["completed"] is True
    assert [is_price(value, "BTCUSDT") for value in live["subscription"]] == [True] * 3
    assert cached["ticker"] == live["subscription"][-1]
    assert {"refused": refused} in lines
    # Closed by the client when nothing was left to listen to: never by the server.
    assert {line["closed"] for line in lines if "closed" in line} == {1000}


def test_urql(sandbox: Sandbox, tmp_path: Path):
    lines = told_by("urql.mjs", sandbox, tmp_path)
    told = {key: value for line in lines for key, value in line.items()}

    assert set(told) == {"query", "partial", "invalid", "subscription", "refused"}
    assert set(told["query"]) == {"data"}
    assert is_price(told["query"]["data"]["ticker"], "BTCUSDT")
    assert told["partial"]["error"] == {"codes": ["UNKNOWN_INSTRUMENT"]}
    assert is_price(told["partial"]["data"]["good"], "ETHUSDT")
    assert told["partial"]["data"]["bad"] is None
    assert told["invalid"] == {"error": {"codes": ["GRAPHQL_VALIDATION_FAILED"]}}
    assert set(told["subscription"]) == {"values"}
    assert [is_price(value, "BTCUSDT") for value in told["subscription"]["values"]] == [True] * 3
    assert told["refused"] == {"values": [], "error": {"codes": ["UNKNOWN_INSTRUMENT"]}}


async def test_apollo_client_outlives_a_dead_process(sandbox: Sandbox, tmp_path: Path):
    demand_node()
    place = workplace(tmp_path, "apollo.mjs")
    client = Program(["node", str(place / "apollo.mjs"), sandbox.addresses["graphql"], "--forever"])
    try:
        client.until('{"connected":true}')
        client.until('{"value":')
        await sandbox.kill("web")
        client.until('{"closed":1006}')
        client.until('{"connected":true}')
        last = json.loads(client.until('{"value":'))
    finally:
        client.discard()

    assert is_price(last["value"], "BTCUSDT")
    # One subscription all along: nothing was refused and nothing ended in between.
    assert '"completed"' not in client.said
    assert '"error"' not in client.said
