"""What a resolver returns is what its field shows: closes the gap `resolved_by -> Any` leaves."""

import typing
from collections import abc
from decimal import Decimal
from types import NoneType, UnionType

import pytest
from graphql import (
    GraphQLNamedType,
    GraphQLObjectType,
    GraphQLScalarType,
    GraphQLUnionType,
    get_named_type,
)
from strawberry.types.base import StrawberryObjectDefinition

from domain.kernel.errors import UserError
from domain.kernel.page import Page
from schema import build_schema

SCHEMA = build_schema()
SHOWN_BY_SCALAR = {"String": str, "Int": int, "Boolean": bool, "Decimal": Decimal}
UNWRAPPED = (
    typing.Union,
    UnionType,
    typing.Annotated,
    list,
    abc.Sequence,
    abc.AsyncGenerator,
    Page,
)


def computed_fields() -> typing.Iterator[tuple[str, typing.Any, GraphQLNamedType]]:
    for gql in SCHEMA._schema.type_map.values():
        definition = (gql.extensions or {}).get("strawberry-definition")
        if not isinstance(gql, GraphQLObjectType):
            continue
        if not isinstance(definition, StrawberryObjectDefinition):
            continue
        for field in definition.fields:
            if field.base_resolver is not None:
                name = SCHEMA.config.name_converter.from_field(field)
                wrapped = field.base_resolver.wrapped_func
                resolver = getattr(wrapped, "__resolver__", wrapped)
                yield f"{gql.name}.{name}", resolver, get_named_type(gql.fields[name].type)


ROWS = list(computed_fields())


def shown_by(definition: typing.Any) -> set[type]:
    """A view shows one class; a generic such as Connection shows what its parameter shows."""
    if definition.type_var_map:
        parts = definition.type_var_map.values()
        return {s for t in parts for s in shown_by(t.__strawberry_definition__)}
    return {definition.origin.__shows__}


def leaves(hint: typing.Any) -> set[type]:
    if typing.get_origin(hint) in UNWRAPPED:
        return {leaf for argument in typing.get_args(hint) for leaf in leaves(argument)}
    return set() if hint is NoneType or not isinstance(hint, type) else {hint}


def test_there_are_computed_fields():
    assert {name for name, _, _ in ROWS} >= {"Query.instruments", "Subscription.ticker"}


@pytest.mark.parametrize(("field", "resolver", "gql"), ROWS, ids=[row[0] for row in ROWS])
def test_resolver_returns_what_the_field_shows(
    field: str, resolver: typing.Any, gql: GraphQLNamedType
):
    if isinstance(gql, GraphQLScalarType):
        assert leaves(resolver.__annotations__["return"]) == {SHOWN_BY_SCALAR[gql.name]}, field
        return
    members = gql.types if isinstance(gql, GraphQLUnionType) else (gql,)
    shown = {s for m in members for s in shown_by(m.extensions["strawberry-definition"])}

    returned = leaves(resolver.__annotations__["return"])

    # User errors that no union lists become coded errors: allowed everywhere but in a payload.
    assert {c for c in returned if c in shown or not issubclass(c, UserError)} == shown, field
