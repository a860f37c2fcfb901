"""What a REST request asks for, and Bybit's refusals of what it must not ask.

A limit above the maximum is cut to it by the series endpoints (klines, trades, book, funding, open
interest), where clients are known to send more; instruments-info refuses it. That a non-number is
10001 is documented; the wordings without a source are ours in the venue's manner.
"""

from typing import Any

from starlette.requests import Request

from adapters.sandbox.exchange.instruments import Category
from adapters.sandbox.exchange.venue import Window

PARAMETER_ERROR = 10001
# Categories the venue knows and this exchange lists nothing in.
EMPTY_CATEGORIES = {"inverse", "option"}
DIGITS_MAX = 15


class Refusal(Exception):
    """A non-zero retCode."""

    def __init__(self, code: int, message: str, result: dict[str, Any] | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.result = result or {}


def invalid(what: str) -> Refusal:
    return Refusal(PARAMETER_ERROR, f"params error: {what}")


def text(request: Request, key: str) -> str:
    return request.query_params.get(key, "")


def category_of(request: Request, *, default: str = "") -> str:
    category = text(request, "category") or default
    if category not in {*Category, *EMPTY_CATEGORIES}:
        raise invalid("Category is invalid")
    return category


def limit_of(request: Request, default: int, most: int, *, cut: bool = True) -> int:
    limit = number(request, "limit")
    if limit is None:
        return default
    if limit < 1 or (limit > most and not cut):
        raise invalid("limit invalid")
    return min(limit, most)


def number(request: Request, key: str) -> int | None:
    given = text(request, key)
    if not given:
        return None
    if not (given.isascii() and given.isdigit() and len(given) <= DIGITS_MAX):
        raise invalid(f"{key} invalid")
    return int(given)


def window_of(request: Request, begin: str, end: str, *, default: int, most: int) -> Window:
    limit = limit_of(request, default, most)
    start_ms, end_ms = number(request, begin), number(request, end)
    if start_ms is not None and end_ms is not None and start_ms > end_ms:
        raise Refusal(PARAMETER_ERROR, "Time is invalid")
    return Window(start_ms, end_ms, limit)
