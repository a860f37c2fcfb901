"""Which files the reference has, and what is in them."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from graphql import (
    GraphQLEnumType,
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLNamedType,
    GraphQLObjectType,
    GraphQLScalarType,
    GraphQLSchema,
    GraphQLUnionType,
    build_schema,
)

from adapters.reference import errors, operations, types
from adapters.reference.examples import FOLDER as EXAMPLES
from adapters.reference.links import FOLDER, Known

_OPERATIONS = {
    "query": ("queries.md", "Queries", "What can be asked once, each with an example to run."),
    "mutation": (
        "mutations.md",
        "Mutations",
        (
            "What can be changed, each with an example to run. An answer is a union: ask for the "
            "success and for `... on UserError`. Ids in the examples are made up and answer "
            "`NOT_FOUND` until you put in your own."
        ),
    ),
    "subscription": (
        "subscriptions.md",
        "Subscriptions",
        "What can be listened to, each with an example to run.",
    ),
}
_TYPES: list[tuple[str, str, type[GraphQLNamedType], Callable[..., str]]] = [
    ("objects.md", "Objects", GraphQLObjectType, types.object_section),
    ("interfaces.md", "Interfaces", GraphQLInterfaceType, types.object_section),
    ("unions.md", "Unions", GraphQLUnionType, types.union_section),
    ("inputs.md", "Inputs", GraphQLInputObjectType, types.input_section),
    ("enums.md", "Enums", GraphQLEnumType, types.enum_section),
    ("scalars.md", "Scalars", GraphQLScalarType, types.scalar_section),
]
_NOTE = (
    "*Generated from the schema by `python app.py schema --write`; a check fails when it is out of "
    "date.*"
)
_LEADS = {
    "Objects": "What answers are made of, field by field.",
    "Interfaces": "What several objects have in common.",
    "Unions": "Answers that are one of several objects.",
    "Inputs": "What arguments are made of.",
    "Enums": "Words that fields and arguments take, and their meaning.",
    "Scalars": "How single values are written. [The guide](../guides/scalars.md) tells more.",
}


def reference_files(
    sdl: str, *, known: Mapping[str, Known], root: Path, codes: Sequence[str]
) -> dict[str, str]:
    """Every generated page by its path from ``root``: the same input, the same bytes.

    Args:
        sdl: The schema.
        known: What the SDL cannot say, by field, such as ``Query.ticker``.
        root: The clone, for the hand-written examples.
        codes: Every error code there is.
    """
    schema = build_schema(sdl)
    pages = {
        page: "\n\n".join([f"# {title}", lead, *sections, _NOTE])
        for page, title, lead, sections in [
            *_operation_pages(schema, known, root / EXAMPLES),
            *_type_pages(schema, known),
        ]
    }
    index = operations.index(schema, known, _NOTE, sorted(pages))
    files = {f"{FOLDER}/{page}": f"{text}\n" for page, text in pages.items()}
    return {
        f"{FOLDER}/README.md": index,
        **files,
        "docs/errors.md": errors.page(codes),
    }


def _operation_pages(
    schema: GraphQLSchema, known: Mapping[str, Known], written: Path
) -> list[tuple[str, str, str, list[str]]]:
    rows = operations.sections(schema, known, written)
    return [
        (page, title, lead, rows[kind])
        for kind, (page, title, lead) in _OPERATIONS.items()
        if rows[kind]
    ]


def _type_pages(
    schema: GraphQLSchema, known: Mapping[str, Known]
) -> list[tuple[str, str, str, list[str]]]:
    roots = {schema.query_type, schema.mutation_type, schema.subscription_type}
    shown = [
        each
        for name, each in sorted(schema.type_map.items())
        if not name.startswith("__") and each not in roots
    ]
    rows = []
    for page, title, kind, section in _TYPES:
        found = [section(each, known) for each in shown if isinstance(each, kind)]
        if found:
            rows.append((page, title, _LEADS[title], found))
    return rows
