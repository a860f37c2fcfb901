"""Answers the gateway gives by itself: errors in GraphQL's shape, whatever layer refuses."""

import math

import orjson
from starlette.responses import Response

from adapters.gateway.errors import extensions
from adapters.telemetry import correlation


def error_answer(
    status: int, code: str, message: str, *, retry_after_seconds: float | None = None
) -> Response:
    """A typed error for a request that never became an operation."""
    body = {
        "errors": [
            {
                "message": message,
                "extensions": extensions(
                    code,
                    correlation.current().id,
                    retryable=retry_after_seconds is not None,
                    retry_after_seconds=retry_after_seconds,
                ),
            }
        ]
    }
    headers = {}
    if retry_after_seconds is not None:
        headers["retry-after"] = str(max(1, math.ceil(retry_after_seconds)))
    return json_answer(body, status=status, headers=headers)


def json_answer(
    body: object, *, status: int = 200, headers: dict[str, str] | None = None
) -> Response:
    """``body`` as JSON; nobody may cache it."""
    return Response(
        orjson.dumps(body),
        status,
        {"cache-control": "no-store", **(headers or {})},
        "application/json",
    )
