"""The back office for money: looking into the books, correcting them by two, freezing, freeing."""

from domain.wallets.desk.decisions import Decisions
from domain.wallets.desk.explorer import Explorer
from domain.wallets.desk.freezes import Freezes
from domain.wallets.desk.proposals import Proposals
from domain.wallets.desk.stuck_holds import StuckHolds

__all__ = ["Decisions", "Explorer", "Freezes", "Proposals", "StuckHolds"]
