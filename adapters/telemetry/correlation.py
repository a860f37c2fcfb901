"""Correlation in, through and out: one id a person can quote, one trace a tool can follow.

The id is ours (``x-correlation-id``), the trace is W3C Trace Context, level 1
(``traceparent: 00-<trace id>-<parent span id>-<flags>``).
"""

import re
import secrets
from contextvars import ContextVar
from dataclasses import dataclass

import structlog

CORRELATION_HEADER = "x-correlation-id"
TRACEPARENT_HEADER = "traceparent"
TRACERESPONSE_HEADER = "traceresponse"

_WELL_FORMED = re.compile(r"[A-Za-z0-9._-]{8,64}")
_TRACEPARENT = re.compile(r"00-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})")


@dataclass(frozen=True, slots=True)
class Correlation:
    """What ties together all that one request caused."""

    id: str
    trace_id: str
    span_id: str
    """This process's own span; the parent of calls it makes."""
    sampled: bool = False

    @property
    def traceparent(self) -> str:
        return f"00-{self.trace_id}-{self.span_id}-{'01' if self.sampled else '00'}"


_current: ContextVar[Correlation | None] = ContextVar("okd_correlation", default=None)


def begin(correlation_id: str | None = None, traceparent: str | None = None) -> Correlation:
    """Take over what the caller sent as far as it is well formed; make the rest.

    Binds the result to the current task and to its log lines. Whatever was bound before is
    dropped: a connection's next request may start in the context of the one before.
    """
    trace = _TRACEPARENT.fullmatch(traceparent or "")
    valid = trace is not None and int(trace[1], 16) != 0 and int(trace[2], 16) != 0
    given = correlation_id if _WELL_FORMED.fullmatch(correlation_id or "") else None
    return _bind(
        Correlation(
            id=given or secrets.token_hex(12),
            trace_id=trace[1] if trace and valid else secrets.token_hex(16),
            span_id=secrets.token_hex(8),
            sampled=bool(trace and valid and int(trace[3], 16) & 1),
        )
    )


def begin_operation(parent: Correlation, number: int) -> Correlation:
    """One operation of a longer connection: an id of its own that leads back to the socket's."""
    return _bind(
        Correlation(
            id=f"{parent.id[:56]}.{number}",
            trace_id=parent.trace_id,
            span_id=secrets.token_hex(8),
            sampled=parent.sampled,
        )
    )


def current() -> Correlation:
    """The running request's; outside of any, a fresh one is bound to the task."""
    return _current.get() or begin()


def bind_operation(name: str | None) -> None:
    """Put the operation's name on every further log line of this task."""
    structlog.contextvars.bind_contextvars(operation=name)


def outgoing_headers() -> dict[str, str]:
    """What a call to another service carries, so that its log can be found from ours."""
    correlation = current()
    return {
        CORRELATION_HEADER: correlation.id,
        TRACEPARENT_HEADER: correlation.traceparent,
    }


def response_headers(correlation: Correlation) -> list[tuple[bytes, bytes]]:
    """What the caller gets back, in ASGI's form."""
    return [
        (CORRELATION_HEADER.encode(), correlation.id.encode()),
        (TRACERESPONSE_HEADER.encode(), correlation.traceparent.encode()),
    ]


def _bind(correlation: Correlation) -> Correlation:
    _current.set(correlation)
    structlog.contextvars.clear_contextvars()
    structlog.contextvars.bind_contextvars(
        correlation_id=correlation.id, trace_id=correlation.trace_id
    )
    return correlation
