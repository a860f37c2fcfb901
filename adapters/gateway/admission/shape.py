"""One walk over a parsed document, level by level, merged as the executor merges.

Validation compares all fields that answer to one name with one another (20 microseconds a pair),
and the executor merges them; both take a document's word for how many there are. So everything is
counted before, as if fragments were written out, and counting stops at the first bound it meets:
the walk is never longer than the bounds allow. No recursion: a document chooses its own depth.
"""

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass

from graphql import (
    DocumentNode,
    ExecutableDefinitionNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    InlineFragmentNode,
    Node,
    OperationDefinitionNode,
    OperationType,
    SelectionNode,
    SelectionSetNode,
    ValueNode,
)

from adapters.gateway.admission.limits import DocumentLimits, over
from adapters.gateway.admission.values import check_literal

_INTROSPECTION = ("__schema", "__type")


def check_shape(document: DocumentNode, limits: DocumentLimits) -> None:
    """Raise Refusal when ``document`` passes a bound."""
    operations = [d for d in document.definitions if isinstance(d, OperationDefinitionNode)]
    fragments = {
        d.name.value: d for d in document.definitions if isinstance(d, FragmentDefinitionNode)
    }
    if len(operations) > limits.operations:
        raise over(
            "operations",
            "The document holds too many operations",
            allowed=limits.operations,
            found=len(operations),
        )
    if len(fragments) > limits.fragments:
        raise over(
            "fragments",
            "The document holds too many fragments",
            allowed=limits.fragments,
            found=len(fragments),
        )
    walk = _Walk(limits, fragments)
    for operation in operations:
        walk.measure(operation)
    # Validation looks at fragments nobody spreads, too.
    for name, fragment in fragments.items():
        if name not in walk.spread:
            walk.measure(fragment)


@dataclass(frozen=True, slots=True)
class _Level:
    """All selection sets that answer to one path."""

    depth: int
    sets: list[SelectionSetNode]
    introspection: bool


class _Walk:
    """Counts over a whole document; ``spread`` are the fragments it has met."""

    def __init__(
        self, limits: DocumentLimits, fragments: dict[str, FragmentDefinitionNode]
    ) -> None:
        self._limits = limits
        self._fragments = fragments
        self._counts = {"selections": 0, "aliases": 0, "directives": 0}
        self.spread: set[str] = set()

    def measure(self, definition: ExecutableDefinitionNode) -> None:
        self._check_directives(definition)
        for variable in definition.variable_definitions or ():
            self._check_directives(variable)
            if variable.default_value is not None:
                self._check_value(variable.default_value)
        levels = deque([_Level(1, [definition.selection_set], introspection=False)])
        while levels:
            level = levels.popleft()
            groups = self._collect(level)
            if level.depth == 1:
                self._check_root(definition, len(groups))
            for fields in groups.values():
                below = self._below(level, fields)
                if below is not None:
                    levels.append(below)

    def _collect(self, level: _Level) -> dict[str, list[FieldNode]]:
        """Fields by the name they answer to; a fragment counts once, as for the executor."""
        groups: dict[str, list[FieldNode]] = {}
        entered: set[str] = set()
        waiting = list(level.sets)
        while waiting:
            for selection in waiting.pop().selections:
                self._count("selections", selection)
                self._check_directives(selection)
                if isinstance(selection, FieldNode):
                    self._check_field(selection)
                    alias = selection.alias or selection.name
                    groups.setdefault(alias.value, []).append(selection)
                elif isinstance(selection, InlineFragmentNode):
                    waiting.append(selection.selection_set)
                elif isinstance(selection, FragmentSpreadNode):
                    waiting.extend(self._enter(selection.name.value, entered))
        return groups

    def _enter(self, name: str, entered: set[str]) -> Iterator[SelectionSetNode]:
        fragment = self._fragments.get(name)
        if fragment is None or name in entered:  # a missing one is validation's word
            return
        entered.add(name)
        if name not in self.spread:
            self.spread.add(name)
            self._check_directives(fragment)
        yield fragment.selection_set

    def _below(self, level: _Level, fields: list[FieldNode]) -> _Level | None:
        first = fields[0]
        if len(fields) > self._limits.repeats:
            raise over(
                "repeats",
                f"One selection asks for {first.name.value} too often",
                allowed=self._limits.repeats,
                found=len(fields),
                node=first,
            )
        introspection = level.introspection or first.name.value in _INTROSPECTION
        limit = "introspection_depth" if introspection else "depth"
        allowed: int = getattr(self._limits, limit)
        if level.depth > allowed:
            raise over(
                limit,
                "The document nests too deeply, its fragments written out, in levels",
                allowed=allowed,
                found=level.depth,
                node=first,
            )
        sets = [field.selection_set for field in fields if field.selection_set is not None]
        return _Level(level.depth + 1, sets, introspection) if sets else None

    def _check_root(self, definition: ExecutableDefinitionNode, found: int) -> None:
        if not isinstance(definition, OperationDefinitionNode):
            return
        mutation = definition.operation is OperationType.MUTATION
        allowed = self._limits.mutation_fields if mutation else self._limits.root_fields
        if found > allowed:
            raise over(
                "mutation_fields" if mutation else "root_fields",
                f"The {definition.operation.value} has too many root fields",
                allowed=allowed,
                found=found,
                node=definition,
            )

    def _check_field(self, field: FieldNode) -> None:
        if field.alias is not None:
            self._count("aliases", field)
        for argument in field.arguments or ():
            self._check_value(argument.value)

    def _check_directives(self, node: Node) -> None:
        for directive in getattr(node, "directives", None) or ():
            self._count("directives", directive)
            for argument in directive.arguments or ():
                self._check_value(argument.value)

    def _check_value(self, value: ValueNode) -> None:
        check_literal(value, self._limits.list_items)

    def _count(self, what: str, node: SelectionNode | Node) -> None:
        self._counts[what] += 1
        allowed: int = getattr(self._limits, what)
        if self._counts[what] > allowed:
            raise over(
                what,
                f"The document holds too many {what}, its fragments written out",
                allowed=allowed,
                found=self._counts[what],
                node=node,
            )
