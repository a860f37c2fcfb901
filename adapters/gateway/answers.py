"""Answers the gateway gives by itself: errors in GraphQL's shape, whatever layer refuses."""

import math
from collections.abc import Mapping

import orjson
from starlette.responses import Response

from adapters.gateway.errors import extensions
from adapters.gateway.negotiation import MODERN_MEDIA_TYPE
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


class RequestRefused(Exception):
    """A request that never becomes an operation; ``answer`` says why.

    ``legacy_status`` is for refusals that are well-formed GraphQL answers: who takes plain JSON
    reads them only behind a 200.
    """

    def __init__(
        self,
        status: int,
        code: str,
        message: str,
        *,
        legacy_status: int | None = None,
        headers: Mapping[str, str] | None = None,
        retry_after_seconds: float | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.legacy_status = legacy_status
        self.headers = headers or {}
        self.retry_after_seconds = retry_after_seconds

    def answer(self, media_type: str | None) -> Response:
        """For a client that takes ``media_type``."""
        well_formed = self.legacy_status is not None
        modern = media_type == MODERN_MEDIA_TYPE
        status = self.legacy_status if well_formed and not modern else self.status
        answer = error_answer(
            status or self.status,
            self.code,
            self.message,
            retry_after_seconds=self.retry_after_seconds,
        )
        if well_formed and modern:
            answer.headers["content-type"] = f"{MODERN_MEDIA_TYPE}; charset=utf-8"
        answer.headers.update(self.headers)
        return answer


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
