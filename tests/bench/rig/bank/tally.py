"""What was asked and answered, kept by the clients alone: what the bank is held to afterwards.

Every amount is asked for once in a storm, so that a line of the journal names its wish.
"""

from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from itertools import pairwise
from uuid import UUID

from domain.kernel.ids import AssetCode, UserId


@dataclass(frozen=True, slots=True)
class Wish:
    """Money somebody wants to send, and the key it is sent with however often."""

    sender: UserId
    recipient: UserId
    asset: AssetCode
    amount: Decimal
    key: UUID


@dataclass(frozen=True, slots=True)
class Done:
    """It was moved."""

    transfer: str
    """The receipt's number."""
    available: Decimal
    """What it says the sender had left."""


@dataclass(frozen=True, slots=True)
class Refused:
    """A rule said no, and nothing was moved."""

    code: str


Answer = Done | Refused
Purse = tuple[UserId, AssetCode]
_Sums = defaultdict[Purse, Decimal]


def _zeros() -> _Sums:
    return defaultdict(Decimal)


@dataclass(slots=True)
class Tally:
    """The clients' own books."""

    given: Mapping[Purse, Decimal]
    answers: dict[Wish, Answer] = field(default_factory=dict)
    pending: dict[Wish, float] = field(default_factory=dict)
    """Sent and not answered yet, and since when."""
    violations: list[str] = field(default_factory=list)
    retries: Counter[str] = field(default_factory=Counter)
    latencies: list[float] = field(default_factory=list)
    answered_at: list[float] = field(default_factory=list)
    replayed: int = 0
    acknowledged: int = 0
    """Transfers of which somebody knows that they were made."""
    _may_have_gone: _Sums = field(default_factory=_zeros)
    _may_have_come: _Sums = field(default_factory=_zeros)
    _gone: _Sums = field(default_factory=_zeros)
    _come: _Sums = field(default_factory=_zeros)

    def sent(self, wish: Wish, *, at: float) -> None:
        """From now on it may be done at any moment."""
        self.pending[wish] = at
        self._may_have_gone[wish.sender, wish.asset] += wish.amount
        self._may_have_come[wish.recipient, wish.asset] += wish.amount

    def answered(self, wish: Wish, answer: Answer, *, at: float) -> None:
        """Whatever it says holds from now on, whoever dies."""
        self.latencies.append(at - self.pending.pop(wish))
        self.answered_at.append(at)
        self.answers[wish] = answer
        if isinstance(answer, Done):
            self.acknowledged += 1
            self._gone[wish.sender, wish.asset] += wish.amount
            self._come[wish.recipient, wish.asset] += wish.amount

    def heard_again(self, wish: Wish, answer: Answer) -> None:
        """The same key once more: the same answer, or it was no key."""
        self.replayed += 1
        if answer != self.answers[wish]:
            self.wrong(f"{wish.key} was {self.answers[wish]} and is now {answer}")

    def certain(self, owner: UserId) -> "Bounds":
        """What nobody can take back any more: ask before a look."""
        return Bounds(_of(owner, self._gone), _of(owner, self._come))

    def possible(self, owner: UserId) -> "Bounds":
        """What may have happened by now: ask after a look."""
        return Bounds(_of(owner, self._may_have_gone), _of(owner, self._may_have_come))

    def wrong(self, what: str) -> None:
        self.violations.append(what)

    def due(self, purse: Purse) -> Decimal:
        """What must be in it once nothing is pending any more."""
        return self.given[purse] + self._come[purse] - self._gone[purse]

    @property
    def done(self) -> dict[Wish, Done]:
        return {w: answer for w, answer in self.answers.items() if isinstance(answer, Done)}

    @property
    def refused(self) -> dict[Wish, Refused]:
        return {w: answer for w, answer in self.answers.items() if isinstance(answer, Refused)}

    def longest_silence(self, start: float, end: float) -> float:
        """Seconds in which nobody at all was answered."""
        times = sorted(at for at in self.answered_at if start < at < end)
        return max(after - before for before, after in pairwise([start, *times, end]))


@dataclass(frozen=True, slots=True)
class Bounds:
    """Of one person, by asset."""

    gone: Mapping[AssetCode, Decimal]
    come: Mapping[AssetCode, Decimal]


def allowed(
    given: Decimal, asset: AssetCode, *, before: Bounds, after: Bounds
) -> tuple[Decimal, Decimal]:
    """The least and the most that may be read of a purse between two moments.

    ``before`` is what was certain when the look began, ``after`` what was possible when it ended.
    """
    zero = Decimal(0)
    least = given + before.come.get(asset, zero) - after.gone.get(asset, zero)
    most = given + after.come.get(asset, zero) - before.gone.get(asset, zero)
    return max(least, zero), most


def _of(owner: UserId, sums: _Sums) -> dict[AssetCode, Decimal]:
    return {asset: amount for (who, asset), amount in sums.items() if who == owner}
