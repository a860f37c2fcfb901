"""Money: exact decimals of one asset. Nothing is rounded unless a function's name says how.

An amount has at most 20 digits before and 18 behind the point, as the API's ``Decimal`` and the
database's ``numeric(38,18)`` have. How many of the 18 an asset uses is its scale.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import (
    ROUND_CEILING,
    ROUND_FLOOR,
    Context,
    Decimal,
    DivisionByZero,
    Inexact,
    InvalidOperation,
    Overflow,
)

from domain.kernel.ids import AssetCode

INTEGER_DIGITS_MAX = 20
FRACTION_DIGITS_MAX = 18

_LIMIT = Decimal(10) ** INTEGER_DIGITS_MAX
# Python's own context keeps 28 digits and rounds the rest away in silence. This one has room for
# the product of two amounts, and raises where a digit would be lost.
_EXACT = Context(prec=80, traps=[Inexact, InvalidOperation, Overflow, DivisionByZero])
_STEPS = Context(prec=80, traps=[InvalidOperation, Overflow, DivisionByZero])
_ASSET_CODE = re.compile(r"[A-Z0-9]{1,20}", re.ASCII)


def asset_code(text: str) -> AssetCode | None:
    """``text`` when it has the form of an asset's code: 1 to 20 of A-Z and 0-9."""
    return AssetCode(text) if _ASSET_CODE.fullmatch(text) else None


def is_amount(value: Decimal) -> bool:
    """Whether ``value`` is a finite number within 20 and 18 digits."""
    # copy_abs: abs() would round to 28 digits, as every operator of Decimal does.
    small = value.is_finite() and value.copy_abs() < _LIMIT
    return small and scale_of(value) <= FRACTION_DIGITS_MAX


def scale_of(value: Decimal) -> int:
    """How many digits behind the point ``value`` needs; zeros at the end do not count."""
    _, digits, exponent = value.as_tuple()
    if not isinstance(exponent, int):  # "n", "N" or "F"
        raise ValueError("not a finite number")  # noqa: TRY004  # the value is wrong, not its type
    needed = -exponent
    for digit in reversed(digits):
        if digit or needed <= 0:
            break
        needed -= 1
    return max(0, needed) if any(digits) else 0


def plain(value: Decimal) -> str:
    """Plain notation without an exponent and without zeros at the end: one text per value."""
    text = format(value, "f")
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return "0" if text == "-0" else text


def trimmed(value: Decimal) -> Decimal:
    """The same value without zeros at the end: as many digits are shown as it has."""
    return Decimal(plain(value))


def total(values: Iterable[Decimal]) -> Decimal:
    """The exact sum."""
    result = Decimal(0)
    for value in values:
        result = _EXACT.add(result, value)
    return result


def exact_product(left: Decimal, right: Decimal) -> Decimal:
    """All digits of the product; round it afterwards, by name."""
    return _EXACT.multiply(left, right)


def round_down_to(value: Decimal, step: Decimal) -> Decimal:
    """The highest multiple of ``step`` that is not above ``value``: what somebody gets."""
    return _rounded(value, step, ROUND_FLOOR)


def round_up_to(value: Decimal, step: Decimal) -> Decimal:
    """The lowest multiple of ``step`` that is not below ``value``: what somebody pays."""
    return _rounded(value, step, ROUND_CEILING)


def unit_of(scale: int) -> Decimal:
    """The smallest amount at a scale: 0.01 at 2."""
    return Decimal(1).scaleb(-scale)


@dataclass(frozen=True, slots=True)
class Money:
    """An amount of one asset. Only money of the same asset can be added or compared."""

    amount: Decimal
    asset: AssetCode

    def __post_init__(self) -> None:
        if not is_amount(self.amount):
            raise ValueError(f"{self.amount} is no amount: at most 20 and 18 digits")

    def __add__(self, other: "Money") -> "Money":
        return Money(_EXACT.add(self.amount, self._same(other)), self.asset)

    def __sub__(self, other: "Money") -> "Money":
        return Money(_EXACT.subtract(self.amount, self._same(other)), self.asset)

    def __neg__(self) -> "Money":
        return Money(self.amount.copy_negate(), self.asset)

    def __lt__(self, other: "Money") -> bool:
        return self.amount < self._same(other)

    def __le__(self, other: "Money") -> bool:
        return self.amount <= self._same(other)

    def __str__(self) -> str:
        return f"{plain(self.amount)} {self.asset}"

    def _same(self, other: "Money") -> Decimal:
        if other.asset != self.asset:
            raise ValueError(f"{self.asset} and {other.asset} are not one asset")
        return other.amount


def _rounded(value: Decimal, step: Decimal, how: str) -> Decimal:
    if step <= 0:
        raise ValueError("a step is above zero")
    # Whole and rest are exact, unlike a quotient that does not end, such as 1 / 0.3.
    steps, rest = _STEPS.divmod(value, step)
    if rest and (how == ROUND_CEILING) == (value > 0):
        steps += 1 if value > 0 else -1
    return _EXACT.multiply(steps, step)
