"""What the documents show fits the schema, and no snippet is of a kind that nobody looks at."""

import json
from itertools import pairwise

import pytest
from graphql import (
    GraphQLSchema,
    build_schema,
    get_variable_values,
    parse,
    validate,
)
from graphql.language import OperationDefinitionNode

from tests.snippets import DOCS, Snippet, snippets_of

SCHEMA: GraphQLSchema = build_schema((DOCS / "schema.graphql").read_text("utf-8"))
PAGES = {
    page: snippets_of(page)
    for page in sorted(DOCS.rglob("*.md"))
    if "node_modules" not in page.parts  # somebody has tried the JavaScript client in place
}
SHOWN = [s for snippets in PAGES.values() for s in snippets if s.language == "graphql"]
OWN = [
    snippet
    for page, snippets in PAGES.items()
    for snippet in snippets
    if page.parent.name in {"guides", "reference"}
]
# Run or compared by tests/e2e/test_guides.py and test_reference.py, or validated here.
KINDS = {
    ("graphql", ""), ("json", "variables"), ("json", "answer"), ("text", "answer"),
    ("sh", ""), ("python", ""),
}  # fmt: skip


def test_there_are_snippets():
    assert len(SHOWN) >= 18
    assert len(OWN) >= 50


@pytest.mark.parametrize("snippet", SHOWN, ids=[s.name for s in SHOWN])
def test_graphql_fits_the_schema(snippet: Snippet):
    document = parse(snippet.text)
    if all(isinstance(each, OperationDefinitionNode) for each in document.definitions):
        assert validate(SCHEMA, document) == []


@pytest.mark.parametrize("snippet", OWN, ids=[s.name for s in OWN])
def test_a_snippet_is_of_a_kind_that_tests_look_at(snippet: Snippet):
    assert (snippet.language, snippet.role) in KINDS


def test_variables_fit_the_document_before_them():
    pairs = [
        (before, here)
        for snippets in PAGES.values()
        for before, here in pairwise(snippets)
        if (here.language, here.role) == ("json", "variables")
    ]

    assert len(pairs) >= 15
    for before, here in pairs:
        operation = parse(before.text).definitions[0]
        assert isinstance(operation, OperationDefinitionNode), before.name
        given = json.loads(here.text)
        coerced = get_variable_values(SCHEMA, operation.variable_definitions or (), given)
        assert not isinstance(coerced, list), f"{here.name}: {coerced}"
        declared = {d.variable.name.value for d in operation.variable_definitions or ()}
        assert given.keys() <= declared, here.name
