"""What money is worth: an amount of one asset told in another, at the prices of now.

A rate is a way through markets, each with its own price and age. Everything is exact to the end,
where a value is rounded once, half to even, to what its currency is counted in.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import (
    ROUND_HALF_EVEN,
    Context,
    Decimal,
    DivisionByZero,
    InvalidOperation,
    Overflow,
)
from enum import StrEnum

from domain.kernel.ids import AssetCode
from domain.kernel.money import unit_of

# Room for an amount of 38 digits times three prices, and for 40 digits of a quotient behind it.
_WIDE = Context(
    prec=160, rounding=ROUND_HALF_EVEN, traps=[InvalidOperation, Overflow, DivisionByZero]
)
_RATE_SCALE = 18

# ISO 4217, of the currencies that venues have markets in.
MINOR_UNITS = {
    **dict.fromkeys(("CLP", "JPY", "KRW", "VND"), 0),
    **dict.fromkeys(
        (
            "AED", "ARS", "AUD", "BRL", "CAD", "CHF", "EUR", "GBP", "GEL", "HKD", "IDR", "INR",
            "KZT", "MXN", "PLN", "RUB", "SGD", "TRY", "UAH", "USD", "ZAR",
        ),
        2,
    ),
}  # fmt: skip
SCALE_MAX = 8
"""Of values in coins, as venues show them: books are kept as fine as the finest chain."""


Pair = tuple[AssetCode, AssetCode]
"""What is told, and what it is told in."""


class NoValueReason(StrEnum):
    """Why something cannot be told in a currency."""

    NO_PRICE_PATH = "NO_PRICE_PATH"
    """No markets lead from the asset to the currency."""
    PRICE_UNAVAILABLE = "PRICE_UNAVAILABLE"
    """There are markets, and just now none of them has a price."""


@dataclass(frozen=True, slots=True)
class RateStep:
    """One market on the way, or a parity that the operator declared."""

    from_asset: AssetCode
    to_asset: AssetCode
    price: Decimal
    """Above zero, as the market quotes it."""
    inverse: bool = False
    """The market quotes ``to_asset`` in ``from_asset``: the price is divided by."""
    symbol: str | None = None
    """Of the spot market; nothing for a declared parity."""
    as_of: datetime | None = None
    """Nothing for a declared parity, as with ``source``."""
    stale: bool = False
    source: str | None = None


@dataclass(frozen=True, slots=True)
class Rate:
    """What one of an asset is in another; without steps they are the same asset."""

    path: tuple[RateStep, ...] = ()

    def of(self, amount: Decimal) -> Decimal:
        """``amount`` in the other asset, to 160 digits: not rounded to anything yet."""
        above, below = amount, Decimal(1)
        for step in self.path:
            if step.inverse:
                below = _WIDE.multiply(below, step.price)
            else:
                above = _WIDE.multiply(above, step.price)
        return _WIDE.divide(above, below)


@dataclass(frozen=True, slots=True)
class NoRate:
    """There is none."""

    reason: NoValueReason


@dataclass(frozen=True, slots=True)
class Holding:
    """An amount, and what it is to be told in."""

    asset: AssetCode
    amount: Decimal
    currency: AssetCode


@dataclass(frozen=True, slots=True)
class Valuation:
    """What a holding is worth."""

    asset: AssetCode
    currency: AssetCode
    scale: int
    """How many digits behind the point ``amount`` has."""
    exact: Decimal | None
    """Before rounding; nothing with a ``reason``."""
    rate: Decimal | None = None
    """Rounded to 18 digits behind the point. The amount is made with all of them."""
    path: tuple[RateStep, ...] = ()
    reason: NoValueReason | None = None

    @property
    def amount(self) -> Decimal | None:
        return None if self.exact is None else rounded(self.exact, self.scale)

    @property
    def as_of(self) -> datetime | None:
        """The oldest price on the way; nothing when none was needed."""
        return _oldest(step.as_of for step in self.path)

    @property
    def stale(self) -> bool:
        return any(step.stale for step in self.path)


@dataclass(frozen=True, slots=True)
class Unpriced:
    """What a total leaves out, and why."""

    asset: AssetCode
    reason: NoValueReason


@dataclass(frozen=True, slots=True)
class TotalValue:
    """What several holdings are worth together."""

    amount: Decimal | None
    """Rounded once: of what has a price. Nothing when nothing has."""
    currency: AssetCode
    as_of: datetime | None
    stale: bool
    unpriced: tuple[Unpriced, ...]


def rounded(exact: Decimal, scale: int) -> Decimal:
    """To ``scale`` digits behind the point, half to even: neither side wins in the long run."""
    return exact.quantize(unit_of(scale), context=_WIDE)


def valued(holding: Holding, rate: Rate | NoRate, scale: int) -> Valuation:
    """What ``holding`` is worth. Nothing of something is worth nothing, whatever it costs."""
    asset, currency = holding.asset, holding.currency
    if isinstance(rate, NoRate):
        if holding.amount:
            return Valuation(asset, currency, scale, None, reason=rate.reason)
        return Valuation(asset, currency, scale, Decimal(0))
    return Valuation(
        asset,
        currency,
        scale,
        rate.of(holding.amount),
        rate=rounded(rate.of(Decimal(1)), _RATE_SCALE).normalize(_WIDE),
        path=rate.path,
    )


def total_value(valuations: Sequence[Valuation], currency: AssetCode, scale: int) -> TotalValue:
    """All of them together; what has no value is named and left out."""
    priced = [each.exact for each in valuations if each.exact is not None]
    exact = Decimal(0)
    for each in priced:
        exact = _WIDE.add(exact, each)
    return TotalValue(
        amount=rounded(exact, scale) if priced or not valuations else None,
        currency=currency,
        as_of=_oldest(each.as_of for each in valuations),
        stale=any(each.stale for each in valuations),
        unpriced=tuple(Unpriced(v.asset, v.reason) for v in valuations if v.reason is not None),
    )


def _oldest(instants: Iterable[datetime | None]) -> datetime | None:
    return min((instant for instant in instants if instant is not None), default=None)
