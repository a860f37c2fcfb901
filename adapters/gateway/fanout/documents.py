"""Subscriptions that were sent before: what follows from the text alone is found out once."""

import dataclasses
from collections import OrderedDict
from dataclasses import dataclass

from graphql import (
    ArgumentNode,
    DocumentNode,
    FieldNode,
    GraphQLField,
    GraphQLSchema,
    NameNode,
    OperationDefinitionNode,
    SelectionSetNode,
    VariableDefinitionNode,
    VariableNode,
    get_operation_ast,
    parse_type,
)

from adapters.gateway.fanout.dropped import DroppedField, dropped_field
from adapters.gateway.fanout.selection import (
    Reading,
    declared,
    fragments_of,
    read,
    root_field,
)
from domain.kernel.policy import FieldPolicy, StreamRules

DOCUMENTS_MAX = 1000
# What is kept of a document is some hundred bytes per character of it.
CHARACTERS_MAX = 500_000
ONLY = "okdOnly"
"""The variable that holds the one element a part of a split list is about."""


@dataclass(frozen=True, slots=True)
class Known:
    """What all uses of one operation of one document have in common."""

    document: DocumentNode
    operation: OperationDefinitionNode
    node: FieldNode
    field: GraphQLField
    reading: Reading
    policy: FieldPolicy
    rules: StreamRules
    dropped: DroppedField | None
    split_document: DocumentNode | None
    """The same with the list replaced by ``ONLY``; None when there is nothing to split."""


class Documents:
    """The latest documents of one schema, as many as fit.

    Raises ValueError when a field's rules name what the field does not have.
    """

    def __init__(self, schema: GraphQLSchema) -> None:
        self._schema = schema
        self._root = schema.subscription_type
        self._known: OrderedDict[tuple[str, str | None], Known | None] = OrderedDict()
        self._characters = 0
        for name, field in (self._root.fields if self._root else {}).items():
            _check_rules(name, field)

    def __contains__(self, asked: tuple[str, str | None]) -> bool:
        return asked in self._known

    def known(self, text: str, operation_name: str | None) -> Known | None:
        """What was learned; None when it is no subscription of one plain root field."""
        key = (text, operation_name)
        self._known.move_to_end(key)
        return self._known[key]

    def learn(self, text: str, operation_name: str | None, document: DocumentNode) -> None:
        """Read a valid document that is not known. It is afterwards, however long it is."""
        self._known[text, operation_name] = self._read(document, operation_name)
        self._characters += len(text)
        while len(self._known) > 1 and (
            len(self._known) > DOCUMENTS_MAX or self._characters > CHARACTERS_MAX
        ):
            (forgotten, _), _ = self._known.popitem(last=False)
            self._characters -= len(forgotten)

    def _read(self, document: DocumentNode, operation_name: str | None) -> Known | None:
        operation = get_operation_ast(document, operation_name)
        if operation is None or self._root is None:
            return None
        fragments = fragments_of(document)
        node = root_field(operation, fragments)
        field = self._root.fields.get(node.name.value) if node is not None else None
        declaration = declared(field) if field is not None else None
        if node is None or field is None or declaration is None:
            return None
        policy = declaration.metadata.get("policy")
        if not isinstance(policy, FieldPolicy):
            return None
        rules = declaration.metadata.get("rules", StreamRules())
        return Known(
            document=document,
            operation=operation,
            node=node,
            field=field,
            reading=read(self._schema, field, node, fragments),
            policy=policy,
            rules=rules,
            dropped=dropped_field(node, fragments, rules.dropped),
            split_document=_split_document(document, operation, node, field, rules),
        )


def _split_document(
    document: DocumentNode,
    operation: OperationDefinitionNode,
    node: FieldNode,
    field: GraphQLField,
    rules: StreamRules,
) -> DocumentNode | None:
    # Nodes keep their places in the client's text, so that errors point at it.
    replaced = [a for a in node.arguments or () if a.name.value == rules.split_by]
    if not replaced:
        return None
    argument: ArgumentNode = replaced[0]
    only = VariableNode(name=NameNode(value=ONLY))
    wanted = parse_type(str(field.args[argument.name.value].type))
    asked = tuple(
        dataclasses.replace(a, value=only) if a is argument else a for a in node.arguments or ()
    )
    rewritten = dataclasses.replace(
        operation,
        variable_definitions=(
            *(operation.variable_definitions or ()),
            VariableDefinitionNode(variable=only, type=wanted, directives=()),
        ),
        selection_set=SelectionSetNode(selections=(dataclasses.replace(node, arguments=asked),)),
    )
    definitions = tuple(rewritten if d is operation else d for d in document.definitions)
    return dataclasses.replace(document, definitions=definitions)


def _check_rules(name: str, field: GraphQLField) -> None:
    declaration = declared(field)
    rules = declaration.metadata.get("rules") if declaration is not None else None
    if rules is None:
        return
    named = {rules.split_by, rules.alone_with, *rules.alike} - {None}
    if missing := sorted(named - field.args.keys()):
        raise ValueError(f"Subscription.{name} has no argument {', '.join(missing)}")
