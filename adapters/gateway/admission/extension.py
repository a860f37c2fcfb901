"""Admission where every transport passes: in front of Strawberry's parsing."""

from collections.abc import Iterator

from graphql import (
    DocumentNode,
    GraphQLError,
    GraphQLSyntaxError,
    NameNode,
    OperationDefinitionNode,
    OperationType,
    SelectionSetNode,
)
from strawberry.extensions import SchemaExtension
from strawberry.types import ExecutionContext

from adapters.gateway.admission.library import InvalidDocument, Library
from adapters.gateway.admission.limits import DocumentLimits
from adapters.gateway.admission.values import check_variables
from adapters.gateway.errors import Refusal


def admission_extension(limits: DocumentLimits) -> type[SchemaExtension]:
    """Admit documents within ``limits``; what was admitted once is looked up afterwards."""
    library = Library(limits)

    class Admission(SchemaExtension):
        def on_parse(self) -> Iterator[None]:
            asked = self.execution_context
            try:
                admitted = library.admit(asked.schema._schema, asked.query or "")  # noqa: SLF001  # as Strawberry's own extensions
                admitted.check_operation(asked.operation_name)
                if asked.variables:
                    check_variables(asked.variables, limits.list_items)
            except InvalidDocument as invalid:
                _refuse(asked, invalid.errors)
            except (Refusal, GraphQLSyntaxError) as refusal:
                _refuse(asked, [refusal])
            else:
                asked.graphql_document = admitted.document
                asked.validation_rules = ()  # done, now or before
            yield

    return Admission


def _refuse(asked: ExecutionContext, errors: list[GraphQLError]) -> None:
    """Let nothing run and say why.

    Raising would do over HTTP and break a stream. Errors found before execution are what both
    paths heed, but Strawberry asks for the operation's type first: a document that is never run
    stands in for the refused one.
    """
    allowed = {kind.value for kind in asked.allowed_operations}
    kind = OperationType.QUERY if "query" in allowed else OperationType(min(allowed))
    name = asked.operation_name
    asked.graphql_document = DocumentNode(
        definitions=(
            OperationDefinitionNode(
                operation=kind,
                name=NameNode(value=name) if name is not None else None,
                selection_set=SelectionSetNode(selections=()),
            ),
        )
    )
    asked.pre_execution_errors = errors
