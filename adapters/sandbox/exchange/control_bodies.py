"""What the control plane understands: JSON objects; errors have a code and a sentence."""

from decimal import Decimal
from enum import StrEnum
from http import HTTPStatus
from typing import Any

import orjson
from starlette.requests import Request

from adapters.sandbox.exchange.instruments import Category

BODY_MAX_BYTES = 4_096
SECONDS_MAX = 3_600
COUNT_MAX = 10_000
LATENCY_MAX_MS = 60_000
SKEW_MAX_MS = 300_000
PERCENT_MIN, PERCENT_MAX = Decimal(-90), Decimal(900)

Body = dict[str, Any]


class ControlError(StrEnum):
    NOT_LOOPBACK = "NOT_LOOPBACK"
    WRONG_TOKEN = "WRONG_TOKEN"  # noqa: S105  # the name of an error
    INVALID_BODY = "INVALID_BODY"
    UNKNOWN_TOPIC = "UNKNOWN_TOPIC"
    UNKNOWN_INSTRUMENT = "UNKNOWN_INSTRUMENT"
    NOT_POSSIBLE = "NOT_POSSIBLE"


class Refused(Exception):
    def __init__(self, code: ControlError, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


async def read_body(request: Request) -> Body:
    raw = bytearray()
    async for chunk in request.stream():
        raw += chunk
        if len(raw) > BODY_MAX_BYTES:
            raise invalid(f"the body exceeds {BODY_MAX_BYTES} bytes")
    if not raw:
        return {}
    try:
        body = orjson.loads(bytes(raw))
    except orjson.JSONDecodeError as error:
        raise invalid(f"the body is not JSON: {error}") from error
    if not isinstance(body, dict):
        raise invalid("the body must be a JSON object")
    return body


def invalid(message: str) -> Refused:
    return Refused(ControlError.INVALID_BODY, message)


def text(body: Body, key: str) -> str:
    value = body.get(key)
    if not isinstance(value, str) or not value:
        raise invalid(f"{key} must be a string that is not empty")
    return value


def one_of(body: Body, key: str, words: type[StrEnum], *, default: str = "") -> str:
    value = body.get(key, default)
    if value not in set(words):
        raise invalid(f"{key} must be one of {', '.join(words)}")
    return str(value)


def number(body: Body, key: str, low: float, high: float) -> float:
    value = body.get(key)
    if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
        raise invalid(f"{key} must be a number from {low} to {high}")
    return value


def whole(body: Body, key: str, low: int, high: int) -> int:
    value = body.get(key)
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
        raise invalid(f"{key} must be a whole number from {low} to {high}")
    return value


def seconds(body: Body) -> float:
    return number(body, "seconds", 0, SECONDS_MAX)


def category(body: Body) -> Category:
    return Category(one_of(body, "category", Category))


def percent(body: Body) -> Decimal:
    value = body.get("percent")
    if isinstance(value, int | float) and not isinstance(value, bool):
        given = Decimal(str(value))
        if given and PERCENT_MIN <= given <= PERCENT_MAX:
            return given
    raise invalid(f"percent must be a number from {PERCENT_MIN} to {PERCENT_MAX}, not 0")


def api_path(body: Body) -> str:
    path = text(body, "path")
    if not path.startswith("/v5/"):
        raise invalid("path must begin with /v5/")
    return path


def http_status(body: Body) -> int:
    status = whole(body, "status", 400, 599)
    if status not in set(HTTPStatus):
        raise invalid("status must be an HTTP status")
    return status


def headers(body: Body) -> dict[str, str]:
    value = body.get("headers", {})
    if isinstance(value, dict) and all(_is_header(pair) for pair in value.items()):
        return value
    raise invalid("headers must be an object of printable ASCII strings")


def _is_header(pair: tuple[str, object]) -> bool:
    return all(isinstance(part, str) and part.isascii() and part.isprintable() for part in pair)
