"""Which trade each follower of trades was told last, as the leading feed knows."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from domain.kernel.ids import Category
from domain.market.tape import Trades
from domain.market.topics import Follow


@dataclass(slots=True)
class _Chain:
    epoch: int
    last: dict[Follow, str] = field(default_factory=dict)
    followed: Collection[Follow] | None = None
    """What is followed without a break; None: whatever comes."""


class Chains:
    """Per category the ids of the trades that were published last.

    In memory on purpose. A new leader does not know what happened before it led, and a Redis that
    lost its last second does not know what was announced in it: neither may claim that the next
    trade follows on the last one known.
    """

    def __init__(self) -> None:
        self._chains: dict[Category, _Chain] = {}

    def of(self, category: Category, epoch: int) -> dict[Follow, str]:
        """A copy of what was kept in this epoch, to be extended and kept."""
        chain = self._chains.get(category)
        return dict(chain.last) if chain is not None and chain.epoch == epoch else {}

    def keep(self, category: Category, epoch: int, last: Mapping[Follow, str]) -> None:
        """Know from now on that this was published."""
        before = self._chains.get(category)
        # It may have been let go of while this was on its way.
        followed = before.followed if before is not None else None
        kept = {f: id_ for f, id_ in last.items() if followed is None or f in followed}
        self._chains[category] = _Chain(epoch, kept, followed)

    def prune(self, category: Category, follows: Collection[Follow]) -> None:
        """Forget all but these."""
        if chain := self._chains.get(category):
            chain.followed = follows
            chain.last = {f: id_ for f, id_ in chain.last.items() if f in follows}

    @staticmethod
    def extend(last: dict[Follow, str], follow: Follow, trades: Trades) -> None:
        """Note that ``trades`` are what comes next."""
        if trades.trades:
            last[follow] = trades.trades[-1].id
        elif trades.dropped:
            last.pop(follow, None)  # nobody knows the id of the one that was dropped last
