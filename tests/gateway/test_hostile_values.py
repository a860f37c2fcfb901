"""Numbers and instants that are none: refused as the client's own, literal or in a variable."""

from typing import Any

import orjson
import pytest

from tests.gateway.conftest import Logs, World

DECIMALS: list[object] = [
    "NaN",
    "sNaN",
    "-NaN123",
    "Infinity",
    "-Infinity",
    "1e999",
    "1E+1000000",
    "1E-8",
    "1_000",
    "１２",  # noqa: RUF001  # full-width digits
    "٣",
    "",
    " ",
    " 1",
    "1 ",
    "1\n",
    "+1",
    "01",
    ".5",
    "5.",
    "0x10",
    "9" * 10_000,
    "9" * 21,
    "0." + "1" * 19,
    0.1,
    1,
    1e308,
    True,
    None,
    [],
    ["1"],
    {"value": "1"},
]
INSTANTS: list[object] = [
    "2026-01-31",
    "2026-01-31T12:00:00",
    "2026-02-30T12:00:00Z",
    "0000-01-01T00:00:00Z",
    "9999-12-31T23:59:59-23:59",
    "2026-01-31T25:00:00Z",
    "٢٠٢٦-01-31T12:00:00Z",
    "now",
    0,
    1e18,
]


def literal(value: object) -> str:
    """``value`` as GraphQL writes it: JSON but for the keys."""
    text = orjson.dumps(value).decode()
    return text.replace('{"value":', "{value:")


async def refused(world: World, query: str, variables: object = None) -> list[dict[str, Any]]:
    answer = await world.client.post("/graphql", json={"query": query, "variables": variables})
    assert answer.status_code == 200
    assert "data" not in answer.json()
    errors: list[dict[str, Any]] = answer.json()["errors"]
    return errors


@pytest.mark.parametrize("value", DECIMALS, ids=lambda v: repr(v)[:20])
async def test_no_amount_but_plain_notation(shared: World, logs: Logs, value: object) -> None:
    by_variable = await refused(shared, "query($a: Decimal!) { echo(amount: $a) }", {"a": value})
    by_literal = await refused(shared, f"{{ echo(amount: {literal(value)}) }}")

    assert [e["extensions"]["code"] for e in by_variable] == ["BAD_USER_INPUT"]
    assert [e["extensions"]["code"] for e in by_literal] == ["GRAPHQL_VALIDATION_FAILED"]
    assert all(len(e["message"]) < 600 for e in [*by_variable, *by_literal])
    assert logs.text == ""


@pytest.mark.parametrize("value", INSTANTS, ids=repr)
async def test_no_instant_but_rfc_3339(shared: World, logs: Logs, value: object) -> None:
    query = 'query($t: DateTime) { echo(amount: "1", at: $t) }'

    by_variable = await refused(shared, query, {"t": value})
    by_literal = await refused(shared, f'{{ echo(amount: "1", at: {literal(value)}) }}')

    assert [e["extensions"]["code"] for e in by_variable] == ["BAD_USER_INPUT"]
    assert [e["extensions"]["code"] for e in by_literal] == ["GRAPHQL_VALIDATION_FAILED"]
    assert logs.text == ""


@pytest.mark.parametrize("value", ["0", "-0", "0.015", "9" * 20 + "." + "1" * 18])
async def test_plain_notation_passes_through(shared: World, value: str) -> None:
    result = await shared.ask("query($a: Decimal!) { echo(amount: $a) }", variables={"a": value})

    assert result == {"data": {"echo": value}}
