"""Reading a subscription's selection: what it asks for, and whether anybody may share it."""

from collections.abc import Hashable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from enum import Enum
from typing import Any, cast

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLField,
    GraphQLNamedType,
    GraphQLSchema,
    InlineFragmentNode,
    OperationDefinitionNode,
    SelectionSetNode,
    VariableNode,
    Visitor,
    get_named_type,
    is_abstract_type,
    print_ast,
    visit,
)
from strawberry.types.field import StrawberryField

from domain.kernel.policy import FieldPolicy

Fragments = Mapping[str, FragmentDefinitionNode]
_DECLARATION = "strawberry-definition"
"""Where strawberry leaves its field in graphql-core's; a test tells when it moves."""


@dataclass(frozen=True, slots=True)
class Reading:
    """What is below one field."""

    text: str
    """The same for documents that differ in spaces, comments, names of operations."""
    variables: frozenset[str]
    """Those used below the field."""
    shared: bool
    """Whether nothing below the field can depend on who asks."""


def declared(field: GraphQLField) -> StrawberryField | None:
    """The declaration of a field; None for what strawberry did not declare."""
    return cast("StrawberryField | None", field.extensions.get(_DECLARATION))


def fragments_of(document: DocumentNode) -> Fragments:
    return {d.name.value: d for d in document.definitions if isinstance(d, FragmentDefinitionNode)}


def root_field(operation: OperationDefinitionNode, fragments: Fragments) -> FieldNode | None:
    """The only field of a subscription; None when it is not plainly one, or is conditional."""
    selections = operation.selection_set
    while len(selections.selections) == 1:
        node = selections.selections[0]
        if node.directives:
            return None
        if isinstance(node, FieldNode):
            return node
        if isinstance(node, FragmentSpreadNode):
            selections = fragments[node.name.value].selection_set
        elif isinstance(node, InlineFragmentNode):
            selections = node.selection_set
    return None


def read(
    schema: GraphQLSchema, field: GraphQLField, node: FieldNode, fragments: Fragments
) -> Reading:
    """Read what is below ``node``. Fragments are quoted, not expanded: they can be bombs."""
    if node.selection_set is None:
        return Reading("", frozenset(), shared=True)
    walk = _Walk(schema, fragments)
    shared = walk.shareable(node.selection_set, get_named_type(field.type))
    quoted = [node.selection_set, *(fragments[name] for name in sorted(walk.used))]
    variables = _Variables()
    for part in quoted:
        visit(part, variables)
    return Reading("\n".join(map(print_ast, quoted)), frozenset(variables.names), shared)


class _Walk:
    def __init__(self, schema: GraphQLSchema, fragments: Fragments) -> None:
        self._schema = schema
        self._fragments = fragments
        self.used: set[str] = set()

    def shareable(self, selections: SelectionSetNode, parent: GraphQLNamedType) -> bool:
        # Every fragment is to be seen, also behind the first refusal.
        found = [self._selection(node, parent) for node in selections.selections]
        return all(found)

    def _selection(self, node: object, parent: GraphQLNamedType) -> bool:
        match node:
            case FieldNode():
                return self._field(node, parent)
            case InlineFragmentNode(type_condition=None):
                return self.shareable(node.selection_set, parent)
            case InlineFragmentNode():
                return self.shareable(node.selection_set, self._type(node))
            case FragmentSpreadNode():
                name = node.name.value
                if name in self.used:
                    return True  # its first use decided
                self.used.add(name)
                fragment = self._fragments[name]
                return self.shareable(fragment.selection_set, self._type(fragment))
        return False

    def _type(self, node: InlineFragmentNode | FragmentDefinitionNode) -> GraphQLNamedType:
        condition = cast("Any", node.type_condition).name.value
        return self._schema.type_map[condition]

    def _field(self, node: FieldNode, parent: GraphQLNamedType) -> bool:
        name = node.name.value
        if name.startswith("__"):
            return True
        below = True
        for owner in self._owners(parent):
            field = cast("Any", owner).fields[name]
            below &= _same_for_all(declared(field))
            if node.selection_set is not None:
                below &= self.shareable(node.selection_set, get_named_type(field.type))
        return below

    def _owners(self, parent: GraphQLNamedType) -> Iterator[GraphQLNamedType]:
        yield parent
        if is_abstract_type(parent):
            yield from self._schema.get_possible_types(parent)


class _Variables(Visitor):
    def __init__(self) -> None:
        super().__init__()
        self.names: set[str] = set()

    def enter_variable(self, node: VariableNode, *_: object) -> None:
        self.names.add(node.name.value)


def _same_for_all(field: StrawberryField | None) -> bool:
    """A plain attribute of what is shown, or declared to be the same whoever asks."""
    if field is None or field.permission_classes or field.extensions:
        return False
    policy = field.metadata.get("policy")
    if policy is None:
        return field.base_resolver is None
    return isinstance(policy, FieldPolicy) and policy.shared


def canonical(value: Any) -> Hashable:  # noqa: ANN401  # whatever an argument may be
    """Equal for equal arguments and for no others: 1, 1.0 and true are three things.

    Raises TypeError for what cannot be compared.
    """
    match value:
        case Mapping():
            return ("map", frozenset((k, canonical(v)) for k, v in value.items()))
        case list() | tuple():
            return ("list", *map(canonical, value))
        case AbstractSet():
            raise TypeError("the order of a set is nobody's")
        case Enum():
            return (type(value), value.name)
    hash(value)
    return (type(value), value)
