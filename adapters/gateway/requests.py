"""What an HTTP request asks for, read strictly: an operation, or a refusal with a reason.

Used by every way in that carries the operation in a body or a query string.
"""

from collections.abc import Mapping
from http import HTTPStatus

import orjson
from starlette.requests import ClientDisconnect, Request
from strawberry.http import GraphQLRequestData

from adapters.gateway.answers import RequestRefused
from adapters.gateway.errors import GatewayErrorCode
from adapters.gateway.negotiation import is_json_body

_PARAMETERS = ("query", "operationName", "variables", "extensions", "documentId")


async def read_operation(request: Request) -> GraphQLRequestData:
    """The operation of ``request``. Raises RequestRefused."""
    if request.method == "GET":
        given = _query_string(request)
    else:
        _check_content(request)
        try:
            body = await request.body()
        except ClientDisconnect as error:  # nobody will read this; it is no crash of ours
            raise _bad("The request's body ended early.") from error
        given = _object(_json(body, "The request's body"))
    return _operation(given)


def _check_content(request: Request) -> None:
    kinds = request.headers.getlist("content-type")
    if len(kinds) > 1:
        raise _bad("The request has several Content-Type headers; send one.")
    if not kinds or not is_json_body(kinds[0]):
        # A form or plain text is what a foreign page may send without asking first.
        raise _unsupported("Send the operation as application/json in UTF-8.")
    if request.headers.get("content-encoding", "identity").lower() != "identity":
        raise _unsupported("Compressed bodies are not read; send it plain.")


def _query_string(request: Request) -> Mapping[str, object]:
    given: dict[str, object] = {}
    for name, value in request.query_params.multi_items():
        if name in given:
            raise _bad(f"`{name}` is given twice." if name in _PARAMETERS else "Given twice.")
        if name in ("variables", "extensions"):
            given[name] = _json(value, f"`{name}`") if value else None
        elif name in _PARAMETERS:
            given[name] = value
    return given


def _json(text: bytes | str, what: str) -> object:
    try:
        # orjson: strict UTF-8, no NaN, no lone surrogate, a bound on depth and on digits.
        return orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise _bad(f"{what} is not valid JSON in UTF-8.") from error


def _object(parsed: object) -> Mapping[str, object]:
    if isinstance(parsed, dict):
        return parsed
    if isinstance(parsed, list):
        raise _bad("Batches are not accepted: send one operation per request.")
    raise _bad("The request's body must be a JSON object.")


def _operation(given: Mapping[str, object]) -> GraphQLRequestData:
    query = given.get("query")
    name = given.get("operationName")
    variables = given.get("variables")
    extensions = given.get("extensions")
    if not isinstance(query, str | None):
        raise _bad("`query` must be a string.")
    if not isinstance(name, str | None):
        raise _bad("`operationName` must be a string or null.")
    if not isinstance(variables, dict | None):
        raise _bad("`variables` must be an object or null.")
    if not isinstance(extensions, dict | None):
        raise _bad("`extensions` must be an object or null.")
    if not query:
        raise _no_text(given.get("documentId"), extensions)
    return GraphQLRequestData(query, variables, name, extensions)


def _no_text(document_id: object, extensions: Mapping[str, object] | None) -> RequestRefused:
    if document_id is not None:
        return RequestRefused(
            HTTPStatus.BAD_REQUEST,
            GatewayErrorCode.PERSISTED_QUERY_NOT_FOUND,
            "No document is kept under this `documentId`. Send its text as `query`.",
            legacy_status=HTTPStatus.OK,
        )
    if extensions and "persistedQuery" in extensions:
        # Apollo's clients compare this very text, then send the whole document from there on;
        # NOT_FOUND would have them ask twice for every operation.
        return RequestRefused(
            HTTPStatus.BAD_REQUEST,
            GatewayErrorCode.PERSISTED_QUERY_NOT_SUPPORTED,
            "PersistedQueryNotSupported",
            legacy_status=HTTPStatus.OK,
        )
    return _bad("The request holds no `query`.")


def _bad(message: str) -> RequestRefused:
    return RequestRefused(HTTPStatus.BAD_REQUEST, GatewayErrorCode.BAD_REQUEST, message)


def _unsupported(message: str) -> RequestRefused:
    return RequestRefused(
        HTTPStatus.UNSUPPORTED_MEDIA_TYPE, GatewayErrorCode.UNSUPPORTED_MEDIA_TYPE, message
    )
