"""One operation, run without regard to how it came: WebSocket and SSE show the same answers.

``schema.stream`` executes: a query or mutation gives one answer, a subscription many. Limits and
the deadline are extensions of the schema itself and therefore hold here, too.
"""

import time
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any, cast

from graphql import GraphQLError, GraphQLFormattedError, GraphQLSchema
from strawberry.http import GraphQLRequestData
from strawberry.schema.base import BaseSchema
from strawberry.types.execution import ExecutionResult, PreExecutionError
from strawberry.types.graphql import OperationType

from adapters.gateway.desk import ConnectionInfo, OperationDesk
from adapters.gateway.errors import GatewayErrorCode, extensions
from adapters.telemetry import Outcome, correlation
from domain.kernel.viewer import Viewer

READING = frozenset({OperationType.QUERY, OperationType.SUBSCRIPTION})
ANY_TYPE = frozenset(OperationType)

# The very texts requests.py gives over HTTP; Apollo's clients compare the second.
_UNKNOWN = "No document is kept under this `documentId`. Send its text as `query`."
_UNSUPPORTED = "PersistedQueryNotSupported"


@dataclass(frozen=True, slots=True)
class OperationRequest:
    """What a client asks for. Either ``query`` or a name of a registered document is there."""

    query: str | None
    variables: dict[str, Any] | None = None
    operation_name: str | None = None
    extensions: dict[str, Any] | None = None
    document_id: str | None = None

    @classmethod
    def of(cls, data: GraphQLRequestData) -> "OperationRequest":
        """As ``requests.read_operation`` found it."""
        return cls(data.query, data.variables, data.operation_name, data.extensions)


@dataclass(frozen=True, slots=True)
class Answer:
    """One result in GraphQL's shape, ready for JSON."""

    payload: dict[str, object]
    refused: bool = False
    """The operation never ran: ``payload`` holds ``errors`` alone, and nothing follows."""

    @property
    def errors(self) -> Sequence[GraphQLFormattedError]:
        return cast("Sequence[GraphQLFormattedError]", self.payload.get("errors", []))


class MalformedRequest(Exception):
    """No operation can be read from this; the message says why, in a few words."""


def request_of(payload: object) -> OperationRequest:
    """Read GraphQL's request parameters. Raises MalformedRequest."""
    if not isinstance(payload, dict):
        raise MalformedRequest("The request must be a JSON object")
    for name, kind, words in (
        ("query", str, "a string"),
        ("operationName", str, "a string"),
        ("documentId", str, "a string"),
        ("variables", dict, "an object"),
        ("extensions", dict, "an object"),
    ):
        if not isinstance(payload.get(name), kind | None):
            raise MalformedRequest(f"{name} must be {words}")
    found = OperationRequest(
        query=payload.get("query"),
        variables=payload.get("variables"),
        operation_name=payload.get("operationName"),
        extensions=payload.get("extensions"),
        document_id=payload.get("documentId"),
    )
    persisted = "persistedQuery" in (found.extensions or {})
    if found.query is None and found.document_id is None and not persisted:
        raise MalformedRequest("The request must have a query")
    return found


class OperationRunner:
    """Runs operations of any transport. One per process; holds nothing of a request."""

    def __init__(self, schema: BaseSchema, desk: OperationDesk) -> None:
        self.desk = desk
        self._schema = schema

    @property
    def graphql_schema(self) -> GraphQLSchema:
        """What documents are read against."""
        found: GraphQLSchema = self._schema._schema  # type: ignore[attr-defined]  # noqa: SLF001  # as Strawberry's own extensions
        return found

    async def run(
        self,
        request: OperationRequest,
        connection: ConnectionInfo,
        viewer: Viewer,
        *,
        types: frozenset[OperationType] = ANY_TYPE,
        context: object | None = None,
    ) -> AsyncGenerator[Answer, None]:
        """The operation's answers. Never raises; closing it ends the operation.

        Call it in the task whose correlation is ``connection``'s. The next value is asked for
        when the caller asks for the next answer: a stream that conflates does so while the
        caller waits for its reader.
        """
        correlation.bind_operation(request.operation_name)
        started = time.perf_counter()
        outcome = Outcome.OK
        begun = False
        try:
            if request.query is None:
                outcome = Outcome.REFUSED
                yield self._without_text(request)
                return
            if context is None:
                context = self.desk.context(viewer, connection)
            stream = await self._schema.stream(
                request.query,
                variable_values=request.variables,
                context_value=context,
                operation_name=request.operation_name,
                operation_extensions=request.extensions,
                allowed_operation_types=types,
            )
            async with aclosing(stream) as results:
                async for result in results:
                    answer, found = self._answer(result, first=not begun)
                    outcome = found if found is not Outcome.OK else outcome
                    begun = True
                    yield answer
                    if answer.refused:
                        return
        except Exception as error:  # noqa: BLE001  # outermost: an operation
            outcome = Outcome.INTERNAL
            errors = [e.formatted for e in self.desk.crash(error)]
            yield Answer({"errors": errors}, refused=not begun)
        finally:
            seconds = time.perf_counter() - started
            self.desk.finished(request.query, outcome, seconds, request.operation_name)

    def _answer(self, result: object, *, first: bool) -> tuple[Answer, Outcome]:
        if not isinstance(result, ExecutionResult):
            raise TypeError("incremental delivery has no frame here")
        early = isinstance(result, PreExecutionError)
        errors, outcome = self.desk.present(result.errors, before_execution=early)
        shown = [error.formatted for error in errors]
        # Variables are checked by graphql-core's executor: no data and no path say the same.
        unrun = early or (bool(errors) and result.data is None and not any(e.path for e in errors))
        if first and unrun:
            return Answer({"errors": shown}, refused=True), outcome
        payload: dict[str, object] = {"data": result.data}
        if shown:
            payload["errors"] = shown
        if result.extensions:
            payload["extensions"] = result.extensions
        return Answer(payload), outcome

    def _without_text(self, request: OperationRequest) -> Answer:
        code, text = GatewayErrorCode.PERSISTED_QUERY_NOT_FOUND, _UNKNOWN
        if request.document_id is None:
            code, text = GatewayErrorCode.PERSISTED_QUERY_NOT_SUPPORTED, _UNSUPPORTED
        self.desk.metrics.error(code)
        return refusal(code, text, correlation.current().id)


def refusal(
    code: str,
    message: str,
    correlation_id: str,
    *,
    retry_after_seconds: float | None = None,
) -> Answer:
    """The answer to an operation that is not run at all."""
    shown: Mapping[str, object] = extensions(
        code,
        correlation_id,
        retryable=retry_after_seconds is not None,
        retry_after_seconds=retry_after_seconds,
    )
    error = GraphQLError(message, extensions=dict(shown))
    return Answer({"errors": [error.formatted]}, refused=True)
