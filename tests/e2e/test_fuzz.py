"""Thousands of queries made from the schema itself, right and wrong, against the whole sandbox.

hypothesis-graphql is the generator that schemathesis uses for GraphQL; schemathesis around it adds
a pytest plugin, an OpenAPI half and five packages, and its checks are the few lines below.
OKD_FUZZ_CASES makes it shorter or longer.
"""

import os
import re
from collections import Counter
from collections.abc import Callable, Iterator

import httpx
import pytest
from graphql import GraphQLSchema, ValueNode, build_schema
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis_graphql import Mode, mutations, nodes, queries

from tests.e2e.sandbox import Sandbox
from tests.world import REPOSITORY

pytestmark = [pytest.mark.long, pytest.mark.xdist_group("fuzz"), pytest.mark.timeout(1800)]

CASES = int(os.environ.get("OKD_FUZZ_CASES", "5000"))
SDL = (REPOSITORY / "docs" / "schema.graphql").read_text("utf-8")
SCHEMA = build_schema(SDL)
MODERN = {"accept": "application/graphql-response+json"}

# As often what a client means as what an attacker tries.
DECIMALS = st.decimals(-(10**19), 10**19, places=8).map(lambda d: format(d, "f")) | st.sampled_from(
    ["NaN", "sNaN", "Infinity", "1e999", "1_000", "", " 1", "9" * 5000, "１"]  # noqa: RUF001
)
INSTANTS = st.datetimes().map(lambda at: f"{at.isoformat(timespec='seconds')}Z") | st.sampled_from(
    ["now", "2026-02-30T00:00:00Z", "9999-12-31T23:59:59-23:59", "", "2026-01-01T00:00:00"]
)
SCALARS: dict[str, st.SearchStrategy[ValueNode]] = {
    "Decimal": DECIMALS.map(nodes.String) | st.floats(allow_nan=False).map(nodes.Float),
    "DateTime": INSTANTS.map(nodes.String) | st.integers().map(nodes.Int),
    "UUID": (st.uuids().map(str) | st.text(max_size=40)).map(nodes.String),
    "CandleRows": st.just("[]").map(nodes.String),  # only read
}


# Random words name no instrument: with some of them replaced, the resolvers get to work.
SYMBOL = re.compile(r'\bsymbol: "(?:[^"\\]|\\.)*"')


def operations(schema: GraphQLSchema) -> st.SearchStrategy[str]:
    makers = [queries] if schema.mutation_type is None else [queries, mutations]
    modes = (Mode.POSITIVE, Mode.POSITIVE, Mode.NEGATIVE)
    made: list[st.SearchStrategy[object]] = [
        make(SDL, custom_scalars=SCALARS, mode=mode) for make in makers for mode in modes
    ]
    known = st.sampled_from(["BTCUSDT", "ETHUSDT", None])
    return st.tuples(st.one_of(*made).map(str), known).map(_with_symbol)


def _with_symbol(drawn: tuple[str, str | None]) -> str:
    document, symbol = drawn
    return document if symbol is None else SYMBOL.sub(f'symbol: "{symbol}"', document)


@pytest.fixture(scope="module")
def target() -> Iterator[Sandbox]:
    sandbox = Sandbox("--no-web", OKD_FLOOD_LIMIT="1000000/minute")
    try:
        yield sandbox.up()
    finally:
        sandbox.remove()


def asking(client: httpx.Client, url: str, seen: Counter[str]) -> Callable[[str], None]:
    def ask(document: str) -> None:
        answer = client.post(url, json={"query": document}, headers=MODERN)
        assert answer.status_code < 500, document
        body = answer.json()
        seen["all"] += 1
        seen["ran"] += "data" in body
        for error in body.get("errors", []):
            code = error["extensions"]["code"]
            assert code != "INTERNAL", (document, error)
            seen[code] += 1

    return ask


def test_no_operation_is_our_fault(target: Sandbox, capsys: pytest.CaptureFixture[str]) -> None:
    seen: Counter[str] = Counter()
    with httpx.Client(timeout=30) as client:
        ask = asking(client, target.addresses["graphql"], seen)

        @given(operations(SCHEMA))
        @settings(max_examples=CASES, suppress_health_check=list(HealthCheck), database=None)
        def fuzz(document: str) -> None:
            ask(document)

        before = target.pid_of("web")
        fuzz()
        alive = client.post(target.addresses["graphql"], json={"query": "{ __typename }"})
        after = target.pid_of("web")

    target.stop()
    with capsys.disabled():
        print(f"\nfuzz: {dict(seen.most_common())}")  # noqa: T201  # the figure to keep
    assert alive.json() == {"data": {"__typename": "Query"}}
    assert after == before
    assert "Traceback" not in target.said
    assert seen["all"] >= CASES
    # Most must get through, or nothing but the door was tried.
    assert seen["ran"] > CASES / 4
