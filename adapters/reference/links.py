"""Words and links that all pages of the reference share."""

from collections.abc import Sequence
from typing import Protocol

from graphql import (
    GraphQLArgument,
    GraphQLEnumType,
    GraphQLInputField,
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLNamedType,
    GraphQLScalarType,
    GraphQLType,
    GraphQLUnionType,
    get_named_type,
    is_required_argument,
    is_required_input_field,
    print_ast,
)

from domain.kernel.policy import FieldPolicy

FOLDER = "docs/reference"


class Known(Protocol):
    """What is known of a field beside the SDL."""

    @property
    def policy(self) -> FieldPolicy | None:
        """Who may use it and what it costs; nothing below the root."""

    @property
    def errors(self) -> Sequence[str]:
        """Codes of the user errors it may answer."""


def linked(shown: GraphQLType) -> str:
    """A type as Markdown, its name a link to its section."""
    named = get_named_type(shown)
    before, after = str(shown).split(named.name)
    link = f"[{named.name}]({page_of(named)}#{named.name.lower()})"
    # A bare bracket beside a link would be read as part of it.
    return before.replace("[", "\\[") + link + after.replace("]", "\\]")


def page_of(named: GraphQLNamedType) -> str:
    """The page of the reference that a type is on."""
    match named:
        case GraphQLScalarType():
            return "scalars.md"
        case GraphQLEnumType():
            return "enums.md"
        case GraphQLInputObjectType():
            return "inputs.md"
        case GraphQLUnionType():
            return "unions.md"
        case GraphQLInterfaceType():
            return "interfaces.md"
        case _:
            return "objects.md"


def error_links(codes: Sequence[str]) -> str:
    """Codes, each a link to its section."""
    return ", ".join(f"[`{code}`](../errors.md#{code.lower()})" for code in codes)


def default_of(value: GraphQLArgument | GraphQLInputField) -> str:
    """The default as GraphQL writes it; a bold word when there is none and one must be given."""
    required = (
        is_required_argument(value)
        if isinstance(value, GraphQLArgument)
        else is_required_input_field(value)
    )
    if required:
        return "**required**"
    # Off the SDL's own text: graphql-core keeps the value in other places from release to release.
    written = value.ast_node.default_value if value.ast_node is not None else None
    return "none" if written is None or written.kind == "null_value" else f"`{print_ast(written)}`"


def text_of(described: str | None, deprecation_reason: str | None = None) -> str:
    """A description in one line, fit for a table; a deprecation comes first."""
    text = " ".join((described or "").split()).replace("|", "\\|")
    return f"**Deprecated.** {deprecation_reason} {text}" if deprecation_reason else text


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A Markdown table."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)
