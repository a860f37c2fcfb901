"""Layers around every request, plain ASGI: correlation, limits, the last catch.

Outermost first, as ``application.py`` stacks them. BaseHTTPMiddleware is not used: it breaks
contextvars and streamed answers.
"""

import asyncio
from collections.abc import Callable
from http import HTTPStatus

import structlog
from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from adapters.gateway.answers import error_answer
from adapters.gateway.errors import INTERNAL_MESSAGE, GatewayErrorCode
from adapters.telemetry import ErrorReporter, correlation
from domain.kernel.failures import FailureCode

BODY_BYTES_MAX = 1024 * 1024
# A phone on a bad line sends 1 MiB in this time; a slow-body attack holds its slot no longer.
BODY_SECONDS_MAX = 15.0

_STARTS = ("http.response.start", "websocket.accept", "websocket.http.response.start")
_WS_INTERNAL_ERROR = 1011

log = structlog.get_logger("gateway")


class CorrelationMiddleware:
    """Gives each request its correlation and answers it, websocket handshakes included."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            await self.app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        started = correlation.begin(
            headers.get(correlation.CORRELATION_HEADER),
            headers.get(correlation.TRACEPARENT_HEADER),
        )
        await self.app(scope, receive, _with_headers(send, lambda h: _extend(h, started)))


class LastCatchMiddleware:
    """What nothing below caught: logged once, masked. One of the three outermost places."""

    def __init__(self, app: ASGIApp, *, reporter: ErrorReporter) -> None:
        self.app = app
        self._reporter = reporter

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            await self.app(scope, receive, send)
            return
        started = False

        async def watched(message: Message) -> None:
            nonlocal started
            started = started or message["type"] in _STARTS
            await send(message)

        try:
            await self.app(scope, receive, watched)
        except ClientDisconnect:
            pass  # left, or was cut, before its request was whole; nobody to tell
        except Exception as error:  # outermost
            log.exception("request_crashed", kind=scope["type"], path=scope["path"])
            self._reporter.report(error, {"correlation_id": correlation.current().id})
            # Once a part of an answer is out, only the broken connection (the server closes it)
            # can say that it is not whole.
            if not started:
                await self._mask(scope, receive, send)

    async def _mask(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": _WS_INTERNAL_ERROR})
            return
        await error_answer(
            HTTPStatus.INTERNAL_SERVER_ERROR, FailureCode.INTERNAL, INTERNAL_MESSAGE
        )(scope, receive, send)


class BodyLimitMiddleware:
    """Bounds size and time of request bodies, announced or not."""

    def __init__(
        self,
        app: ASGIApp,
        *,
        bytes_max: int = BODY_BYTES_MAX,
        seconds_max: float = BODY_SECONDS_MAX,
    ) -> None:
        self.app = app
        self._bytes_max = bytes_max
        self._seconds_max = seconds_max

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        announced = Headers(scope=scope).get("content-length", "0")
        if not announced.isdecimal() or int(announced) > self._bytes_max:
            await self._too_large()(scope, receive, send)
            return
        try:
            await self.app(scope, self._bounded(receive), send)
        except _BodyTooLargeError:
            await self._too_large()(scope, receive, send)
        except _BodyTooSlowError:
            await self._too_slow()(scope, receive, send)

    def _bounded(self, receive: Receive) -> Receive:
        received = 0
        complete = False
        deadline = asyncio.get_running_loop().time() + self._seconds_max

        async def bounded() -> Message:
            nonlocal received, complete
            if complete:  # from here on it only waits for the client to leave
                return await receive()
            try:
                async with asyncio.timeout_at(deadline):
                    message = await receive()
            except TimeoutError:
                raise _BodyTooSlowError from None
            received += len(message.get("body", b""))
            complete = not message.get("more_body", False)
            if received > self._bytes_max:
                raise _BodyTooLargeError
            return message

        return bounded

    def _too_large(self) -> ASGIApp:
        answer = error_answer(
            HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
            GatewayErrorCode.PAYLOAD_TOO_LARGE,
            f"The request's body may have at most {self._bytes_max} bytes.",
        )
        # The unread rest of the body must not be taken for the next request.
        answer.headers["connection"] = "close"
        return answer

    def _too_slow(self) -> ASGIApp:
        answer = error_answer(
            HTTPStatus.REQUEST_TIMEOUT,
            GatewayErrorCode.REQUEST_TIMEOUT,
            f"The request's body did not arrive within {self._seconds_max:g} seconds.",
        )
        answer.headers["connection"] = "close"
        return answer


class _BodyTooLargeError(Exception):
    """Internal to this module."""


class _BodyTooSlowError(Exception):
    """Internal to this module."""


def _extend(headers: MutableHeaders, started: correlation.Correlation) -> None:
    headers.raw.extend(correlation.response_headers(started))


def _with_headers(send: Send, add: Callable[[MutableHeaders], None]) -> Send:
    async def sending(message: Message) -> None:
        if message["type"] in _STARTS:
            message.setdefault("headers", [])
            add(MutableHeaders(scope=message))
        await send(message)

    return sending
