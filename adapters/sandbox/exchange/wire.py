"""How Bybit V5 writes things: scaled integers as decimal strings, milliseconds, compact JSON.

Every price and size that leaves the exchange starts as an integer count of some power of ten and
becomes text by string surgery: exact, and about five times faster than formatting a Decimal (250
numbers per second add up).
"""

from datetime import UTC, datetime, timedelta
from typing import Any

import orjson

from domain.kernel.clock import Clock

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MILLISECOND = timedelta(milliseconds=1)


def epoch_ms(clock: Clock) -> int:
    return (clock.now() - EPOCH) // MILLISECOND


def epoch_ns(clock: Clock) -> int:
    return (clock.now() - EPOCH) // timedelta(microseconds=1) * 1000


def fixed(units: int, decimals: int) -> str:
    """Write `units` of 10^-decimals with exactly that many decimals: how linear prices look."""
    if decimals == 0:
        return str(units)
    sign = "-" if units < 0 else ""
    digits = str(abs(units)).rjust(decimals + 1, "0")
    return f"{sign}{digits[:-decimals]}.{digits[-decimals:]}"


def plain(units: int, decimals: int) -> str:
    """Write `units` of 10^-decimals without trailing zeros: how spot prices and rates look."""
    text = fixed(units, decimals)
    return text.rstrip("0").rstrip(".") if decimals else text


def rescaled(units: int, decimals: int, to_decimals: int) -> int:
    """Convert units of 10^-decimals to units of 10^-to_decimals, rounding half up."""
    if to_decimals >= decimals:
        return int(units * 10 ** (to_decimals - decimals))
    divisor: int = 10 ** (decimals - to_decimals)
    return (units + divisor // 2) // divisor


def ratio(part: int, whole: int, decimals: int) -> int:
    """Return part / whole in units of 10^-decimals, rounding half up; 0 when there is no whole."""
    return (2 * part * 10**decimals + whole) // (2 * whole) if whole else 0


def encoded(frame: dict[str, Any]) -> str:
    """Encode once; the same text goes to every subscriber."""
    return orjson.dumps(frame).decode()
