"""What the second of two says to a correction of the books.

An approval and its entry are one transaction: whatever happens in between, there are both or
neither, and one entry per proposal however many decide at once.
"""

from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from datetime import datetime

from domain.kernel.clock import Clock
from domain.kernel.errors import AlreadyDecided, NeedsSecondPerson, NotFound, UserError
from domain.kernel.ids import UserId
from domain.kernel.viewer import Viewer
from domain.wallets import ledger
from domain.wallets.desk.errors import NotReversible, OwnMoney, ProposalExpired
from domain.wallets.desk.model import LedgerProposal, LedgerProposalId, LedgerProposalState
from domain.wallets.desk.ports import DeskWork, DeskWorks
from domain.wallets.desk.staff import closed, log_proposal, staff_of
from domain.wallets.errors import InsufficientFunds, Refusal, WalletFrozen
from domain.wallets.model import JournalEntry, Posted
from domain.wallets.recording import record


@dataclass(frozen=True, slots=True)
class DecideProposal:
    """Yes or no."""

    proposal_id: LedgerProposalId
    approve: bool


Undecided = (
    NotFound
    | NeedsSecondPerson
    | OwnMoney
    | AlreadyDecided
    | ProposalExpired
    | NotReversible
    | InsufficientFunds
    | WalletFrozen
)


class Decisions:
    """Approves and rejects; never by who proposed, nor by whose money it is about."""

    def __init__(self, *, works: DeskWorks, clock: Clock) -> None:
        self._works = works
        self._clock = clock

    async def decide(self, viewer: Viewer, decision: DecideProposal) -> LedgerProposal | Undecided:
        """Agree or refuse. Raises Unavailable, TimedOut, Conflict.

        What the ledger says no to (too little is there, a frozen wallet) leaves the proposal open:
        it may be decided again once that has changed.
        """
        actor, now = staff_of(viewer), self._clock.now()
        async with self._works.begin() as work:
            proposal = await work.proposals.one(decision.proposal_id)
            if proposal is None:
                return NotFound("proposal", "proposalId")
            original = await _original(work, proposal)
            owners = _owners(proposal, original)
            outcome: LedgerProposal | Undecided | None = _obstacle(proposal, owners, actor, now)
            if outcome is None and decision.approve and not await _all_there(work, owners):
                outcome = NotFound("account", "proposalId")
            elif outcome is None and decision.approve:
                entry = _entry(proposal, original, by=actor, at=now)
                outcome = await _approved(work, proposal, entry, by=actor, at=now)
            elif outcome is None:
                outcome = await _rejected(work, proposal, by=actor, at=now)
            verb = "approved" if decision.approve else "rejected"
            refused = outcome if isinstance(outcome, UserError) else None
            log_proposal(work, viewer, proposal, verb, owners, refused=refused)
        return outcome


async def _original(work: DeskWork, proposal: LedgerProposal) -> JournalEntry | None:
    if proposal.entry_id is None:
        return None
    found = await work.ledger.entry(proposal.entry_id)
    if found is None:
        raise LookupError("an entry that was there when it was proposed to reverse it")
    return found


def _owners(proposal: LedgerProposal, original: JournalEntry | None) -> AbstractSet[UserId]:
    if original is None:
        return {proposal.owner}
    return {each.account.owner for each in original.postings if each.account.owner is not None}


async def _all_there(work: DeskWork, owners: AbstractSet[UserId]) -> bool:
    """Nobody gets money who was erased meanwhile: no one could ever use it."""
    return all([await work.owners.is_known(owner) for owner in sorted(owners)])


def _obstacle(
    proposal: LedgerProposal, owners: AbstractSet[UserId], actor: UserId, now: datetime
) -> NeedsSecondPerson | OwnMoney | AlreadyDecided | ProposalExpired | None:
    late = closed(proposal, now)
    if late is not None:
        return late
    if proposal.proposed_by == actor:
        return NeedsSecondPerson()
    return OwnMoney() if actor in owners else None


def _entry(
    proposal: LedgerProposal, original: JournalEntry | None, *, by: UserId, at: datetime
) -> JournalEntry:
    if original is not None:
        return ledger.reversal(original, at=at, by=by)
    if proposal.asset is None or proposal.amount is None:
        raise ValueError("an adjustment without an amount")
    return ledger.adjustment(
        proposal.owner, proposal.asset, proposal.amount, by=by, source=proposal.source, at=at
    )


async def _approved(
    work: DeskWork, proposal: LedgerProposal, entry: JournalEntry, *, by: UserId, at: datetime
) -> LedgerProposal | Undecided:
    async with work.attempt() as attempt:
        posted = await record(work, entry)
        if not isinstance(posted, Posted):
            # Even a refusal has opened the accounts that were not there yet.
            await attempt.take_back()
            return _narrowed(posted)
        # After the accounts: the lock order of the product. Who waited for them may find that
        # somebody else has decided meanwhile, and takes back what it posted, if it posted.
        late: AlreadyDecided | ProposalExpired | NotReversible | None
        late = closed(await work.proposals.locked(proposal.id), at)
        if late is None and posted.repeated:
            late = NotReversible("proposalId")
        if late is not None:
            await attempt.take_back()
            return late
        state = LedgerProposalState.APPROVED
        approved = replace(
            proposal, state=state, decided_by=by, decided_at=at, posted_as=posted.entry_id
        )
        await work.proposals.settle(approved)
    return approved


async def _rejected(
    work: DeskWork, proposal: LedgerProposal, *, by: UserId, at: datetime
) -> LedgerProposal | AlreadyDecided | ProposalExpired:
    late = closed(await work.proposals.locked(proposal.id), at)
    if late is not None:
        return late
    rejected = replace(proposal, state=LedgerProposalState.REJECTED, decided_by=by, decided_at=at)
    await work.proposals.settle(rejected)
    return rejected


def _narrowed(refused: Refusal) -> InsufficientFunds | WalletFrozen:
    if isinstance(refused, InsufficientFunds | WalletFrozen):
        return refused
    raise TypeError(f"no hold is involved, and yet: {refused}")
