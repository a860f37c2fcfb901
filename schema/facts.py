"""What the SDL cannot say of a field: who may use it, what it costs, which user errors it answers.

Read off the built schema, so that the reference in docs/ tells what runs.
"""

import typing
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from graphql import GraphQLObjectType, GraphQLOutputType, GraphQLUnionType, get_named_type
from strawberry.types.base import StrawberryObjectDefinition
from strawberry.types.field import StrawberryField

from domain.kernel.errors import UserError
from domain.kernel.policy import Audience, FieldPolicy
from schema.root import build_schema


@dataclass(frozen=True, slots=True)
class Facts:
    """Of one computed field."""

    policy: FieldPolicy | None
    errors: tuple[str, ...]
    """Codes of the user errors it may answer, in alphabetical order."""


def facts_by_field() -> dict[str, Facts]:
    """The facts of every computed field by its name, such as ``Query.ticker``."""
    built = build_schema()
    found: dict[str, Facts] = {}
    for shown in built._schema.type_map.values():  # noqa: SLF001  # strawberry has no public way
        definition = (shown.extensions or {}).get("strawberry-definition")
        if isinstance(shown, GraphQLObjectType) and isinstance(
            definition, StrawberryObjectDefinition
        ):
            for field in definition.fields:
                if field.base_resolver is not None:
                    name = built.config.name_converter.from_field(field)
                    members = _members(shown.fields[name].type)
                    found[f"{shown.name}.{name}"] = _facts_of(field, members)
    return found


def _members(returned: GraphQLOutputType) -> Iterator[type]:
    """Of a payload's union: what the domain knows them as; the guard's refusals are among them."""
    named = get_named_type(returned)
    for member in named.types if isinstance(named, GraphQLUnionType) else ():
        origin = member.extensions["strawberry-definition"].origin
        yield origin.__shows__


def _facts_of(field: StrawberryField, members: Iterable[type]) -> Facts:
    policy = field.metadata.get("policy")
    policy = policy if isinstance(policy, FieldPolicy) else None
    wrapped = field.base_resolver.wrapped_func if field.base_resolver is not None else None
    resolver = getattr(wrapped, "__resolver__", wrapped)
    returned = (resolver.__annotations__["return"], *members)
    codes = {str(error.code) for hint in returned for error in _user_errors(hint)}
    if policy is not None and policy.audience is not Audience.ANYONE:
        codes.add("UNAUTHENTICATED")
    if policy is not None and policy.audience is Audience.STAFF:
        codes.add("FORBIDDEN")
    return Facts(policy, tuple(sorted(codes)))


def _user_errors(hint: object) -> Iterator[type[UserError]]:
    if isinstance(hint, type) and issubclass(hint, UserError):
        yield hint
    for argument in typing.get_args(hint):
        yield from _user_errors(argument)
