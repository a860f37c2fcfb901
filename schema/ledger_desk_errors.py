"""Why the ledger says no to staff, as clients see it."""

import domain.wallets.desk.errors
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


LEDGER_DESK_ERRORS = (OwnMoney, NotReversible, ProposalExpired)
