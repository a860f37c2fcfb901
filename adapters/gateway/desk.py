"""What HTTP and WebSocket operations share: who asks, with which context, and what they may read.

Transport-independent on purpose: a transport of our own (or SSE) uses the same desk.
"""

import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from http import HTTPStatus

import structlog
from graphql import GraphQLError

from adapters.gateway.access import Access
from adapters.gateway.answers import RequestRefused
from adapters.gateway.errors import REQUEST_ERRORS_MAX, Verdict, judge, shown
from adapters.telemetry import ErrorReporter, Metrics, Outcome, correlation
from domain.kernel.failures import Failure, FailureCode
from domain.kernel.viewer import ANONYMOUS, Viewer

# Possessive throughout: with plain repeats a document of forty `#` takes hours to not match.
_KIND = re.compile(r"(?:[\s,\ufeff]++|#[^\n\r]*+)*+(query|mutation|subscription|\{)")
_SEVERITY = tuple(Outcome)
_RETRY_AFTER_SECONDS = 1.0

log = structlog.get_logger("graphql")


class Transport(StrEnum):
    """How an operation reached us."""

    HTTP = "http"
    WEBSOCKET = "websocket"
    SSE = "sse"


@dataclass(frozen=True, slots=True)
class ConnectionInfo:
    """What is known of the connection before anybody is known."""

    transport: Transport
    correlation: correlation.Correlation
    """Of this operation, not of the socket it came over."""
    address: str
    headers: Mapping[str, str]
    parameters: Mapping[str, object] = field(default_factory=dict)
    """The payload of ``connection_init``; empty over HTTP. Whatever a client likes to send, but
    for its token: that is there only while it is asked who that is."""


ContextFactory = Callable[[Viewer, ConnectionInfo], object]
Identify = Callable[[ConnectionInfo], Awaitable[Viewer]]
"""Who calls. Raises identity.AccessRefused, Unavailable, TimedOut."""

_STATUSES = {FailureCode.TIMED_OUT: HTTPStatus.GATEWAY_TIMEOUT}


async def nobody(_connection: ConnectionInfo) -> Viewer:
    """Identify everybody as anonymous."""
    return ANONYMOUS


class OperationDesk:
    """Makes contexts, judges errors, counts outcomes. One per process."""

    def __init__(
        self,
        *,
        context: ContextFactory,
        identify: Identify,
        access: Access | None = None,
        metrics: Metrics,
        reporter: ErrorReporter,
        suggestions: bool,
        request_errors_max: int = REQUEST_ERRORS_MAX,
    ) -> None:
        self.metrics = metrics
        self.access = access or Access()
        self._context = context
        self._identify = identify
        self._reporter = reporter
        self._suggestions = suggestions
        self._request_errors_max = request_errors_max

    async def context_for(self, connection: ConnectionInfo) -> object:
        """A fresh context per operation: loaders and rights must not outlive it."""
        return self.context(await self.admit(connection), connection)

    async def admit(self, connection: ConnectionInfo) -> Viewer:
        """Who sent a request. Raises RequestRefused, whatever the operation in it is."""
        try:
            return await self.identify(connection)
        except Failure as failure:
            raise RequestRefused(
                _STATUSES.get(failure.code, HTTPStatus.SERVICE_UNAVAILABLE),
                failure.code,
                failure.message,
                legacy_status=_STATUSES.get(failure.code, HTTPStatus.SERVICE_UNAVAILABLE),
                retry_after_seconds=failure.retry_after_seconds or _RETRY_AFTER_SECONDS,
            ) from failure

    async def identify(self, connection: ConnectionInfo) -> Viewer:
        """Who is at the other end. Raises as ``Identify`` does; a failure is logged here."""
        try:
            return await self._identify(connection)
        except Failure as failure:
            # Not its cause: what the libraries of signing in say may quote what was sent.
            log.warning("identity_unknown", code=failure.code, what=failure.what)
            self.metrics.error(failure.code)
            raise

    def context(self, viewer: Viewer, connection: ConnectionInfo) -> object:
        """A fresh context for somebody who is known already."""
        return self._context(viewer, connection)

    def present(
        self, errors: Sequence[GraphQLError] | None, *, before_execution: bool
    ) -> tuple[list[GraphQLError], Outcome]:
        """The errors as the client may read them, and how bad they are together."""
        if not errors:
            return [], Outcome.OK
        presented = []
        outcome = Outcome.OK
        correlation_id = correlation.current().id
        # Variables are checked by the executor: it names no path, and up to fifty of them.
        about_request = before_execution or all(error.path is None for error in errors)
        for error in errors[: self._request_errors_max] if about_request else errors:
            verdict = judge(error, before_execution=before_execution, suggestions=self._suggestions)
            self._note(error, verdict)
            outcome = max(outcome, verdict.outcome, key=_SEVERITY.index)
            presented.append(shown(error, verdict, correlation_id))
        return presented, outcome

    def crash(self, error: Exception) -> list[GraphQLError]:
        """What to send when executing itself broke."""
        wrapped = GraphQLError("", original_error=error)
        return self.present([wrapped], before_execution=False)[0]

    def finished(self, query: object, outcome: Outcome, seconds: float, name: str | None) -> None:
        kind = kind_of(query)
        self.metrics.operation(kind, outcome, seconds, name)
        log.debug("operation_finished", type=kind, outcome=outcome, seconds=round(seconds, 4))

    def _note(self, error: GraphQLError, verdict: Verdict) -> None:
        self.metrics.error(verdict.code)
        if verdict.cause is None:
            return
        path = ".".join(map(str, error.path or ()))
        if verdict.outcome is Outcome.FAILURE:
            # The vendor's own words are its __cause__; they belong here and nowhere else.
            reason = repr(verdict.cause.__cause__) if verdict.cause.__cause__ else None
            log.warning("operation_failed", code=verdict.code, path=path, reason=reason)
            return
        log.error("operation_crashed", path=path, exc_info=verdict.cause)
        self._reporter.report(
            verdict.cause, {"correlation_id": correlation.current().id, "path": path}
        )


def kind_of(query: object) -> str:
    """The type of a document's first operation, for metrics only; it is not parsed again."""
    found = _KIND.match(query) if isinstance(query, str) else None
    if found is None:
        return "unknown"
    return "query" if found[1] == "{" else found[1]
