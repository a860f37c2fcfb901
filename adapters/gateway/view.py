"""GraphQL over HTTP: Strawberry's view, made strict.

What is changed and why: errors leave through the desk (Strawberry shows exception text), requests
are read by ``requests.py``, media types chosen by ``negotiation.py``, a subscription sent by POST
is refused instead of executed, status codes mean something to who accepts the modern media type,
and the context is made per operation.
"""

import time
from http import HTTPStatus
from typing import TYPE_CHECKING, cast

import orjson
from cross_web import AsyncHTTPRequestAdapter, StarletteRequestAdapter
from starlette.requests import Request
from starlette.responses import Response
from starlette.websockets import WebSocket
from strawberry.asgi import GraphQL
from strawberry.http import GraphQLHTTPResponse, GraphQLRequestData
from strawberry.schema.base import BaseSchema
from strawberry.schema.exceptions import InvalidOperationTypeError
from strawberry.types import ExecutionResult
from strawberry.types.execution import PreExecutionError
from strawberry.types.graphql import OperationType

from adapters.gateway.answers import RequestRefused
from adapters.gateway.desk import ConnectionInfo, OperationDesk, Transport
from adapters.gateway.errors import GatewayErrorCode
from adapters.gateway.flood import address_of
from adapters.gateway.negotiation import LEGACY_MEDIA_TYPE, MODERN_MEDIA_TYPE, media_type_for
from adapters.gateway.requests import read_operation
from adapters.telemetry import correlation
from domain.kernel.failures import FailureCode

if TYPE_CHECKING:
    from graphql import GraphQLFormattedError


# Of an answer without data, by the worst of its errors; the client's own doing is 400.
_STATUSES: dict[str, int] = {
    GatewayErrorCode.OPERATION_TIMEOUT: HTTPStatus.GATEWAY_TIMEOUT,
    GatewayErrorCode.RATE_LIMITED: HTTPStatus.TOO_MANY_REQUESTS,
    FailureCode.INTERNAL: HTTPStatus.INTERNAL_SERVER_ERROR,
    FailureCode.TIMED_OUT: HTTPStatus.GATEWAY_TIMEOUT,
    FailureCode.UNAVAILABLE: HTTPStatus.SERVICE_UNAVAILABLE,
}
_METHOD_TYPES = {
    "GET": {OperationType.QUERY},
    "POST": {OperationType.QUERY, OperationType.MUTATION},
}


class GraphQLView(GraphQL[object, None]):
    """One per process; holds nothing of a request."""

    def __init__(
        self, schema: BaseSchema, *, desk: OperationDesk, partial_status: int = HTTPStatus.OK
    ) -> None:
        super().__init__(schema, graphql_ide=None, subscription_protocols=[])
        self.desk = desk
        self._partial_status = partial_status

    async def get_context(
        self, request: Request | WebSocket, response: Response | WebSocket
    ) -> object:
        """Of one operation."""
        del response
        return await self.desk.context_for(
            ConnectionInfo(
                Transport.HTTP, correlation.current(), address_of(request), request.headers
            )
        )

    async def get_sub_response(self, request: Request | WebSocket) -> Response:
        answer = await super().get_sub_response(request)
        # The body's own type is decided here, where the request is still at hand.
        answer.media_type = media_type_of(request)
        return answer

    def should_render_graphql_ide(self, request: object) -> bool:
        del request
        return False  # the explorer is a page of its own

    async def parse_http_body(self, request: AsyncHTTPRequestAdapter) -> GraphQLRequestData:
        return await read_operation(cast("StarletteRequestAdapter", request)._request)  # noqa: SLF001  # the adapter keeps it nowhere else

    def decode_json(self, data: str | bytes) -> object:
        # For the socket's frames: json raises RecursionError on deep ones.
        return orjson.loads(data)

    def encode_json(self, data: object) -> bytes:
        return orjson.dumps(data)

    async def execute_single(  # noqa: PLR0917  # Strawberry's signature
        self,
        request: Request,
        request_adapter: AsyncHTTPRequestAdapter,
        sub_response: Response,
        context: object,
        root_value: None,
        request_data: GraphQLRequestData,
    ) -> ExecutionResult:
        del sub_response
        method = request_adapter.method
        correlation.bind_operation(request_data.operation_name)
        started = time.perf_counter()
        try:
            result = await self.schema.execute(
                request_data.query,
                root_value=root_value,
                variable_values=request_data.variables,
                context_value=context,
                operation_name=request_data.operation_name,
                allowed_operation_types=_METHOD_TYPES[method],
                operation_extensions=request_data.extensions,
            )
        except InvalidOperationTypeError as error:
            raise _wrong_method(error, method) from error
        early = isinstance(result, PreExecutionError)
        # Variables are checked by graphql-core's executor: no data and no path say the same.
        result.errors, outcome = self.desk.present(result.errors, before_execution=early)
        request.state.refused = result.data is None and all(e.path is None for e in result.errors)
        self.desk.finished(
            request_data.query,
            outcome,
            time.perf_counter() - started,
            request_data.operation_name,
        )
        return result

    async def process_result(
        self, request: Request, result: ExecutionResult
    ) -> GraphQLHTTPResponse:
        response = await super().process_result(request, result)
        if request.state.refused:
            # "If the request did not execute, the response must not have data" (GraphQL 7.1).
            response.pop("data", None)
        return response

    def create_response(
        self,
        response_data: GraphQLHTTPResponse | list[GraphQLHTTPResponse],
        sub_response: Response,
    ) -> Response:
        response = super().create_response(response_data, sub_response)
        if sub_response.media_type == MODERN_MEDIA_TYPE:
            response.headers["content-type"] = f"{MODERN_MEDIA_TYPE}; charset=utf-8"
            response.status_code = self._status_of(cast("GraphQLHTTPResponse", response_data))
        response.headers["cache-control"] = "no-store"
        return response

    def _status_of(self, answer: GraphQLHTTPResponse) -> int:
        """For the modern media type only: plain JSON is read behind a 200 whatever it says."""
        errors = cast("list[GraphQLFormattedError]", answer.get("errors") or [])
        if "data" in answer:
            return self._partial_status if errors else HTTPStatus.OK
        codes = [error.get("extensions", {}).get("code") for error in errors]
        return max((_STATUSES.get(str(code), 400) for code in codes), default=400)


def media_type_of(request: Request | WebSocket) -> str:
    """What to answer ``request`` with. Raises RequestRefused when it takes nothing we have."""
    chosen = media_type_for(request.headers)
    if chosen is None:
        raise RequestRefused(
            HTTPStatus.NOT_ACCEPTABLE,
            GatewayErrorCode.NOT_ACCEPTABLE,
            f"Answers are {MODERN_MEDIA_TYPE} or {LEGACY_MEDIA_TYPE}, in UTF-8; "
            "subscriptions also text/event-stream.",
        )
    return chosen


def _wrong_method(error: InvalidOperationTypeError, method: str) -> RequestRefused:
    if error.operation_type is OperationType.SUBSCRIPTION:
        return RequestRefused(
            HTTPStatus.BAD_REQUEST,
            GatewayErrorCode.SUBSCRIPTION_NEEDS_STREAM,
            "Subscriptions need a stream: a WebSocket with the protocol graphql-transport-ws, "
            "or a request with Accept: text/event-stream.",
        )
    return RequestRefused(
        HTTPStatus.METHOD_NOT_ALLOWED,
        GatewayErrorCode.METHOD_NOT_ALLOWED,
        error.as_http_error_reason(method).capitalize() + "; use POST.",
        headers={"allow": "POST"},
    )
