"""Fields as Bybit writes them: numbers are strings, "" means none, times are milliseconds.

Readers raise UnusableField for what breaks the format; parse.py turns it into an ``Unusable``. The
words of the reasons come from this package only, never from the wire: they become metric labels.
"""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal

# Decimal() itself also takes NaN, Infinity, underscores, spaces and other scripts' digits.
_NUMBER = re.compile(r"-?[0-9]{1,40}(\.[0-9]{1,40})?([eE][+-]?[0-9]{1,2})?")
_DIGITS = re.compile(r"[0-9]{1,16}")
_SYMBOL = re.compile(r"[A-Za-z0-9._-]{1,64}")
_TIME_MS_MAX = 4_102_444_800_000  # 2100-01-01: later is nonsense, and far later overflows datetime

Fields = Mapping[str, object]


class UnusableField(Exception):
    """A field breaks the format, or a needed one is not there."""

    def __init__(self, reason: str, *, incomplete: bool = False) -> None:
        super().__init__(reason)
        self.reason = reason
        self.incomplete = incomplete


def fields(value: object, name: str) -> Fields:
    """``value`` when it is a JSON object."""
    if not isinstance(value, dict):
        raise UnusableField(f"not_an_object:{name}")
    return value


def items(value: object, name: str) -> list[object]:
    """``value`` when it is a JSON list."""
    if not isinstance(value, list):
        raise UnusableField(f"not_a_list:{name}")
    return value


def number_of(value: object, name: str) -> Decimal | None:
    """A decimal from its string; None for "", null and a missing field."""
    if value is None or value == "":
        return None
    # Only strings: a JSON number has been a float on its way here.
    if not isinstance(value, str) or _NUMBER.fullmatch(value) is None:
        raise UnusableField(f"not_a_number:{name}")
    return Decimal(value)


def number(data: Fields, name: str) -> Decimal | None:
    """The decimal called ``name``, None when there is none."""
    return number_of(data.get(name), name)


def needed_number(data: Fields, name: str) -> Decimal:
    """The decimal called ``name``, which must be there."""
    return needed_number_of(data.get(name), name)


def needed_number_of(value: object, name: str) -> Decimal:
    """A decimal from its string, which must not be empty."""
    found = number_of(value, name)
    if found is None:
        raise UnusableField(f"missing:{name}", incomplete=True)
    return found


def needed_count(data: Fields, name: str) -> int:
    """The whole number called ``name``, zero or more, which must be there as a JSON number."""
    value = data.get(name)
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise UnusableField(f"not_a_count:{name}")
    return value


def needed_flag(data: Fields, name: str) -> bool:
    """The truth value called ``name``, which must be there."""
    value = data.get(name)
    if not isinstance(value, bool):
        raise UnusableField(f"not_a_flag:{name}")
    return value


def instant(data: Fields, name: str) -> datetime | None:
    """An aware UTC instant from milliseconds; None for 0, "", null and a missing field."""
    value = data.get(name)
    if isinstance(value, str) and _DIGITS.fullmatch(value):
        value = int(value)
    if value is None or value == "" or (value == 0 and not isinstance(value, bool)):
        return None
    if not isinstance(value, int) or isinstance(value, bool) or not 0 < value < _TIME_MS_MAX:
        raise UnusableField(f"not_a_time:{name}")
    # Divided as integers: a float of this size loses the last digit of the milliseconds.
    seconds, milliseconds = divmod(value, 1000)
    return datetime.fromtimestamp(seconds, UTC).replace(microsecond=milliseconds * 1000)


def needed_instant(data: Fields, name: str) -> datetime:
    """The instant called ``name``, which must be there."""
    value = instant(data, name)
    if value is None:
        raise UnusableField(f"missing:{name}", incomplete=True)
    return value


def word(data: Fields, name: str) -> str | None:
    """A plain word (asset, status, symbol), None for "" and a missing field."""
    value = data.get(name)
    if value is None or value == "":
        return None
    if not isinstance(value, str) or _SYMBOL.fullmatch(value) is None:
        raise UnusableField(f"not_a_word:{name}")
    return value


def needed_word(data: Fields, name: str) -> str:
    """The word called ``name``, which must be there."""
    value = word(data, name)
    if value is None:
        raise UnusableField(f"missing:{name}", incomplete=True)
    return value
