"""Running one subscription: graphql-core's own steps, with the event itself still at hand.

Strawberry's ``stream`` gives results only. A group needs more: the refusal apart from the first
value (it belongs to who asked), the domain's value beside its result (is this candle final?), and
no parsing and validating for each part. The executor is the schema's own, so that what it fixes
(``schema/_executor.py``) holds here as well.
"""

from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from typing import Any

from graphql import DocumentNode, ExecutionResult, GraphQLError
from graphql.execution import Executor, create_source_event_stream
from graphql.execution.execute import execute_subscription_event
from strawberry.exceptions import MissingQueryError
from strawberry.extensions import SchemaExtension
from strawberry.extensions.runner import SchemaExtensionsRunner
from strawberry.schema.exceptions import CannotGetOperationTypeError, InvalidOperationTypeError
from strawberry.schema.schema import Schema
from strawberry.types import ExecutionContext
from strawberry.types.graphql import OperationType

_OF_RESULTS = ("on_stream_result", "resolve", "get_results")

Event = tuple[Any, ExecutionResult]
"""The domain's value, and what the client's selection shows of it."""


class Source:
    """A stream that was begun and not refused. Close it, also when nothing was read of it."""

    def __init__(self, executor: Executor[Any], values: AsyncGenerator[Any, None]) -> None:
        self._executor = executor
        self._values = values

    async def events(self) -> AsyncGenerator[Event, None]:
        """Every value, executed one after another. Raises what the stream itself raises."""
        async with aclosing(self._values):
            async for value in self._values:
                result = execute_subscription_event(self._executor.build_per_event_executor(value))
                yield value, result if isinstance(result, ExecutionResult) else await result

    async def close(self) -> None:
        await self._values.aclose()


class Execution:
    """Admits documents and begins streams on one schema.

    The schema's extensions are heeded where they decide: parsing, validating, the way to the
    stream. Raises ValueError for one that wants to see every result, because it would not.
    """

    def __init__(self, schema: Schema) -> None:
        for extension in schema.get_extensions():
            kind = type(extension)
            if any(getattr(kind, n) is not getattr(SchemaExtension, n) for n in _OF_RESULTS):
                raise ValueError(f"{kind.__name__} wants to see results that are shared")
        self.extended = bool(schema.get_extensions())
        self.schema = schema._schema  # noqa: SLF001  # strawberry has no other way to it
        self._strawberry = schema
        self._executor_class: Any = schema.execution_context_class

    async def admit(
        self,
        text: str,
        variables: Mapping[str, Any] | None,
        context: object,
        operation_name: str | None,
    ) -> DocumentNode | None:
        """The document, parsed and valid for this schema and its extensions; None when refused."""
        asked, runner = self._asked(text, variables, context, operation_name)
        async with runner.operation():
            try:
                refused = await self._strawberry._prepare_operation_async(asked, runner)  # noqa: SLF001  # a test tells when it is called otherwise
            except (CannotGetOperationTypeError, InvalidOperationTypeError, MissingQueryError):
                return None
        return None if refused else asked.graphql_document

    async def begin(
        self,
        document: DocumentNode,
        variables: Mapping[str, Any],
        context: object,
        operation_name: str | None,
    ) -> Source | list[GraphQLError]:
        """The stream of an admitted document, or why the field's resolver refuses it."""
        asked, runner = self._asked(None, variables, context, operation_name)
        asked.graphql_document = document
        executor = self._executor_class.build(
            self.schema,
            document,
            context_value=context,
            raw_variable_values=asked.variables,
            operation_name=operation_name,
        )
        if isinstance(executor, list):
            return executor
        async with runner.executing():
            found: Any = create_source_event_stream(executor)
            if executor.is_awaitable(found):
                found = await found
        if isinstance(found, ExecutionResult):
            return found.errors or []
        return Source(executor, found)

    def _asked(
        self,
        text: str | None,
        variables: Mapping[str, Any] | None,
        context: object,
        operation_name: str | None,
    ) -> tuple[ExecutionContext, SchemaExtensionsRunner]:
        asked = ExecutionContext(
            query=text,
            schema=self._strawberry,
            allowed_operations=(OperationType.SUBSCRIPTION,),
            context=context,
            variables=dict(variables or {}),
            provided_operation_name=operation_name,
        )
        extensions = self._strawberry.get_extensions()
        for extension in extensions:
            extension.execution_context = asked
        return asked, self._strawberry.create_extensions_runner(asked, extensions)
