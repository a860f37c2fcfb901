"""The starter operations of both explorers are valid against the schema we publish."""

import json
import re
import subprocess
from pathlib import Path
from shutil import which
from typing import Any

import pytest
from graphql import GraphQLSchema, OperationDefinitionNode, build_schema, parse, validate
from graphql.execution.values import get_variable_values

ROOT = Path(__file__).parents[2]
STARTERS = ROOT / "adapters" / "gateway" / "pages" / "starters.js"
OPERATIONS = re.findall(r"query: `(.*?)`", STARTERS.read_text("utf-8"), re.DOTALL)
NAME = re.compile(r"(?:query|subscription) (\w+)")


@pytest.fixture(scope="module")
def schema() -> GraphQLSchema:
    return build_schema((ROOT / "docs" / "schema.graphql").read_text("utf-8"))


def variables() -> dict[str, Any]:
    """By operation name, as a browser reads them: JavaScript is not JSON, so it is asked."""
    node = which("node")
    if node is None:
        pytest.skip("there is no node to read starters.js with")
    script = (
        f"const {{ STARTERS }} = await import({json.dumps(STARTERS.as_uri())});"
        "console.log(JSON.stringify(STARTERS));"
    )
    told = subprocess.run(  # noqa: S603
        [node, "--no-warnings", "--input-type=module", "-e", script],
        capture_output=True,
        text=True,
        check=True,
    )
    return {_named(each["query"]): each.get("variables", {}) for each in json.loads(told.stdout)}


def _named(query: str) -> str:
    found = NAME.search(query)
    assert found, query
    return found[1]


@pytest.mark.parametrize("query", OPERATIONS, ids=_named)
def test_a_starter_runs_as_it_stands(schema: GraphQLSchema, query: str) -> None:
    assert validate(schema, parse(query)) == []


def test_their_variables_are_what_they_ask_for(schema: GraphQLSchema) -> None:
    given = variables()

    assert list(given) == [_named(query) for query in OPERATIONS]
    for query in OPERATIONS:
        operation = parse(query).definitions[0]
        assert isinstance(operation, OperationDefinitionNode)
        asked = operation.variable_definitions or ()
        refused_or_values = get_variable_values(schema, asked, given[_named(query)])
        assert not isinstance(refused_or_values, list), refused_or_values
        named = {definition.variable.name.value for definition in asked}
        assert given[_named(query)].keys() == named


def test_every_kind_of_market_data_and_the_account_have_one() -> None:
    fields = {
        field for query in OPERATIONS for field in re.findall(r"^  (\w+)", query, re.MULTILINE)
    }

    assert fields == {
        "ticker",
        "tickers",
        "orderBook",
        "candles",
        "trades",
        "searchInstruments",
        "instruments",
        "systemStatus",
        "viewer",
        "accountEvents",
    }
