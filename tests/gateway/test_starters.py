"""The explorer's starter operations are valid against the schema we publish."""

import re
from pathlib import Path

import pytest
from graphql import build_schema, parse, validate

ROOT = Path(__file__).parents[2]
STARTERS = re.findall(
    r"query: `(.*?)`", (ROOT / "adapters/gateway/pages/starters.js").read_text(), re.DOTALL
)


@pytest.mark.parametrize("query", STARTERS, ids=lambda q: q.split("{")[0])
def test_a_starter_runs_as_it_stands(query: str) -> None:
    schema = build_schema((ROOT / "docs/schema.graphql").read_text())

    assert validate(schema, parse(query)) == []
