"""The pages whose programs cannot run here: what they name is really in the schema."""

import json
import re
from pathlib import Path

import pytest
from graphql import GraphQLSchema, build_schema, parse, validate
from graphql.language import OperationDefinitionNode

from tests.world import REPOSITORY

DOCS = REPOSITORY / "docs"
PAGES = sorted((DOCS / "clients").glob("*.md"))
FENCE = re.compile(r'^```(\w+)(?: title="[^"]+")?\n(.*?)^```', re.MULTILINE | re.DOTALL)
MOBILE = ("swift", "kotlin")


@pytest.fixture(scope="module")
def sdl() -> GraphQLSchema:
    return build_schema((DOCS / "schema.graphql").read_text("utf-8"))


def fences(page: Path, language: str) -> list[str]:
    return [text for lang, text in FENCE.findall(page.read_text("utf-8")) if lang == language]


def operations() -> dict[str, OperationDefinitionNode]:
    text = (DOCS / "clients" / "operations" / "prices.graphql").read_text("utf-8")
    nodes = [n for n in parse(text).definitions if isinstance(n, OperationDefinitionNode)]
    return {node.name.value: node for node in nodes if node.name is not None}


@pytest.mark.parametrize("path", sorted(DOCS.glob("clients/**/*.graphql")), ids=lambda p: p.name)
def test_the_shared_operations_are_valid(path: Path, sdl: GraphQLSchema):
    assert validate(sdl, parse(path.read_text("utf-8"))) == []


def test_a_subscription_has_one_root_field():
    # Apollo Kotlin generates no other, and the specification allows no other.
    subscriptions = [o for o in operations().values() if o.operation.value == "subscription"]

    assert subscriptions
    assert [len(o.selection_set.selections) for o in subscriptions] == [1]


def test_the_index_lists_every_page():
    index = (DOCS / "clients.md").read_text("utf-8")

    assert [p.name for p in PAGES if f"](clients/{p.name})" not in index] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda p: p.stem)
def test_settings_are_json(page: Path):
    for text in fences(page, "json"):
        json.loads(text)


@pytest.mark.parametrize("name", MOBILE)
def test_a_mobile_page_calls_operations_that_exist(name: str):
    text = "".join(fences(DOCS / "clients" / f"{name}.md", name))

    called = set(re.findall(r"\b(\w+?)(Query|Subscription)\(", text))
    known = {(name, node.operation.value.capitalize()) for name, node in operations().items()}

    assert called == {("Overview", "Query"), ("LivePrice", "Subscription")}
    assert called <= known


@pytest.mark.parametrize("name", MOBILE)
def test_a_mobile_page_names_every_scalar_of_ours(name: str, sdl: GraphQLSchema):
    ours = {t.name for t in sdl.type_map.values() if hasattr(t, "specified_by_url")} - {
        *("Int", "Float", "String", "Boolean", "ID"),
    }
    text = (DOCS / "clients" / f"{name}.md").read_text("utf-8")

    assert ours == {"CandleRows", "Date", "DateTime", "Decimal", "UUID"}
    assert [scalar for scalar in sorted(ours) if scalar not in text] == []


@pytest.mark.parametrize("name", MOBILE)
def test_a_mobile_page_says_what_goes_wrong_silently(name: str):
    text = (DOCS / "clients" / f"{name}.md").read_text("utf-8")

    for word in (
        "graphql-transport-ws",
        "extensions",
        "reconnect" if name == "swift" else "retryOnError",
    ):
        assert word in text
    assert f"No {name.capitalize()}" in text.replace("\n", " ")
