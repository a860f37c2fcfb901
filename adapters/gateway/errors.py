"""What clients may read of an error: a closed shape, built anew, never the exception's own text.

::

    raised                                      code                        message
    GraphQLError marked ``userError``           its own                     its own
    Failure (domain.kernel.failures)            its own                     its own, vendor-free
    unparsable document                         GRAPHQL_PARSE_FAILED        graphql-core's
    invalid document                            GRAPHQL_VALIDATION_FAILED   graphql-core's
    variable or argument of a wrong value       BAD_USER_INPUT              graphql-core's
    Refusal                                     its own                     its own
    OperationTimeout (deadline)                 OPERATION_TIMEOUT           its own
    anything else                               INTERNAL                    one fixed sentence

Every error carries ``extensions { code correlationId retryable retryAfterMs? }``.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum

from graphql import GraphQLError, GraphQLSyntaxError, Node
from strawberry.exceptions import MissingQueryError, StrawberryInputCoercionError
from strawberry.schema.exceptions import CannotGetOperationTypeError, InvalidOperationTypeError

from adapters.gateway.deadline import OperationTimeout
from adapters.telemetry import Outcome
from domain.kernel.failures import Failure, FailureCode

USER_ERROR_MARK = "userError"
INTERNAL_MESSAGE = "Something went wrong on our side. Quote the correlation id when you report it."
# A hostile document can earn one error per token; nobody reads past the first few.
REQUEST_ERRORS_MAX = 5

_MESSAGE_CHARACTERS_MAX = 500

_VARIABLE = re.compile(r"Variable '\$\w+' has invalid value\b")
_ARGUMENT = re.compile(r"Argument '\w+' has invalid value\b")
_EXCEPTION_TEXT = re.compile(r", but encountered error '.*'(?=; found: )", re.DOTALL)
_SUGGESTION = re.compile(r" ?Did you mean [^?]*\?")


class GatewayErrorCode(StrEnum):
    """Codes of what is refused at the door, before any domain sees it."""

    BAD_REQUEST = "BAD_REQUEST"
    BAD_USER_INPUT = "BAD_USER_INPUT"
    DOCUMENT_LIMIT_EXCEEDED = "DOCUMENT_LIMIT_EXCEEDED"
    FILE_DAMAGED = "FILE_DAMAGED"
    FILE_GONE = "FILE_GONE"
    GRAPHQL_PARSE_FAILED = "GRAPHQL_PARSE_FAILED"
    GRAPHQL_VALIDATION_FAILED = "GRAPHQL_VALIDATION_FAILED"
    HEAD_TOO_LARGE = "HEAD_TOO_LARGE"
    LINK_EXPIRED = "LINK_EXPIRED"
    LINK_FORBIDDEN = "LINK_FORBIDDEN"
    METHOD_NOT_ALLOWED = "METHOD_NOT_ALLOWED"
    NOT_FOUND = "NOT_FOUND"
    NOT_ACCEPTABLE = "NOT_ACCEPTABLE"
    OPERATION_RESOLUTION_FAILURE = "OPERATION_RESOLUTION_FAILURE"
    OPERATION_TIMEOUT = "OPERATION_TIMEOUT"
    ORIGIN_FORBIDDEN = "ORIGIN_FORBIDDEN"
    OVERLOADED = "OVERLOADED"
    PAYLOAD_TOO_LARGE = "PAYLOAD_TOO_LARGE"
    PERSISTED_QUERY_NOT_FOUND = "PERSISTED_QUERY_NOT_FOUND"
    PERSISTED_QUERY_NOT_SUPPORTED = "PERSISTED_QUERY_NOT_SUPPORTED"
    RATE_LIMITED = "RATE_LIMITED"
    REQUEST_TIMEOUT = "REQUEST_TIMEOUT"
    SUBSCRIPTION_NEEDS_STREAM = "SUBSCRIPTION_NEEDS_STREAM"
    TOO_MANY_SUBSCRIPTIONS = "TOO_MANY_SUBSCRIPTIONS"
    UNSUPPORTED_MEDIA_TYPE = "UNSUPPORTED_MEDIA_TYPE"


class Refusal(GraphQLError):
    """Said no at the door. Its text and details are the gateway's own: clients may read them.

    A class and not a mark in ``extensions``: nothing that a resolver raises can pass for it.
    """

    def __init__(
        self,
        code: GatewayErrorCode,
        message: str,
        *,
        nodes: Node | None = None,
        details: Mapping[str, object] | None = None,
    ) -> None:
        super().__init__(message, nodes)
        self.code = code
        self.details = details


@dataclass(frozen=True, slots=True)
class Verdict:
    """One error, judged: what the client reads, and what we make of it."""

    code: str
    message: str
    outcome: Outcome
    cause: BaseException | None = None
    """What to log: the failure or the bug. None when it is the client's own doing."""
    retryable: bool = False
    retry_after_seconds: float | None = None
    details: Mapping[str, object] | None = None


def extensions(
    code: str,
    correlation_id: str,
    *,
    retryable: bool = False,
    retry_after_seconds: float | None = None,
) -> dict[str, object]:
    """The part every error has, whoever made it."""
    shown: dict[str, object] = {
        "code": code,
        "correlationId": correlation_id,
        "retryable": retryable,
    }
    if retry_after_seconds is not None:
        shown["retryAfterMs"] = round(retry_after_seconds * 1000)
    return shown


def judge(error: GraphQLError, *, before_execution: bool, suggestions: bool) -> Verdict:
    """Decide what ``error`` is. Pure: logging and counting are the caller's.

    ``before_execution`` tells whether it may be graphql-core's word about the document; once
    resolvers run, an unmarked GraphQLError is somebody's bug and its text stays here.
    """
    if isinstance(error, Refusal):
        return Verdict(error.code, error.message, Outcome.REFUSED, details=error.details)
    marked = error.extensions or {}
    if marked.get(USER_ERROR_MARK):
        return _user_error(error.message, marked)
    cause = _cause(error)
    if isinstance(cause, Failure):
        return Verdict(
            code=cause.code,
            message=cause.message,
            outcome=Outcome.FAILURE,
            cause=cause,
            retryable=cause.retryable,
            retry_after_seconds=cause.retry_after_seconds,
        )
    if isinstance(cause, OperationTimeout):
        return Verdict(
            code=GatewayErrorCode.OPERATION_TIMEOUT,
            message=cause.message,
            outcome=Outcome.FAILURE,
            cause=cause,
            retryable=True,
        )
    code = _refusal_code(error, cause, before_execution=before_execution)
    if code is None:
        return Verdict(FailureCode.INTERNAL, INTERNAL_MESSAGE, Outcome.INTERNAL, cause or error)
    return Verdict(code, _readable(error, cause, suggestions=suggestions), Outcome.REFUSED)


def shown(error: GraphQLError, verdict: Verdict, correlation_id: str) -> GraphQLError:
    """The error to send: same place in document and result, nothing else of the original."""
    common = extensions(
        verdict.code,
        correlation_id,
        retryable=verdict.retryable,
        retry_after_seconds=verdict.retry_after_seconds,
    )
    return GraphQLError(
        verdict.message,
        nodes=error.nodes,
        source=error.source,
        positions=error.positions,
        path=error.path,
        extensions={**(verdict.details or {}), **common},
    )


def _user_error(message: str, marked: Mapping[str, object]) -> Verdict:
    reserved = (USER_ERROR_MARK, "code", "correlationId", "retryable", "retryAfterMs")
    retry_after = marked.get("retryAfterMs")
    return Verdict(
        code=str(marked.get("code", GatewayErrorCode.BAD_USER_INPUT)),
        message=message,
        outcome=Outcome.USER_ERROR,
        retryable=bool(marked.get("retryable", False)),
        retry_after_seconds=retry_after / 1000 if isinstance(retry_after, int) else None,
        details={k: v for k, v in marked.items() if k not in reserved},
    )


def _refusal_code(
    error: GraphQLError, cause: BaseException | None, *, before_execution: bool
) -> GatewayErrorCode | None:
    """The code of an error the request itself is to blame for; None when it is not."""
    if isinstance(error, GraphQLSyntaxError):
        return GatewayErrorCode.GRAPHQL_PARSE_FAILED
    if isinstance(
        cause, CannotGetOperationTypeError | InvalidOperationTypeError | MissingQueryError
    ):
        return GatewayErrorCode.BAD_REQUEST
    if error.path is not None:
        is_argument = _ARGUMENT.match(error.message)
        return GatewayErrorCode.BAD_USER_INPUT if is_argument else None
    # Strawberry's own words about a variable of a @oneOf input: graphql-core puts none in front.
    of_variable = isinstance(error, StrawberryInputCoercionError) and not before_execution
    if of_variable or _VARIABLE.match(error.message):
        return GatewayErrorCode.BAD_USER_INPUT
    # A literal that a scalar refused arrives with the scalar's exception as its cause.
    if before_execution and (cause is None or _EXCEPTION_TEXT.search(error.message)):
        return GatewayErrorCode.GRAPHQL_VALIDATION_FAILED
    return None


def _readable(error: GraphQLError, cause: BaseException | None, *, suggestions: bool) -> str:
    if isinstance(cause, CannotGetOperationTypeError):
        return cause.as_http_error_reason()
    if isinstance(cause, MissingQueryError):
        return "The request holds no `query`."
    # What is quoted in it was sent by the client and may be as long as its request.
    text = _EXCEPTION_TEXT.sub("", error.message)
    text = text if suggestions else _SUGGESTION.sub("", text)
    too_long = len(text) > _MESSAGE_CHARACTERS_MAX
    return f"{text[:_MESSAGE_CHARACTERS_MAX]}..." if too_long else text


def _cause(error: GraphQLError) -> BaseException | None:
    """The innermost exception that is not GraphQL's; a group of failures counts as its first."""
    cause: BaseException | None = error
    while isinstance(cause, GraphQLError):
        cause = cause.original_error
    if isinstance(cause, BaseExceptionGroup):
        leaves = list(_leaves(cause))
        if all(isinstance(leaf, Failure) for leaf in leaves):
            return leaves[0]
    return cause


def _leaves(group: BaseExceptionGroup[BaseException]) -> Iterator[BaseException]:
    for error in group.exceptions:
        if isinstance(error, BaseExceptionGroup):
            yield from _leaves(error)
        else:
            yield error
