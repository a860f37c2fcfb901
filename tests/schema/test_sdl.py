"""The committed SDL is the schema, and the schema breaks no client."""

from datetime import date
from pathlib import Path

import pytest
from graphql import GraphQLObjectType, build_schema, is_specified_scalar_type
from graphql.type import GraphQLEnumType, GraphQLInputObjectType, GraphQLNamedType

from schema import print_sdl
from schema.releases import breaking_changes

DOCS = Path(__file__).parents[2] / "docs"
TODAY = date(2026, 11, 22)


def test_committed_sdl_is_the_schema():
    assert (DOCS / "schema.graphql").read_text() == print_sdl(), "run: ./dev check explains"


def test_nothing_breaks_the_released_schema():
    released = (DOCS / "schema.released.graphql").read_text()

    assert breaking_changes(released, print_sdl(), today=date.today()) == []  # noqa: DTZ011


OLD = """
type Query {
  a: Int, b: Int @deprecated(reason: "Use a. Removed after 2026-03-01."), c(x: Int): Int
}
enum Word { ONE TWO }
type Other { word: Word }
"""


@pytest.mark.parametrize(
    ("_case", "new", "broken"),
    [
        ("same", OLD, []),
        ("deprecated and its day has come", OLD.replace("b: Int", "z: Int", 1), []),
        ("added", OLD.replace("a: Int", "a: Int, n: Int", 1), []),
        ("removed", OLD.replace("a: Int,", "", 1), ["Field Query.a was removed."]),
        ("type changed", OLD.replace("a: Int", "a: String", 1), ["Query.a changed type"]),
        (
            "argument required",
            OLD.replace("x: Int", "x: Int!"),
            ["Query.c(x:) has changed type from Int to Int!"],
        ),
        ("enum value gone", OLD.replace(" TWO", ""), ["Word.TWO was removed"]),
    ],
)
def test_what_counts_as_breaking(_case: str, new: str, broken: list[str]):
    found = breaking_changes(OLD, new, today=TODAY)

    assert len(found) == len(broken)
    assert all(part in sentence for part, sentence in zip(broken, found, strict=True)), found


def test_removing_before_the_day_is_breaking():
    early = date(2026, 2, 28)

    found = breaking_changes(OLD, OLD.replace("b: Int", "z: Int", 1), today=early)

    assert found == ["Field Query.b was removed."]


def described(gql: GraphQLNamedType) -> list[tuple[str, str | None]]:
    rows = [(gql.name, gql.description)]
    if isinstance(gql, GraphQLEnumType):
        rows += [(f"{gql.name}.{n}", v.description) for n, v in gql.values.items()]
    elif isinstance(gql, GraphQLInputObjectType):
        rows += [(f"{gql.name}.{n}", f.description) for n, f in gql.fields.items()]
    elif isinstance(gql, GraphQLObjectType):
        for n, f in gql.fields.items():
            rows.append((f"{gql.name}.{n}", f.description))
            rows += [(f"{gql.name}.{n}({a}:)", v.description) for a, v in f.args.items()]
    return rows


def test_everything_is_described():
    types = build_schema(print_sdl()).type_map.values()
    ours = [t for t in types if not t.name.startswith("__") and not is_specified_scalar_type(t)]

    assert [name for t in ours for name, text in described(t) if not text] == []
