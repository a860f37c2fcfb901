"""From a subscription as it was sent to the groups that answer it."""

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from graphql import (
    DocumentNode,
    GraphQLError,
    VariableNode,
    get_argument_values,
    get_variable_values,
    value_from_ast_untyped,
)
from graphql.execution.values import VariableValues

from adapters.gateway.fanout.documents import ONLY, Documents, Known
from adapters.gateway.fanout.dropped import DroppedField
from adapters.gateway.fanout.execution import Execution
from adapters.gateway.fanout.selection import canonical
from domain.kernel.policy import Audience, FieldPolicy, StreamRules


@dataclass(frozen=True, slots=True)
class Part:
    """What one group executes for a plan."""

    key: Hashable
    """Parts of equal keys give equal values. None: nobody else may have this one's."""
    variables: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Plan:
    """A subscription, ready to be joined."""

    document: DocumentNode
    """As the client sent it."""
    parts_document: DocumentNode
    """What its parts execute; the same unless a list is split."""
    operation_name: str | None
    variables: Mapping[str, Any]
    parts: Sequence[Part]
    whole_first: bool
    """The list has rules (how many, which) that no part alone answers for: ask the whole once."""
    policy: FieldPolicy
    rules: StreamRules
    dropped: DroppedField | None

    @property
    def shared(self) -> bool:
        """Whether others may get the same values."""
        return all(part.key is not None for part in self.parts)


class Planner:
    """One per schema. Raises ValueError when a field's rules name what the field does not have."""

    def __init__(self, execution: Execution) -> None:
        self._execution = execution
        self._schema = execution.schema
        self._documents = Documents(execution.schema)

    async def plan(
        self,
        text: str,
        variables: Mapping[str, Any] | None,
        operation_name: str | None,
        context: object,
    ) -> Plan | None:
        """The plan of a subscription whose values can go through groups.

        None for everything else (queries, what is refused, what nobody declared): execute that as
        ever, so that it is refused in the same words as ever.
        """
        if not may_be_subscription(text):
            return None
        asked = (text, operation_name)
        # Without extensions a document once admitted is admitted; one of them may look at the
        # variables, or at who asks.
        if self._execution.extended or asked not in self._documents:
            document = await self._execution.admit(text, variables, context, operation_name)
            if document is None:
                return None
            if asked not in self._documents:
                self._documents.learn(*asked, document)
        known = self._documents.known(*asked)
        return None if known is None else self._planned(known, variables, operation_name)

    def _planned(
        self, known: Known, variables: Mapping[str, Any] | None, operation_name: str | None
    ) -> Plan | None:
        given = dict(variables or {})
        try:
            definitions = known.operation.variable_definitions or ()
            values = get_variable_values(self._schema, definitions, given)
            if isinstance(values, list):
                return None
            arguments = get_argument_values(known.field, known.node, values)
        except (GraphQLError, RecursionError):
            return None
        elements = _elements(known, given)
        parts = (
            [Part(_key(known, values, arguments), given)]
            if elements is None
            else _parts(known, values, arguments, given, elements)
        )
        return Plan(
            document=known.document,
            parts_document=known.document if elements is None else known.split_document,  # type: ignore[arg-type]  # elements are its
            operation_name=operation_name,
            variables=given,
            parts=parts,
            whole_first=elements is not None and len(elements) != 1,
            policy=known.policy,
            rules=known.rules,
            dropped=known.dropped,
        )


def may_be_subscription(text: str) -> bool:
    """False for what certainly is none, without reading it."""
    return "subscription" in text


def _elements(known: Known, given: Mapping[str, Any]) -> list[Any] | None:
    """The list to split as the client wrote it; None when the field has none."""
    if known.split_document is None:
        return None
    arguments = {a.name.value: a.value for a in known.node.arguments or ()}
    node = arguments[known.rules.split_by or ""]
    if isinstance(node, VariableNode) and node.name.value not in given:
        definitions = known.operation.variable_definitions or ()
        default = next(d for d in definitions if d.variable.name.value == node.name.value)
        if default.default_value is None:
            return None
        node = default.default_value
    written = value_from_ast_untyped(node, dict(given))
    if written is None:
        return None
    return written if isinstance(written, list) else [written]  # GraphQL takes one for a list


def _parts(
    known: Known,
    values: VariableValues,
    arguments: Mapping[str, Any],
    given: Mapping[str, Any],
    elements: Sequence[Any],
) -> list[Part]:
    read = arguments[known.rules.split_by or ""]
    common = _key(known, values, arguments)
    parts: dict[Hashable, Part] = {}
    for written, element in zip(elements, read, strict=True):
        # Named twice is followed once, as when the whole list is executed.
        identity = canonical(element)
        if identity not in parts:
            key = None if common is None else (common, identity)
            parts[identity] = Part(key, {**given, ONLY: [written]})
    return list(parts.values())


def _key(known: Known, values: VariableValues, arguments: Mapping[str, Any]) -> Hashable:
    """What streams have in common that may be one; without the list they are split by."""
    policy, rules, reading = known.policy, known.rules, known.reading
    if not (policy.shared and policy.audience is Audience.ANYONE and reading.shared):
        return None
    if rules.alone_with is not None and arguments.get(rules.alone_with) is not None:
        return None
    split_by = rules.split_by if known.split_document is not None else None
    try:
        asked = frozenset(
            (name, canonical(rules.alike[name](value) if name in rules.alike else value))
            for name, value in arguments.items()
            if name != split_by
        )
        used = frozenset(
            (name, canonical(values.coerced[name]))
            for name in reading.variables
            if name in values.coerced
        )
    except TypeError:  # an argument that cannot be compared
        return None
    alias = known.node.alias.value if known.node.alias else None
    return (known.node.name.value, alias, asked, reading.text, used)
