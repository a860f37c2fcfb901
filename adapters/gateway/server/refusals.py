"""What is said to a peer before there is a request an application could answer.

The same shape as every other error, written by hand into the transport.
"""

from contextvars import Context
from dataclasses import dataclass
from http import HTTPStatus

from adapters.gateway.answers import error_answer
from adapters.gateway.errors import GatewayErrorCode
from adapters.gateway.headers import ANSWER_HEADERS
from adapters.telemetry import correlation

_RETRY_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class Refusal:
    """One way to say no."""

    reason: str
    """As counted in ``okd_refused_total``."""
    status: HTTPStatus
    code: GatewayErrorCode
    message: str
    retry_after_seconds: float | None = None

    def as_bytes(self, date: list[tuple[bytes, bytes]]) -> bytes:
        """The whole answer, after which the connection closes."""
        # A context of its own: the callbacks of a connection share one with whatever follows.
        return Context().run(self._rendered, date)

    def _rendered(self, date: list[tuple[bytes, bytes]]) -> bytes:
        answer = error_answer(
            self.status, self.code, self.message, retry_after_seconds=self.retry_after_seconds
        )
        headers = [
            *date,
            *answer.raw_headers,
            *ANSWER_HEADERS,
            *correlation.response_headers(correlation.current()),
            (b"connection", b"close"),
        ]
        lines = [b"%s: %s\r\n" % header for header in headers]
        status = f"HTTP/1.1 {self.status.value} {self.status.phrase}\r\n".encode()
        return b"".join([status, *lines, b"\r\n", answer.body])


MALFORMED = Refusal(
    "malformed",
    HTTPStatus.BAD_REQUEST,
    GatewayErrorCode.BAD_REQUEST,
    "This is not a well-formed HTTP/1.1 request.",
)
BAD_HANDSHAKE = Refusal(
    "malformed",
    HTTPStatus.BAD_REQUEST,
    GatewayErrorCode.BAD_REQUEST,
    "This is not a well-formed WebSocket handshake of version 13.",
)
URL_TOO_LONG = Refusal(
    "head_too_large",
    HTTPStatus.REQUEST_URI_TOO_LONG,
    GatewayErrorCode.HEAD_TOO_LARGE,
    "The address of this request is too long. Send the operation by POST.",
)
HEAD_TOO_LARGE = Refusal(
    "head_too_large",
    HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE,
    GatewayErrorCode.HEAD_TOO_LARGE,
    "The headers of this request are too large or too many.",
)
TOO_SLOW = Refusal(
    "slow",
    HTTPStatus.REQUEST_TIMEOUT,
    GatewayErrorCode.REQUEST_TIMEOUT,
    "The request did not arrive in time.",
)
PIPELINE_FULL = Refusal(
    "pipeline",
    HTTPStatus.TOO_MANY_REQUESTS,
    GatewayErrorCode.RATE_LIMITED,
    "Too many requests before the first was answered.",
)
ADDRESS_FULL = Refusal(
    "connections_per_address",
    HTTPStatus.TOO_MANY_REQUESTS,
    GatewayErrorCode.RATE_LIMITED,
    "Too many open connections from this address. Close some before opening others.",
    _RETRY_SECONDS,
)
PROCESS_FULL = Refusal(
    "connections_max",
    HTTPStatus.SERVICE_UNAVAILABLE,
    GatewayErrorCode.OVERLOADED,
    "This server holds as many connections as it can. Try again shortly.",
    _RETRY_SECONDS,
)
