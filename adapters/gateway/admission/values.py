"""Arguments, literal or in variables: lists of a sane length, strings a database can hold."""

from collections.abc import Mapping

from graphql import ListValueNode, ObjectValueNode, StringValueNode, ValueNode

from adapters.gateway.admission.limits import over
from adapters.gateway.errors import GatewayErrorCode, Refusal


def check_literal(value: ValueNode, items_max: int) -> None:
    """Raise Refusal for a list that is too long or a string that holds NUL, however deep."""
    waiting = [value]
    while waiting:
        node = waiting.pop()
        if isinstance(node, StringValueNode):
            if "\0" in node.value:
                raise _nul()
        elif isinstance(node, ListValueNode):
            if len(node.values) > items_max:
                raise _too_long(items_max, len(node.values))
            waiting.extend(node.values)
        elif isinstance(node, ObjectValueNode):
            waiting.extend(field.value for field in node.fields)


def check_variables(variables: Mapping[str, object], items_max: int) -> None:
    """The same of the values a request sends beside its document."""
    waiting: list[object] = list(variables.values())
    while waiting:
        value = waiting.pop()
        if isinstance(value, str):
            if "\0" in value:
                raise _nul()
        elif isinstance(value, list):
            if len(value) > items_max:
                raise _too_long(items_max, len(value))
            waiting.extend(value)
        elif isinstance(value, dict):
            waiting.extend(value.values())


def _too_long(allowed: int, found: int) -> Refusal:
    return over("list_items", "A list is too long, in items", allowed=allowed, found=found)


def _nul() -> Refusal:
    # PostgreSQL's text has no NUL; nothing we store or ask for may hold one.
    return Refusal(
        GatewayErrorCode.BAD_USER_INPUT, "A string holds the character NUL (U+0000); none may."
    )
