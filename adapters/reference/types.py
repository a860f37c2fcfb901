"""Sections about types: objects, interfaces, unions, inputs, enums, scalars."""

from collections.abc import Iterator, Mapping

from graphql import (
    GraphQLEnumType,
    GraphQLField,
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLObjectType,
    GraphQLScalarType,
    GraphQLUnionType,
)

from adapters.reference.links import Known, default_of, error_links, linked, table, text_of
from adapters.reference.operations import audience_of


def object_section(
    shown: GraphQLObjectType | GraphQLInterfaceType, known: Mapping[str, Known]
) -> str:
    """An object or interface: fields in the schema's order, their arguments below them."""
    rows = [
        row
        for name, field in shown.fields.items()
        for row in _field_rows(name, field, known.get(f"{shown.name}.{name}"))
    ]
    parts = [f"## {shown.name}", text_of(shown.description)]
    if shown.interfaces:
        parts.append(f"Implements {', '.join(linked(each) for each in shown.interfaces)}.")
    return "\n\n".join([*parts, table(("field", "type", "meaning"), rows)])


def _field_rows(
    name: str, field: GraphQLField, known: Known | None
) -> Iterator[tuple[str, str, str]]:
    meaning = text_of(field.description, field.deprecation_reason)
    if known is not None and known.policy is not None and known.policy.roles:
        meaning += f" For {audience_of(known.policy)}."
    if known is not None and known.errors:
        meaning += f" May answer {error_links(known.errors)}."
    yield f"`{name}`", linked(field.type), meaning
    for argument, value in field.args.items():
        default = default_of(value)
        given = {"**required**": " Required.", "none": ""}.get(default, f" Default {default}.")
        text = text_of(value.description, value.deprecation_reason)
        yield f"`{name}({argument}:)`", linked(value.type), text + given


def union_section(shown: GraphQLUnionType, _known: Mapping[str, Known]) -> str:
    """A union and its members."""
    members = "\n".join(f"- {linked(member)}" for member in shown.types)
    return f"## {shown.name}\n\n{text_of(shown.description)}\n\n{members}"


def input_section(shown: GraphQLInputObjectType, _known: Mapping[str, Known]) -> str:
    """An input object: what may and must be given."""
    rows = [
        (
            f"`{name}`",
            linked(field.type),
            default_of(field),
            text_of(field.description, field.deprecation_reason),
        )
        for name, field in shown.fields.items()
    ]
    head = ("field", "type", "default", "meaning")
    return f"## {shown.name}\n\n{text_of(shown.description)}\n\n{table(head, rows)}"


def enum_section(shown: GraphQLEnumType, _known: Mapping[str, Known]) -> str:
    """An enum and the meaning of its values."""
    rows = [
        (f"`{name}`", text_of(value.description, value.deprecation_reason))
        for name, value in shown.values.items()
    ]
    return f"## {shown.name}\n\n{text_of(shown.description)}\n\n{table(('value', 'meaning'), rows)}"


def scalar_section(shown: GraphQLScalarType, _known: Mapping[str, Known]) -> str:
    """A scalar, and where its form is specified."""
    parts = [f"## {shown.name}", text_of(shown.description)]
    if shown.specified_by_url:
        parts.append(f"[Specified]({shown.specified_by_url}).")
    return "\n\n".join(parts)
