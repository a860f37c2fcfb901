"""Balances by day: which days can be asked for, and what there was on those that booked nothing."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from domain.kernel.errors import BadInput
from domain.kernel.money import total, trimmed
from domain.wallets.model import AccountId

DAYS_MAX = 366
DAYS_DEFAULT = 30


@dataclass(frozen=True, slots=True)
class Days:
    """Days of UTC, both ends among them; none at all when the first is after the last."""

    first: date
    last: date


@dataclass(frozen=True, slots=True)
class Closing:
    """What a user's account came to at the end of a day on which something was booked on it."""

    account_id: AccountId
    day: date
    balance: Decimal


@dataclass(frozen=True, slots=True)
class DailyBalance:
    """What somebody had of one asset at the end of a day; of today: what they have now."""

    day: date
    opening_total: Decimal
    """At the end of the day before."""
    available: Decimal
    held: Decimal

    @property
    def total(self) -> Decimal:
        return trimmed(total((self.available, self.held)))


def days_asked(since: date | None, until: date | None, *, today: date) -> Days | BadInput:
    """The days from ``since`` to ``until``, without those that have not begun.

    A client east of Greenwich asks for a day that UTC does not know yet: that is no mistake.
    """
    last = today if until is None else min(until, today)
    if since is None:
        first = date.fromordinal(max(1, last.toordinal() - DAYS_DEFAULT + 1))
    else:
        first = since
    if until is not None and first > until:
        return BadInput("since", "is after until.")
    if (last - first).days >= DAYS_MAX:
        return BadInput("since", f"ask for at most {DAYS_MAX} days at once.")
    return Days(first, last)


def daily_balances(
    days: Days, available_closings: Sequence[Closing], held_closings: Sequence[Closing]
) -> Sequence[DailyBalance]:
    """One for each day: where nothing was booked, what there was before; at first nothing.

    Closings are those of one account each, the oldest first; the first may be of before.
    """
    both = available_closings, held_closings
    opening = trimmed(total(_before(closings, days.first) for closings in both))
    rows: list[DailyBalance] = []
    for (day, disposable), (_, reserved) in zip(*(_filled(days, c) for c in both), strict=True):
        row = DailyBalance(day, opening, disposable, reserved)
        opening = row.total
        rows.append(row)
    return rows


def _before(closings: Sequence[Closing], day: date) -> Decimal:
    return next((each.balance for each in reversed(closings) if each.day < day), Decimal(0))


def _filled(days: Days, closings: Sequence[Closing]) -> Iterator[tuple[date, Decimal]]:
    """Each day with what there was at its end."""
    balance, waiting = Decimal(0), list(reversed(closings))
    for ordinal in range(days.first.toordinal(), days.last.toordinal() + 1):
        day = date.fromordinal(ordinal)
        while waiting and waiting[-1].day <= day:
            balance = waiting.pop().balance
        yield day, balance
