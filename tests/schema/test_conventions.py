"""What every part of the schema keeps to, without node: the linters say more (test_lint.py)."""

import re
from collections.abc import Callable, Iterator
from datetime import date

import pytest
from graphql import (
    GraphQLEnumType,
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLNamedType,
    GraphQLObjectType,
    GraphQLSchema,
    GraphQLUnionType,
    build_schema,
    is_specified_scalar_type,
)

from schema import print_sdl

TYPE = re.compile(r"[A-Z][A-Za-z0-9]*")
FIELD = re.compile(r"[a-z][A-Za-z0-9]*")
WORD = re.compile(r"[A-Z][A-Z0-9_]*")
REMOVAL = re.compile(r"[Rr]emoved after (\d{4}-\d\d-\d\d)\.?$")
PAGE_INFO = {
    "hasNextPage": "Boolean!",
    "hasPreviousPage": "Boolean!",
    "startCursor": "String",
    "endCursor": "String",
}


def ours(schema: GraphQLSchema) -> Iterator[GraphQLNamedType]:
    for each in schema.type_map.values():
        if not each.name.startswith("__") and not is_specified_scalar_type(each):
            yield each


def composite(schema: GraphQLSchema) -> Iterator[GraphQLObjectType | GraphQLInterfaceType]:
    for each in ours(schema):
        if isinstance(each, GraphQLObjectType | GraphQLInterfaceType):
            yield each


def names(schema: GraphQLSchema) -> Iterator[str]:
    """Types like Type, fields and arguments like fieldName, enum values like WORD."""
    for each in ours(schema):
        if not TYPE.fullmatch(each.name):
            yield each.name
        if isinstance(each, GraphQLEnumType):
            yield from (f"{each.name}.{v}" for v in each.values if not WORD.fullmatch(v))
        if isinstance(each, GraphQLObjectType | GraphQLInterfaceType | GraphQLInputObjectType):
            yield from (f"{each.name}.{f}" for f in each.fields if not FIELD.fullmatch(f))
    for each in composite(schema):
        for name, field in each.fields.items():
            yield from (f"{each.name}.{name}({a}:)" for a in field.args if not FIELD.fullmatch(a))


def connections(schema: GraphQLSchema) -> Iterator[str]:
    """A connection has edges and pageInfo, an edge node and cursor; its field takes a page."""
    for each in composite(schema):
        shape = {name: str(field.type) for name, field in each.fields.items()}
        stem = each.name.removesuffix("Connection").removesuffix("Edge")
        if each.name.endswith("Connection"):
            if shape != {"edges": f"[{stem}Edge!]!", "pageInfo": "PageInfo!"}:
                yield each.name
        elif (
            each.name.endswith("Edge") and shape != {"node": f"{stem}!", "cursor": "String!"}
        ) or (each.name == "PageInfo" and shape != PAGE_INFO):
            yield each.name
        for name, field in each.fields.items():
            taken = {a: str(value.type) for a, value in field.args.items()}
            paged = str(field.type).rstrip("!").endswith("Connection")
            if paged and (taken.get("first"), taken.get("after")) != ("Int!", "String"):
                yield f"{each.name}.{name}"


def deprecations(schema: GraphQLSchema) -> Iterator[str]:
    """A deprecation says what to use instead, and until when there is time."""
    for each in ours(schema):
        rows = []
        if isinstance(each, GraphQLObjectType | GraphQLInterfaceType | GraphQLInputObjectType):
            rows += [(name, field.deprecation_reason) for name, field in each.fields.items()]
        if isinstance(each, GraphQLEnumType):
            rows += [(name, value.deprecation_reason) for name, value in each.values.items()]
        for name, reason in rows:
            if reason is None:
                continue
            day = REMOVAL.search(reason)
            if day is None or day.start() == 0 or date.fromisoformat(day[1]) < date(2026, 1, 1):
                yield f"{each.name}.{name}"


def mutations(schema: GraphQLSchema) -> Iterator[str]:
    """verbNoun(input: VerbNounInput!): VerbNounPayload!, and every other member is a UserError.

    A mutation that has nothing to be told takes nothing (GraphQL has no empty inputs).
    """
    fields = schema.mutation_type.fields if schema.mutation_type is not None else {}
    for name, field in fields.items():
        stem = f"{name[0].upper()}{name[1:]}"
        taken = {a: str(value.type) for a, value in field.args.items()}
        payload = schema.type_map.get(f"{stem}Payload")
        if taken not in ({}, {"input": f"{stem}Input!"}) or str(field.type) != f"{stem}Payload!":
            yield name
        elif not isinstance(payload, GraphQLUnionType) or not all(
            member.name == f"{stem}Success" or "UserError" in {i.name for i in member.interfaces}
            for member in payload.types
        ):
            yield f"{stem}Payload"


Rule = Callable[[GraphQLSchema], Iterator[str]]
RULES: list[Rule] = [names, connections, deprecations, mutations]

FAULTS = {
    "names": (
        "type Query { Bad(Arg: Int): lower } enum lower { small }",
        {"Query.Bad", "Query.Bad(Arg:)", "lower", "lower.small"},
    ),
    "connections": (
        """
        type Query { a(first: Int): AConnection }
        type AConnection { edges: [Int] }
        type AEdge { node: Int }
        type PageInfo { hasNextPage: Boolean! }
        """,
        {"Query.a", "AConnection", "AEdge", "PageInfo"},
    ),
    "deprecations": (
        """
        type Query {
          a: Int @deprecated
          b: Int @deprecated(reason: "Use c.")
          c: Int @deprecated(reason: "Use d. Removed after 2027-01-01.")
          d: Int @deprecated(reason: "Removed after 2027-01-01.")
        }
        """,
        {"Query.a", "Query.b", "Query.d"},
    ),
    "mutations": (
        """
        type Query { a: Int }
        type Mutation { doIt(x: Int): Int doThat(input: DoThatInput!): DoThatPayload! }
        input DoThatInput { a: Int }
        union DoThatPayload = Lost
        type Lost { a: Int }
        """,
        {"doIt", "DoThatPayload"},
    ),
}


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_the_schema_keeps_to(rule: Rule):
    assert list(rule(build_schema(print_sdl()))) == []


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_a_fault_is_seen(rule: Rule):
    sdl, expected = FAULTS[rule.__name__]

    assert set(rule(build_schema(sdl))) == expected
