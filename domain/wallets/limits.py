"""How much of an asset somebody may send: at once, in 24 hours, in 30 days.

In amounts of the asset, because a valuation would move the limit with the price. Both periods roll:
they end now, and not at midnight. What counts is what leaves the sender's wallet by transfers: the
amount and the fee on top of it, as the journal's line of the sender says. So a limit holds for the
money that is gone, whatever becomes of fees, and what was sent needs no second sum.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Protocol

from domain.kernel.ids import AssetCode, UserId
from domain.kernel.money import total, trimmed
from domain.wallets.booking import Cap
from domain.wallets.errors import LimitExceeded
from domain.wallets.model import Account, LimitPeriod, TransferLimit
from domain.wallets.ports import Sent, SentWithin

DAY = timedelta(hours=24)
MONTH = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class Allowance:
    """What may be sent of one asset; nothing given is no limit."""

    per_transfer: Decimal | None = None
    per_day: Decimal | None = None
    per_month: Decimal | None = None

    @property
    def at_once(self) -> "Allowance":
        """Only what holds whatever was sent before."""
        return Allowance(per_transfer=self.per_transfer)

    @property
    def rolling(self) -> "Allowance":
        """Only what depends on what was sent before."""
        return Allowance(per_day=self.per_day, per_month=self.per_month)

    @property
    def counts(self) -> bool:
        """Whether it matters what was sent before."""
        return self.rolling != Allowance()


class Limits(Protocol):
    """Who may send how much. Raises Unavailable, TimedOut."""

    async def allowance(self, user_id: UserId, asset: AssetCode) -> Allowance: ...


@dataclass(frozen=True)
class EqualLimits:
    """The same for everybody: nobody has been verified yet."""

    allowances: Mapping[AssetCode, Allowance] = field(default_factory=dict)
    otherwise: Allowance = Allowance(per_transfer=Decimal(0))
    """Of an asset that is not named: as a rule, nothing may be sent."""

    async def allowance(self, user_id: UserId, asset: AssetCode) -> Allowance:
        del user_id
        return self.allowances.get(asset, self.otherwise)


UNLIMITED = EqualLimits(otherwise=Allowance())
"""For who measures or tests something else."""


def standing(asset: AssetCode, allowed: Allowance, sent: Sent) -> Sequence[TransferLimit]:
    """Each limit there is, and how much of it is used."""
    limits = []
    if allowed.per_transfer is not None:
        limits.append(TransferLimit(asset, LimitPeriod.TRANSFER, allowed.per_transfer))
    if allowed.per_day is not None:
        limits.append(_rolling(asset, LimitPeriod.DAY, allowed.per_day, sent.day, DAY))
    if allowed.per_month is not None:
        limits.append(_rolling(asset, LimitPeriod.MONTH, allowed.per_month, sent.month, MONTH))
    return limits


def counted(amount: Decimal, fee: Decimal) -> Decimal:
    """What a transfer takes of every limit."""
    return total((amount, fee))


def problem(
    asset: AssetCode, amount: Decimal, allowed: Allowance, sent: Sent
) -> LimitExceeded | None:
    """Why ``amount``, fee included, is too much after what was ``sent``; shortest period first."""
    for each in standing(asset, allowed, sent):
        if amount > each.remaining:
            return LimitExceeded(
                asset, each.period, each.limit, each.used, each.remaining, each.resets_at
            )
    return None


def caps(account: Account, allowed: Allowance, *, now: datetime) -> Sequence[Cap]:
    """The rolling limits as bounds of what may have left ``account`` in the end."""
    rolling = ((allowed.per_day, DAY), (allowed.per_month, MONTH))
    return [Cap(account, now - length, most) for most, length in rolling if most is not None]


def without(sent: Sent, amount: Decimal) -> Sent:
    """What was sent before the ``amount``, fee included, that is the newest of it."""
    return Sent(_before(sent.day, amount), _before(sent.month, amount))


def _before(within: SentWithin, amount: Decimal) -> SentWithin:
    rest = trimmed(total((within.amount, amount.copy_negate())))
    return SentWithin(rest, within.oldest_at if rest else None)


def _rolling(
    asset: AssetCode, period: LimitPeriod, limit: Decimal, sent: SentWithin, length: timedelta
) -> TransferLimit:
    resets_at = None if sent.oldest_at is None else sent.oldest_at + length
    return TransferLimit(asset, period, limit, sent.amount, resets_at)
