"""Why the ledger says no to staff, beyond what it says no to anybody for."""

from dataclasses import dataclass
from enum import StrEnum
from typing import ClassVar

from domain.kernel.errors import UserError


class LedgerDeskErrorCode(StrEnum):
    """Codes of the back office for money."""

    OWN_MONEY = "OWN_MONEY"
    NOT_REVERSIBLE = "NOT_REVERSIBLE"
    PROPOSAL_EXPIRED = "PROPOSAL_EXPIRED"


@dataclass(frozen=True)
class OwnMoney(UserError):
    """Nobody of staff has a hand in what becomes of their own money."""

    code: ClassVar[StrEnum] = LedgerDeskErrorCode.OWN_MONEY

    @property
    def message(self) -> str:
        return "This is about your own money. Somebody else has to do it."


@dataclass(frozen=True)
class NotReversible(UserError):
    """An entry that no reversal takes back."""

    code: ClassVar[StrEnum] = LedgerDeskErrorCode.NOT_REVERSIBLE
    argument: str = "entryId"

    @property
    def message(self) -> str:
        return (
            "This entry cannot be reversed: it was reversed already, is a reversal itself, is about"
            " a hold, or moved nobody's money but ours."
        )

    @property
    def path(self) -> tuple[str, ...]:
        return (self.argument,)


@dataclass(frozen=True)
class ProposalExpired(UserError):
    """Nobody decided in time."""

    code: ClassVar[StrEnum] = LedgerDeskErrorCode.PROPOSAL_EXPIRED

    @property
    def message(self) -> str:
        return "Nobody decided this proposal within seven days. Propose it anew if it is wanted."
