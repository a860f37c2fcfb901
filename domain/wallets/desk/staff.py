"""Who of staff asks, what they may write, and what the log says of what they did.

Fields are guarded: whoever gets here signed in.
"""

from collections.abc import Iterable
from datetime import datetime

from domain.kernel.errors import AlreadyDecided, BadInput, UserError
from domain.kernel.ids import UserId
from domain.kernel.money import plain
from domain.kernel.viewer import Viewer
from domain.wallets.desk.errors import ProposalExpired
from domain.wallets.desk.model import LedgerProposal, LedgerProposalState
from domain.wallets.desk.ports import DeskWork

TEXT_LENGTH_MAX = 2000


def staff_of(viewer: Viewer) -> UserId:
    """The caller. A ValueError is a field without a policy: a bug."""
    if viewer.user_id is None:
        raise ValueError("nobody is signed in")
    return viewer.user_id


def reason_problem(reason: str) -> BadInput | None:
    """Why a reason cannot be kept; nothing when it can."""
    if reason.strip() and len(reason) <= TEXT_LENGTH_MAX:
        return None
    return BadInput("reason", f"write 1 to {TEXT_LENGTH_MAX} characters.")


def closed(
    proposal: LedgerProposal | None, now: datetime
) -> AlreadyDecided | ProposalExpired | None:
    """Why nobody can decide it any more; nothing while it is open. Proposals never go away."""
    if proposal is None:
        raise LookupError("a proposal that was there a moment ago")
    match proposal.state_at(now):
        case LedgerProposalState.OPEN:
            return None
        case LedgerProposalState.EXPIRED:
            return ProposalExpired()
        case _:
            return AlreadyDecided()


def log_proposal(
    work: DeskWork,
    viewer: Viewer,
    proposal: LedgerProposal,
    verb: str,
    owners: Iterable[UserId],
    *,
    refused: UserError | None = None,
) -> None:
    """One line for each whose money it is about: ``adjustment.approved``, and what of."""
    details = {"proposalId": str(proposal.id)}
    if proposal.amount is not None and proposal.asset is not None:
        details |= {"asset": proposal.asset, "amount": plain(proposal.amount)}
    if proposal.entry_id is not None:
        details["entryId"] = str(proposal.entry_id)
    if refused is not None:
        details["code"] = str(refused.code)
    elif verb == "proposed" and proposal.reason is not None:
        details["reason"] = proposal.reason
    action = f"{proposal.kind.lower()}.{verb}"
    for owner in sorted(owners):
        work.log.add(viewer, owner, action, denied=refused is not None, details=details)


def log_search(
    work: DeskWork,
    viewer: Viewer,
    owners: Iterable[UserId],
    *,
    by: str,
    found: int,
    subject: UserId | None = None,
) -> None:
    """The search, whatever it found, and whose money it showed."""
    details = {"by": by, "found": str(found)}
    work.log.add(viewer, subject or staff_of(viewer), "ledger.searched", details=details)
    log_views(work, viewer, owners)


def log_views(work: DeskWork, viewer: Viewer, owners: Iterable[UserId]) -> None:
    """One line for each whose money was shown."""
    for owner in sorted(owners):
        work.log.add(viewer, owner, "ledger.viewed")
