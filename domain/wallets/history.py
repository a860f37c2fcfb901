"""What somebody had, day by day."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from domain.kernel.clock import Clock
from domain.kernel.errors import BadInput
from domain.kernel.ids import AssetCode, UserId
from domain.wallets.daily import Closing, DailyBalance, Days, daily_balances, days_asked
from domain.wallets.model import AccountId, available, held
from domain.wallets.ports import Closings


@dataclass(frozen=True, slots=True)
class HistoryAsked:
    """Whose, of what, and when."""

    owner: UserId
    asset: AssetCode
    days: Days

    @property
    def accounts(self) -> tuple[AccountId, AccountId]:
        """What is available, and what is held."""
        return available(self.owner, self.asset).id, held(self.owner, self.asset).id


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
            accounts.setdefault(each.days, set()).update(each.accounts)
        found: dict[tuple[Days, AccountId], list[Closing]] = {}
        for days, ids in accounts.items():
            for closing in await self._closings.closings(ids, days):
                found.setdefault((days, closing.account_id), []).append(closing)
        return [
            daily_balances(each.days, *(found.get((each.days, id_), ()) for id_ in each.accounts))
            for each in asked
        ]
