"""graphql-transport-ws, Strawberry's handler made strict: no frame may crash it, no text leaks.

Besides: a context and a correlation per operation (a socket lives for hours), a bad document ends
its operation and not the socket, and subscribing is counted by the flood guard.
"""

import time
from collections.abc import Mapping
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, cast

from graphql import GraphQLError
from starlette.websockets import WebSocketDisconnect
from strawberry.asgi import ASGIWebSocketAdapter
from strawberry.http.exceptions import WebSocketDisconnected
from strawberry.schema.schema import StreamResult
from strawberry.subscriptions.protocols.graphql_transport_ws.handlers import (
    BaseGraphQLTransportWSHandler,
    Operation,
)
from strawberry.subscriptions.protocols.graphql_transport_ws.types import (
    CompleteMessage,
    ConnectionInitMessage,
    Message,
    PingMessage,
    SubscribeMessage,
)
from strawberry.types.execution import ExecutionResult, PreExecutionError

from adapters.gateway.desk import ConnectionInfo, Transport
from adapters.gateway.errors import GatewayErrorCode, extensions
from adapters.telemetry import Outcome, correlation

if TYPE_CHECKING:
    from adapters.gateway.view import GraphQLView

_ID_LENGTH_MAX = 128


@dataclass(slots=True)
class SocketState:
    """What a socket's operations have in common."""

    correlation: correlation.Correlation
    address: str
    headers: Mapping[str, str]
    connection_params: dict[str, object] = field(default_factory=dict)
    """Set by Strawberry's handler under this name."""
    operations_begun: int = 0

    def next_connection(self) -> ConnectionInfo:
        """For the next operation, with a correlation of its own, bound to the current task."""
        self.operations_begun += 1
        return ConnectionInfo(
            Transport.WEBSOCKET,
            correlation.begin_operation(self.correlation, self.operations_begun),
            self.address,
            self.headers,
            self.connection_params,
        )


class SocketAdapter(ASGIWebSocketAdapter):
    """Text frames always: clients do not read JSON from binary ones."""

    async def send_json(self, message: Mapping[str, object]) -> None:
        encoded = cast("bytes", self.view.encode_json(message))
        try:
            await self.ws.send_text(encoded.decode())
        # RuntimeError: Starlette's word for a socket that this side has closed already.
        except (WebSocketDisconnect, RuntimeError) as error:
            raise WebSocketDisconnected from error


class SocketHandler(BaseGraphQLTransportWSHandler[object, None]):
    """One per socket."""

    @property
    def _view(self) -> "GraphQLView":
        return cast("GraphQLView", self.view)

    @property
    def _state(self) -> SocketState:
        return cast("SocketState", self.context)

    async def handle_message(self, message: Message) -> None:
        problem = _malformed(message)
        if problem is not None:
            await self.handle_invalid_message(problem)
            return
        await super().handle_message(message)

    async def handle_connection_init(self, message: ConnectionInitMessage) -> None:
        if message.get("payload") is None:  # the protocol allows null
            message["payload"] = {}
        await super().handle_connection_init(message)

    async def handle_ping(self, message: PingMessage) -> None:
        del message
        await self.send_message({"type": "pong"})

    async def handle_subscribe(self, message: SubscribeMessage) -> None:
        if self.connection_acknowledged and message["id"] not in self.operations:
            refusal = self._refusal()
            if refusal is not None:
                await self.send_message(
                    {"id": message["id"], "type": "error", "payload": [refusal.formatted]}
                )
                return
        await super().handle_subscribe(message)

    def _refusal(self) -> GraphQLError | None:
        bound = self.max_subscriptions_per_connection
        if bound is not None and len(self.operations) >= bound:
            code = GatewayErrorCode.TOO_MANY_SUBSCRIPTIONS
            text, wait = f"One socket may run {bound} operations at a time.", None
        else:
            code = GatewayErrorCode.RATE_LIMITED
            text = "Too many operations from this address. Wait before the next."
            wait = self._view.flood.wait_seconds_of(self._state.address, "subscribe")
            if wait is None:
                return None
        self._view.desk.metrics.refused(code.lower())
        return GraphQLError(
            text,
            extensions=extensions(
                code,
                self._state.correlation.id,
                retryable=wait is not None,
                retry_after_seconds=wait,
            ),
        )

    async def run_operation(self, operation: Operation[object, None]) -> None:
        """The operation's task, from its context to its last frame."""
        desk = self._view.desk
        connection = self._state.next_connection()
        correlation.bind_operation(operation.operation_name)
        started = time.perf_counter()
        outcome = Outcome.OK
        desk.metrics.subscriptions.inc()
        try:
            context = await desk.context_for(connection)
            source = await self.schema.stream(
                operation.query,
                variable_values=operation.variables,
                context_value=context,
                operation_name=operation.operation_name,
            )
            async with aclosing(source):
                outcome = await self._relay(operation, source)
            await operation.send_operation_message(
                CompleteMessage(id=operation.id, type="complete")
            )
        except WebSocketDisconnected:
            pass  # the client left; nobody to tell
        except Exception as error:  # noqa: BLE001  # outermost: a subscription
            outcome = Outcome.INTERNAL
            await operation.send_initial_errors(desk.crash(error))
        finally:
            desk.metrics.subscriptions.dec()
            seconds = time.perf_counter() - started
            desk.finished(operation.query, outcome, seconds, operation.operation_name)

    async def _relay(self, operation: Operation[object, None], source: StreamResult) -> Outcome:
        desk = self._view.desk
        outcome = Outcome.OK
        first = True
        async for result in source:
            if not isinstance(result, ExecutionResult):
                raise TypeError("incremental delivery has no frame in graphql-transport-ws")
            early = isinstance(result, PreExecutionError)
            result.errors, found = desk.present(result.errors, before_execution=early)
            outcome = found if found is not Outcome.OK else outcome
            if first and early:
                await operation.send_initial_errors(result.errors)
                return outcome
            await operation.send_next(result)
            desk.metrics.messages.inc()
            first = False
        return outcome


def _malformed(message: object) -> str | None:
    """What is wrong with a frame, in the protocol's words; None when its shape is right."""
    if not isinstance(message, dict):
        return "A message must be a JSON object"
    kind = message.get("type")
    if not isinstance(kind, str):
        return "A message must have a type"
    if kind in ("subscribe", "complete"):
        operation_id = message.get("id")
        if not isinstance(operation_id, str) or not 0 < len(operation_id) <= _ID_LENGTH_MAX:
            return f"{kind} must have an id of 1 to {_ID_LENGTH_MAX} characters"
    if kind == "subscribe":
        return _malformed_payload(message.get("payload"))
    if not isinstance(message.get("payload"), dict | None):
        return "The payload must be an object"
    return None


def _malformed_payload(payload: Any) -> str | None:  # noqa: ANN401  # any JSON
    if not isinstance(payload, dict) or not isinstance(payload.get("query"), str):
        return "subscribe must have a payload with a query"
    if not isinstance(payload.get("variables"), dict | None):
        return "variables must be an object"
    if not isinstance(payload.get("operationName"), str | None):
        return "operationName must be a string"
    if not isinstance(payload.get("extensions"), dict | None):
        return "extensions must be an object"
    return None
