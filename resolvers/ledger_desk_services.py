"""What staff can do about money, put together from what it stands on."""

from dataclasses import dataclass
from typing import Self

from domain.kernel.clock import Clock
from domain.kernel.cursor import CursorSigner
from domain.wallets.desk import Decisions, Explorer, Freezes, Proposals, StuckHolds
from domain.wallets.desk.ports import DeskWorks, LedgerBooks
from domain.wallets.ports import Assets


@dataclass(frozen=True, slots=True)
class LedgerDeskServices:
    """One name per use case."""

    explorer: Explorer
    proposals: Proposals
    decisions: Decisions
    freezes: Freezes
    stuck_holds: StuckHolds

    @classmethod
    def over(
        cls,
        *,
        works: DeskWorks,
        books: LedgerBooks,
        assets: Assets,
        cursors: CursorSigner,
        clock: Clock,
    ) -> Self:
        """All of them over the same ports."""
        return cls(
            explorer=Explorer(works=works, books=books, cursors=cursors, clock=clock),
            proposals=Proposals(
                works=works, books=books, assets=assets, cursors=cursors, clock=clock
            ),
            decisions=Decisions(works=works, clock=clock),
            freezes=Freezes(works=works, assets=assets, books=books),
            stuck_holds=StuckHolds(works=works, books=books, cursors=cursors, clock=clock),
        )
