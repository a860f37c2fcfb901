"""What somebody had, day by day."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from domain.kernel.clock import Clock
from domain.kernel.errors import BadInput
from domain.kernel.ids import AssetCode, UserId
from domain.kernel.money import total
from domain.wallets.model import AccountId, Closing, DailyBalance, Days, available, held
from domain.wallets.ports import Closings

DAYS_MAX = 366
DAYS_DEFAULT = 30


@dataclass(frozen=True, slots=True)
class HistoryAsked:
    """Whose, of what, and when."""

    owner: UserId
    asset: AssetCode
    days: Days


class BalanceHistory:
    """Reads closing balances. Who may see whose is decided before."""

    def __init__(self, *, closings: Closings, clock: Clock) -> None:
        self._closings = closings
        self._clock = clock

    def days(self, since: date | None, until: date | None) -> Days | BadInput:
        """The days between two, both among them; the last 30 by default, 366 at most."""
        return days_asked(since, until, today=self._clock.now().date())

    async def of(self, asked: Sequence[HistoryAsked]) -> Sequence[Sequence[DailyBalance]]:
        """Of each, in order; the same days of any number of wallets are one question.

        Raises Unavailable, TimedOut.
        """
        accounts: dict[Days, set[AccountId]] = {}
        for each in asked:
            both = available(each.owner, each.asset).id, held(each.owner, each.asset).id
            accounts.setdefault(each.days, set()).update(both)
        found: dict[tuple[Days, AccountId], list[Closing]] = {}
        for days, ids in accounts.items():
            for closing in await self._closings.closings(ids, days):
                found.setdefault((days, closing.account_id), []).append(closing)
        return [
            daily_balances(
                each.days,
                found.get((each.days, available(each.owner, each.asset).id), ()),
                found.get((each.days, held(each.owner, each.asset).id), ()),
            )
            for each in asked
        ]


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
    opening = total(_before(closings, days.first) for closings in both)
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
