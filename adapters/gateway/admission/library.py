"""Documents that were admitted: parsed, measured and validated once, then known by their text."""

import re
from collections import OrderedDict
from dataclasses import dataclass

from graphql import (
    DocumentNode,
    GraphQLError,
    GraphQLSchema,
    GraphQLSyntaxError,
    OperationDefinitionNode,
    parse,
    specified_rules,
    validate,
)
from strawberry.schema.validation_rules.maybe_null import MaybeNullValidationRule
from strawberry.schema.validation_rules.one_of import OneOfInputValidationRule

from adapters.gateway.admission.limits import DocumentLimits, over
from adapters.gateway.admission.shape import check_shape
from adapters.gateway.errors import GatewayErrorCode, Refusal

_RULES = (*specified_rules, MaybeNullValidationRule, OneOfInputValidationRule)
# graphql-core tells its own bounds from syntax by words only; a test knows when they change.
_TOO_MANY = re.compile(r"Document contains more than \d+ (?:tokens|comments)")
_TOO_DEEP = re.compile(r"Document is nested too deeply")


@dataclass(frozen=True, slots=True)
class Admitted:
    """A document that may run, and the operations to choose from."""

    document: DocumentNode
    operation_names: tuple[str | None, ...]

    def check_operation(self, name: str | None) -> None:
        """Raise Refusal unless ``name`` (or no name, of a single operation) says which to run."""
        names = self.operation_names
        if name in names if name is not None else len(names) == 1:
            return
        if not names:
            text = "The document holds no operation, only fragments."
        elif name is None:
            text = "The document holds several operations: say which to run with `operationName`."
        else:
            text = f'The document holds no operation named "{name}".'
        raise Refusal(GatewayErrorCode.OPERATION_RESOLUTION_FAILURE, text)


class Library:
    """The admitted documents of one process, the least recently asked for leaving first.

    Refused ones are not kept: whoever sends them would push out the good ones.
    """

    def __init__(self, limits: DocumentLimits) -> None:
        self._limits = limits
        self._known: OrderedDict[tuple[GraphQLSchema, str], Admitted] = OrderedDict()
        self._characters = 0

    def admit(self, schema: GraphQLSchema, text: str) -> Admitted:
        """The document of ``text``. Raises Refusal, GraphQLSyntaxError or InvalidDocument."""
        key = (schema, text)
        known = self._known.get(key)
        if known is not None:
            self._known.move_to_end(key)
            return known
        document = _parsed(text, self._limits)
        check_shape(document, self._limits)
        errors = validate(schema, document, _RULES, max_errors=self._limits.errors)
        if errors:
            raise InvalidDocument(errors[: self._limits.errors])
        admitted = Admitted(document, _operation_names(document))
        self._keep(key, admitted)
        return admitted

    def _keep(self, key: tuple[GraphQLSchema, str], admitted: Admitted) -> None:
        self._known[key] = admitted
        self._characters += len(key[1])
        while self._characters > self._limits.cached_characters:
            (_, text), _ = self._known.popitem(last=False)
            self._characters -= len(text)


class InvalidDocument(Exception):
    """Validation's findings, the first few."""

    def __init__(self, errors: list[GraphQLError]) -> None:
        super().__init__(errors)
        self.errors = errors


def _parsed(text: str, limits: DocumentLimits) -> DocumentNode:
    # Asked before graphql-core does: its own error points into the text, which it splits in lines.
    if len(text) > limits.characters:
        raise over(
            "characters",
            "The document is too long, in characters",
            allowed=limits.characters,
            found=len(text),
        )
    try:
        return parse(text, max_lexical_tokens=limits.tokens, max_comments=limits.tokens)
    except GraphQLSyntaxError as error:
        if _TOO_MANY.search(error.message):
            raise over(
                "tokens",
                "The document holds too many tokens",
                allowed=limits.tokens,
                found=limits.tokens + 1,
            ) from None
        if _TOO_DEEP.search(error.message):
            raise over(
                "depth",
                "The document nests too deeply to be read, in levels",
                allowed=limits.depth,
                found=limits.depth + 1,
            ) from None
        raise


def _operation_names(document: DocumentNode) -> tuple[str | None, ...]:
    return tuple(
        definition.name.value if definition.name else None
        for definition in document.definitions
        if isinstance(definition, OperationDefinitionNode)
    )
