"""Why the ledger says no to staff, as clients see it."""

import strawberry

import domain.wallets.desk.errors
import domain.wallets.errors
import schema.ledger_words  # noqa: F401  # the enums must be declared before they are shown
from domain.wallets.model import HoldState
from schema._shared import UserError
from schema._view import view_of


@view_of(
    domain.wallets.desk.errors.OwnMoney,
    description="It is about the caller's own money: somebody else of staff has to do it.",
)
class OwnMoney(UserError):
    pass


@view_of(
    domain.wallets.desk.errors.NotReversible,
    description="No reversal takes this entry back: reversed already, a reversal itself, about a "
    "hold, or of our own money alone.",
)
class NotReversible(UserError):
    pass


@view_of(
    domain.wallets.desk.errors.ProposalExpired,
    description="Nobody decided it within seven days: propose it anew.",
)
class ProposalExpired(UserError):
    pass


@view_of(
    domain.wallets.errors.HoldNotOpen, description="A hold is resolved once, and this one was."
)
class HoldNotOpen(UserError):
    state: HoldState = strawberry.field(description="What it is.")


LEDGER_DESK_ERRORS = (OwnMoney, NotReversible, ProposalExpired, HoldNotOpen)
