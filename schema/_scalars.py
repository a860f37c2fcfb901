"""Scalars that money can pass through unharmed.

Strawberry's own Decimal takes NaN and floats and prints 1E-8; its DateTime takes naive times.
"""

import re
from datetime import UTC, datetime
from decimal import Decimal
from uuid import UUID

import strawberry
from graphql import GraphQLError
from strawberry.types.scalar import ScalarDefinition

from schema.tape import CandleRows

_DECIMAL = re.compile(r"-?(0|[1-9]\d{0,19})(\.\d{1,18})?", re.ASCII)
_DATE_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?(Z|[+-]\d\d:\d\d)", re.ASCII)
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.ASCII | re.IGNORECASE)
# Longer than any valid value: what is echoed in an error stays short.
_ECHOED_CHARACTERS_MAX = 40


def parse_decimal(value: object) -> Decimal:
    """Read a number in plain notation from a string; floats have lost digits before they arrive."""
    if isinstance(value, str) and _DECIMAL.fullmatch(value):
        return Decimal(value)
    raise GraphQLError(
        f"{_echo(value)} is not a Decimal: send a string in plain notation with at most 20 digits "
        'before and 18 after the point, such as "0.015".'
    )


def print_decimal(value: object) -> str:
    """Plain notation, never an exponent, all digits kept."""
    if not isinstance(value, Decimal) or not value.is_finite():
        raise TypeError(f"a Decimal field got {type(value).__name__}")
    return format(value, "f")


def parse_date_time(value: object) -> datetime:
    """Read an RFC 3339 instant; the offset is mandatory."""
    if isinstance(value, str) and _DATE_TIME.fullmatch(value):
        try:
            return datetime.fromisoformat(value).astimezone(UTC)
        except (ValueError, OverflowError):  # the 30th of February, the year 0
            pass
    raise GraphQLError(
        f"{_echo(value)} is not a DateTime: send RFC 3339 with an offset, "
        'such as "2026-01-31T12:00:00.000Z".'
    )


def print_date_time(value: object) -> str:
    """UTC with milliseconds and Z."""
    if not isinstance(value, datetime) or value.tzinfo is None:
        raise TypeError("a DateTime field got something that is no aware datetime")
    return f"{value.astimezone(UTC).replace(tzinfo=None).isoformat(timespec='milliseconds')}Z"


def parse_uuid(value: object) -> UUID:
    """Read a UUID in its usual form: the 36 characters that everybody writes."""
    if isinstance(value, str) and _UUID.fullmatch(value):
        return UUID(value)
    raise GraphQLError(
        f'{_echo(value)} is not a UUID: send one such as "019ab2c4-6f00-7c3a-9d5e-3a1f0c7be201".'
    )


def _echo(value: object) -> str:
    text = repr(value)
    return text if len(text) <= _ECHOED_CHARACTERS_MAX else f"{text[:_ECHOED_CHARACTERS_MAX]}..."


def _refuse(value: object) -> object:
    raise GraphQLError(f"{_echo(value)}: candle rows are only read.")


def _as_it_is(value: object) -> object:
    return value


SCALARS: dict[object, ScalarDefinition] = {
    CandleRows: strawberry.scalar(
        name="CandleRows",
        description="Candles as rows, oldest first: `[[startMs, open, high, low, close, volume, "
        "turnover, confirmed], ...]`; numbers but the first are Decimal strings.",
        serialize=_as_it_is,
        parse_value=_refuse,
        specified_by_url="https://www.rfc-editor.org/rfc/rfc8259#section-5",
    ),
    Decimal: strawberry.scalar(
        name="Decimal",
        description="An exact number as a string in plain notation: `-?(0|[1-9]\\d*)(\\.\\d+)?`, "
        "at most 20 digits before the point and 18 after it. Never a float.",
        serialize=print_decimal,
        parse_value=parse_decimal,
        specified_by_url="https://www.rfc-editor.org/rfc/rfc8259#section-7",
    ),
    UUID: strawberry.scalar(
        name="UUID",
        description="A UUID in its usual form of 36 characters, of any version.",
        serialize=str,
        parse_value=parse_uuid,
        specified_by_url="https://www.rfc-editor.org/rfc/rfc9562",
    ),
    datetime: strawberry.scalar(
        name="DateTime",
        description="An instant in UTC as RFC 3339 with milliseconds: `2026-01-31T12:00:00.000Z`.",
        serialize=print_date_time,
        parse_value=parse_date_time,
        specified_by_url="https://www.rfc-editor.org/rfc/rfc3339",
    ),
}
