"""GraphQL over HTTP: Strawberry's view, made strict.

What is changed and why: errors leave through the desk (Strawberry shows exception text), bodies
that are no JSON object are refused instead of crashing, a subscription sent by POST is refused
instead of executed, request errors answer 400 to who accepts the modern media type, and the
context is made per operation.
"""

import time
from http import HTTPStatus
from json import JSONDecodeError

import orjson
from cross_web import AsyncHTTPRequestAdapter, HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.websockets import WebSocket
from strawberry.asgi import GraphQL
from strawberry.exceptions import MissingQueryError
from strawberry.http import GraphQLHTTPResponse, GraphQLRequestData
from strawberry.schema.base import BaseSchema
from strawberry.schema.exceptions import CannotGetOperationTypeError, InvalidOperationTypeError
from strawberry.types import ExecutionResult
from strawberry.types.execution import PreExecutionError
from strawberry.types.graphql import OperationType

from adapters.gateway.desk import ConnectionInfo, OperationDesk, Transport
from adapters.gateway.flood import address_of
from adapters.telemetry import correlation

MODERN_MEDIA_TYPE = "application/graphql-response+json"

_METHOD_TYPES = {
    "GET": {OperationType.QUERY},
    "POST": {OperationType.QUERY, OperationType.MUTATION},
}


class GraphQLView(GraphQL[object, None]):
    """One per process; holds nothing of a request."""

    def __init__(self, schema: BaseSchema, *, desk: OperationDesk) -> None:
        super().__init__(schema, graphql_ide=None, subscription_protocols=[])
        self.desk = desk

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
        modern = MODERN_MEDIA_TYPE in request.headers.get("accept", "")
        answer.media_type = MODERN_MEDIA_TYPE if modern else "application/json"
        return answer

    def decode_json(self, data: str | bytes) -> object:
        # orjson: strict UTF-8, no NaN, a bound on depth. json raises RecursionError on the latter.
        return orjson.loads(data)

    def encode_json(self, data: object) -> bytes:
        return orjson.dumps(data)

    def parse_json(self, data: str | bytes) -> object:
        try:
            parsed = self.decode_json(data)
        except JSONDecodeError as error:
            raise HTTPException(400, "The request is not valid JSON in UTF-8.") from error
        if isinstance(parsed, dict | list):
            return parsed
        raise HTTPException(400, "The request's body must be a JSON object.")

    async def parse_http_body(
        self, request: AsyncHTTPRequestAdapter
    ) -> GraphQLRequestData | list[GraphQLRequestData]:
        data = await super().parse_http_body(request)
        if isinstance(data, GraphQLRequestData) and not isinstance(data.operation_name, str | None):
            raise HTTPException(400, "`operationName` must be a string or null.")
        return data

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
        except MissingQueryError as error:
            raise HTTPException(400, "The request holds no `query`.") from error
        except CannotGetOperationTypeError as error:
            raise HTTPException(400, error.as_http_error_reason()) from error
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
            if "data" not in response_data:
                response.status_code = HTTPStatus.BAD_REQUEST
        response.headers["cache-control"] = "no-store"
        return response


def _wrong_method(error: InvalidOperationTypeError, method: str) -> HTTPException:
    if error.operation_type is OperationType.SUBSCRIPTION:
        return HTTPException(
            400,
            "Subscriptions need a WebSocket (graphql-transport-ws) or Accept: text/event-stream.",
        )
    return HTTPException(405, error.as_http_error_reason(method))
