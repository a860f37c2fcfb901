"""Event streams that go on where they broke off.

A value whose only root field has a ``cursor`` is sent with that cursor as its event id. A browser's
EventSource sends the last one as ``Last-Event-ID`` when it connects anew, with the same request as
the first time: here it becomes the field's ``after`` argument, if the field has one.
"""

from collections.abc import Mapping
from dataclasses import replace

from graphql import (
    ArgumentNode,
    DocumentNode,
    FieldNode,
    GraphQLError,
    GraphQLSchema,
    NameNode,
    OperationDefinitionNode,
    OperationType,
    SelectionSetNode,
    StringValueNode,
    VariableNode,
    parse,
    print_ast,
)

from adapters.gateway.operations import OperationRequest

LAST_EVENT_ID = "last-event-id"
ID_LENGTH_MAX = 256

_CURSOR = "cursor"
_AFTER = "after"
# What a longer document asks for, it has to ask for with a variable of its own.
_TOKENS_MAX = 1000


def event_id(payload: Mapping[str, object]) -> str | None:
    """The cursor of a value; None when it has none, or one that no line can hold."""
    data = payload.get("data")
    if not isinstance(data, dict) or len(data) != 1:
        return None
    (value,) = data.values()
    cursor = value.get(_CURSOR) if isinstance(value, dict) else None
    if not isinstance(cursor, str) or not cursor.isascii() or not cursor.isprintable():
        return None
    return cursor if 0 < len(cursor) <= ID_LENGTH_MAX else None


def resumed(
    request: OperationRequest, last_event_id: str | None, schema: GraphQLSchema
) -> OperationRequest:
    """The same request, from behind that event; unchanged when its field cannot be resumed."""
    if not last_event_id or len(last_event_id) > ID_LENGTH_MAX or request.query is None:
        return request
    try:
        document = parse(request.query, no_location=True, max_lexical_tokens=_TOKENS_MAX)
    except GraphQLError:  # told by whoever runs it
        return request
    operation = _operation(document, request.operation_name)
    field = None if operation is None else _resumable(operation, schema)
    if operation is None or field is None:
        return request
    given = next((a.value for a in field.arguments or () if a.name.value == _AFTER), None)
    if isinstance(given, VariableNode):
        variables = {**(request.variables or {}), given.name.value: last_event_id}
        return replace(request, variables=variables)
    after = ArgumentNode(
        name=NameNode(value=_AFTER), value=StringValueNode(value=last_event_id, block=False)
    )
    others = [a for a in field.arguments or () if a.name.value != _AFTER]
    root = SelectionSetNode(selections=(replace(field, arguments=(*others, after)),))
    changed = replace(operation, selection_set=root)
    definitions = tuple(changed if d is operation else d for d in document.definitions)
    return replace(request, query=print_ast(replace(document, definitions=definitions)))


def _operation(document: DocumentNode, name: str | None) -> OperationDefinitionNode | None:
    found = [
        definition
        for definition in document.definitions
        if isinstance(definition, OperationDefinitionNode)
        and (name is None or (definition.name is not None and definition.name.value == name))
    ]
    return found[0] if len(found) == 1 else None


def _resumable(operation: OperationDefinitionNode, schema: GraphQLSchema) -> FieldNode | None:
    """The root field of a subscription that takes ``after``."""
    root = schema.subscription_type
    selections = operation.selection_set.selections
    if operation.operation is not OperationType.SUBSCRIPTION or root is None:
        return None
    if len(selections) != 1 or not isinstance(selections[0], FieldNode):
        return None
    declared = root.fields.get(selections[0].name.value)
    return selections[0] if declared is not None and _AFTER in declared.args else None
