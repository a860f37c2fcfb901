"""Telling a slow reader in the value itself how much is missing before it."""

from collections.abc import Iterator
from dataclasses import dataclass

from graphql import FieldNode, FragmentSpreadNode, InlineFragmentNode, SelectionSetNode

from adapters.gateway.fanout.selection import Fragments
from adapters.gateway.fanout.sink import Payload


@dataclass(frozen=True, slots=True)
class DroppedField:
    """Where a client wants to read the count: it may have renamed the field, or asked twice."""

    value: str
    names: frozenset[str]

    def add(self, content: Payload, count: int) -> Payload:
        """``content`` with ``count`` more missing. Left as it is where there is no value."""
        data: Payload = content.get("data") or {}
        value = data.get(self.value)
        if value is None:
            return content
        counted = {name: value[name] + count for name in self.names if name in value}
        return {**content, "data": {**data, self.value: {**value, **counted}}}


def dropped_field(
    node: FieldNode, fragments: Fragments, dropped: str | None
) -> DroppedField | None:
    """Where ``node``'s selection asks for the field ``dropped``; None when it does not."""
    if dropped is None or node.selection_set is None:
        return None
    names = frozenset(
        _response_name(found)
        for found in _fields(node.selection_set, fragments, set())
        if found.name.value == dropped
    )
    return DroppedField(_response_name(node), names) if names else None


def _fields(
    selections: SelectionSetNode, fragments: Fragments, seen: set[str]
) -> Iterator[FieldNode]:
    for node in selections.selections:
        if isinstance(node, FieldNode):
            yield node
        elif isinstance(node, InlineFragmentNode):
            yield from _fields(node.selection_set, fragments, seen)
        elif isinstance(node, FragmentSpreadNode) and node.name.value not in seen:
            seen.add(node.name.value)
            yield from _fields(fragments[node.name.value].selection_set, fragments, seen)


def _response_name(node: FieldNode) -> str:
    return (node.alias or node.name).value
