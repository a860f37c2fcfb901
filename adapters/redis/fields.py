"""The parts that frames are made of, read strictly: what is not as we write it is corrupt."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from domain.kernel.ids import InstrumentId

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)


class CorruptFrame(Exception):
    """These bytes are not a frame, or not of what was expected here."""


@contextmanager
def reading() -> Iterator[None]:
    """Raise whatever goes wrong with the block's data as CorruptFrame."""
    try:
        yield
    except (LookupError, ValueError, TypeError, ArithmeticError) as error:
        raise CorruptFrame(str(error)) from error


def check(met: bool) -> None:  # noqa: FBT001  # reads as an assertion
    """Raises ValueError."""
    if not met:
        raise ValueError("not what belongs here")


def names_of(instrument: InstrumentId) -> dict[str, object]:
    """What ``check_instrument`` looks at."""
    return {"category": instrument.category.value, "symbol": instrument.symbol}


def check_instrument(data: Mapping[str, Any], instrument: InstrumentId) -> None:
    """Raises ValueError for data of another one, KeyError."""
    check(data["category"] == instrument.category and data["symbol"] == instrument.symbol)


def milliseconds(at: datetime) -> int:
    return (at - _EPOCH) // _MILLISECOND


def instant(count: object) -> datetime:
    """Raises TypeError, OverflowError."""
    return _EPOCH + timedelta(milliseconds=whole(count))


def plain(number: Decimal) -> str:
    return format(number, "f")


def number(text: object) -> Decimal:
    """Raises TypeError, ValueError, decimal.InvalidOperation."""
    # A JSON number has been a float on its way and is refused: it may not be what was meant.
    found = Decimal(string(text))
    check(found.is_finite())
    return found


def string(value: object) -> str:
    """Raises TypeError."""
    if not isinstance(value, str):
        raise TypeError("numbers and names are strings")
    return value


def whole(value: object) -> int:
    """Raises TypeError."""
    if type(value) is not int:
        raise TypeError("instants and counts are whole numbers")
    return value


def flag(value: object) -> bool:
    """Raises TypeError."""
    if not isinstance(value, bool):
        raise TypeError("flags are true or false")
    return value
