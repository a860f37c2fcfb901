"""What a resolver returns is what its field shows: closes the gap `resolved_by -> Any` leaves."""

import typing
from collections import abc
from datetime import date, datetime
from decimal import Decimal
from types import NoneType, UnionType

import pytest
from graphql import (
    GraphQLEnumType,
    GraphQLInterfaceType,
    GraphQLNamedType,
    GraphQLObjectType,
    GraphQLScalarType,
    GraphQLUnionType,
    get_named_type,
)
from strawberry.types.base import StrawberryObjectDefinition
from strawberry.types.field import StrawberryField

import domain.events.errors
import domain.kernel.errors
import domain.kernel.idempotency
import domain.users.errors
import domain.wallets.errors
from domain.kernel.errors import UserError
from domain.kernel.page import Page
from domain.wallets.errors import HoldNotOpen, HoldTooSmall, UnknownHold
from schema import build_schema
from schema._guard import guard_errors
from schema.user_errors import USER_ERRORS
from schema.wallet_errors import WALLET_ERRORS

SCHEMA = build_schema()
SHOWN_BY_SCALAR = {
    "String": str, "Int": int, "Boolean": bool, "Decimal": Decimal, "DateTime": datetime,
    "Date": date,
}  # fmt: skip
UNWRAPPED = (
    typing.Union,
    UnionType,
    typing.Annotated,
    list,
    abc.Sequence,
    abc.AsyncGenerator,
    Page,
)


class Row(typing.NamedTuple):
    name: str
    owner: StrawberryObjectDefinition
    field: StrawberryField
    gql: GraphQLNamedType

    @property
    def resolver(self) -> typing.Any:
        assert self.field.base_resolver is not None
        wrapped = self.field.base_resolver.wrapped_func
        return getattr(wrapped, "__resolver__", wrapped)

    @property
    def returned(self) -> set[type]:
        return leaves(self.resolver.__annotations__["return"])


def computed_fields() -> typing.Iterator[Row]:
    for gql in SCHEMA._schema.type_map.values():
        definition = (gql.extensions or {}).get("strawberry-definition")
        if not isinstance(gql, GraphQLObjectType):
            continue
        if not isinstance(definition, StrawberryObjectDefinition):
            continue
        for field in definition.fields:
            if field.base_resolver is not None:
                name = SCHEMA.config.name_converter.from_field(field)
                shown = get_named_type(gql.fields[name].type)
                yield Row(f"{gql.name}.{name}", definition, field, shown)


ALL = list(computed_fields())
IDS = [row for row in ALL if "id_of" in row.field.metadata]
WHOLES = [row for row in ALL if "whole" in row.field.metadata]
PAYLOADS = [row for row in ALL if row.field.metadata.get("payload")]
ROWS = [row for row in ALL if row not in (*IDS, *WHOLES, *PAYLOADS)]


def shown_by(gql: GraphQLNamedType) -> set[type]:
    """The classes of the domain behind a type: a view has one, a union those of its members."""
    if isinstance(gql, GraphQLScalarType):
        return {SHOWN_BY_SCALAR[gql.name]}
    if isinstance(gql, GraphQLEnumType):
        return {gql.extensions["strawberry-definition"].wrapped_cls}
    if isinstance(gql, GraphQLUnionType):
        return {s for member in gql.types for s in shown_by(member)}
    if isinstance(gql, GraphQLInterfaceType):
        members = SCHEMA._schema.get_implementations(gql).objects
        return {s for member in members for s in shown_by(member)}
    return shown_by_definition(gql.extensions["strawberry-definition"])


def shown_by_definition(definition: typing.Any) -> set[type]:
    """A generic such as Connection shows what its parameter shows."""
    if definition.type_var_map:
        parts = definition.type_var_map.values()
        return {s for t in parts for s in shown_by_definition(t.__strawberry_definition__)}
    return {definition.origin.__shows__}


def leaves(hint: typing.Any) -> set[type]:
    if typing.get_origin(hint) in UNWRAPPED:
        return {leaf for argument in typing.get_args(hint) for leaf in leaves(argument)}
    return set() if hint is NoneType or not isinstance(hint, type) else {hint}


def errors(found: set[type]) -> set[type]:
    return {cls for cls in found if issubclass(cls, UserError)}


def named(rows: list[Row]) -> typing.Any:
    return pytest.mark.parametrize("row", rows, ids=[row.name for row in rows])


def test_there_are_computed_fields():
    assert {row.name for row in ROWS} >= {"Query.instruments", "Subscription.ticker"}
    assert {row.name for row in PAYLOADS} >= {"Mutation.updateProfile"}
    assert {row.name for row in WHOLES} >= {"UpdateProfileSuccess.profile"}
    assert {row.name for row in IDS} >= {"Viewer.id"}


@named(ROWS)
def test_resolver_returns_what_the_field_shows(row: Row):
    # User errors that no union lists become coded errors: allowed everywhere but in a payload.
    assert row.returned - errors(row.returned) == shown_by(row.gql)


@named(PAYLOADS)
def test_a_payload_lists_exactly_what_can_become_of_it(row: Row):
    takes = row.field.metadata["takes"]
    of_input = set() if takes is None else leaves(takes.to_command.__annotations__["return"])
    of_guard = guard_errors(row.field.metadata["policy"])

    assert shown_by(row.gql) == row.returned | errors(of_input) | of_guard
    verb = row.name.removeprefix("Mutation.")
    assert row.gql.name == f"{verb[0].upper()}{verb[1:]}Payload"


@named(WHOLES)
def test_a_success_shows_what_was_returned(row: Row):
    assert shown_by(row.gql) == shown_by_definition(row.owner)


@named(IDS)
def test_ids_are_global(row: Row):
    assert row.gql.name == "ID"


def test_every_mutation_has_a_payload():
    mutations = {row.name for row in ALL if row.name.startswith("Mutation.")}

    assert mutations == {row.name for row in PAYLOADS}


def test_every_type_of_a_payload_is_a_success_or_a_user_error():
    for row in PAYLOADS:
        assert isinstance(row.gql, GraphQLUnionType)
        for member in row.gql.types:
            user_error = "UserError" in {i.name for i in member.interfaces}
            assert user_error is not member.name.endswith("Success"), member.name


def test_every_user_error_of_accounts_has_a_type():
    modules = (domain.kernel.errors, domain.users.errors, domain.events.errors)
    known = {
        cls
        for module in modules
        for cls in vars(module).values()
        if isinstance(cls, type) and issubclass(cls, UserError) and cls is not UserError
    }

    assert {typing.cast("typing.Any", view).__shows__ for view in USER_ERRORS} == known


def test_every_user_error_of_wallets_that_can_be_met_has_a_type():
    known = {
        cls
        for module in (domain.wallets.errors, domain.kernel.idempotency)
        for cls in vars(module).values()
        if isinstance(cls, type) and issubclass(cls, UserError) and cls is not UserError
    }
    # Nothing places or resolves a hold on a client's behalf yet.
    about_holds = {UnknownHold, HoldNotOpen, HoldTooSmall}

    assert {typing.cast("typing.Any", view).__shows__ for view in WALLET_ERRORS} == (
        known - about_holds
    )
