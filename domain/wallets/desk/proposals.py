"""Wishes to correct the books: made by one of staff, decided by another (decisions.py)."""

from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field, replace
from decimal import Decimal
from uuid import UUID

from domain.kernel.clock import Clock
from domain.kernel.cursor import CursorSigner
from domain.kernel.errors import AlreadyDecided, BadInput, NotFound
from domain.kernel.idempotency import (
    Command,
    IdempotencyInProgress,
    IdempotencyKeyReused,
    Outcomes,
    digest_of,
    once,
)
from domain.kernel.ids import UserId, new_uuid7
from domain.kernel.page import Edge, Page, page_of, page_size
from domain.kernel.viewer import Viewer
from domain.wallets import ledger
from domain.wallets.desk.errors import NotReversible, OwnMoney, ProposalExpired
from domain.wallets.desk.model import (
    PROPOSAL_LIFE,
    LedgerEntry,
    LedgerProposal,
    LedgerProposalId,
    LedgerProposalKind,
    LedgerProposalState,
)
from domain.wallets.desk.ports import DeskWork, DeskWorks, LedgerBooks
from domain.wallets.desk.staff import closed, log_proposal, log_search, reason_problem, staff_of
from domain.wallets.errors import BadAmount, UnknownAsset
from domain.wallets.model import EntryId, EntryKind
from domain.wallets.ports import Assets

_LIST = "ledger_proposals"


@dataclass(frozen=True, slots=True)
class ProposeAdjustment:
    """More or less of an asset for somebody, and why."""

    owner: UserId
    asset: str
    amount: Decimal
    reason: str = field(repr=False)
    idempotency_key: UUID


@dataclass(frozen=True, slots=True)
class ProposeReversal:
    """An entry to be taken back, and why."""

    entry_id: EntryId
    reason: str = field(repr=False)
    idempotency_key: UUID


@dataclass(frozen=True, slots=True)
class Proposed:
    """What is kept under a key: no word of what staff wrote about somebody."""

    proposal_id: LedgerProposalId


_OUTCOMES = Outcomes(Proposed, NotFound, OwnMoney, NotReversible, BadInput)

Unproposed = NotFound | OwnMoney | BadInput | IdempotencyInProgress | IdempotencyKeyReused


class Proposals:
    """What the first of two does."""

    def __init__(
        self,
        *,
        works: DeskWorks,
        books: LedgerBooks,
        assets: Assets,
        cursors: CursorSigner,
        clock: Clock,
    ) -> None:
        self._works = works
        self._books = books
        self._assets = assets
        self._cursors = cursors
        self._clock = clock

    async def adjustment(
        self, viewer: Viewer, wish: ProposeAdjustment
    ) -> LedgerProposal | UnknownAsset | Unproposed:
        """Wish for more or less on a wallet; nothing moves. Raises Unavailable, TimedOut, Conflict.

        Whether there is enough to take is asked when it is decided.
        """
        problem = reason_problem(wish.reason)
        if problem is not None:
            return problem
        asset = await self._assets.asset(wish.asset)
        if asset is None:
            return UnknownAsset(wish.asset)
        if isinstance(ledger.checked_amount(wish.amount.copy_abs(), asset), BadAmount):
            fine = f"with at most {asset.scale} digits behind the point"
            return BadInput("amount", f"give more or less than zero, {fine}.")
        proposal = replace(
            self._new(viewer, LedgerProposalKind.ADJUSTMENT, wish.owner, wish.reason),
            asset=asset.code,
            amount=wish.amount,
        )
        digest = digest_of(
            owner=wish.owner, asset=asset.code, amount=wish.amount, reason=wish.reason
        )
        command = Command(staff_of(viewer), "adminProposeAdjustment", wish.idempotency_key, digest)
        done = await self._once(viewer, command, proposal, {wish.owner})
        if isinstance(done, NotReversible):
            raise TypeError("no entry is involved, and yet it cannot be reversed")
        return done

    async def reversal(
        self, viewer: Viewer, wish: ProposeReversal
    ) -> LedgerProposal | NotReversible | Unproposed:
        """Wish for an entry to be taken back; nothing moves. Raises as the other does."""
        problem = reason_problem(wish.reason)
        if problem is not None:
            return problem
        entry = await self._books.entry(wish.entry_id)
        if entry is None:
            return NotFound("entry", "entryId")
        digest = digest_of(entry=wish.entry_id, reason=wish.reason)
        command = Command(staff_of(viewer), "adminProposeReversal", wish.idempotency_key, digest)
        if not entry.owners:
            return NotReversible()
        proposal = replace(
            self._new(viewer, LedgerProposalKind.REVERSAL, heir_of(entry), wish.reason),
            entry_id=entry.id,
        )
        # Said within the command: what was proposed is the answer to its key, whatever came of it.
        refused = None if is_reversible(entry) else NotReversible()
        return await self._once(viewer, command, proposal, entry.owners, refused=refused)

    async def withdraw(
        self, viewer: Viewer, proposal_id: LedgerProposalId
    ) -> LedgerProposal | NotFound | AlreadyDecided | ProposalExpired | BadInput:
        """Take one's own wish back while it is open. Raises Unavailable, TimedOut, Conflict."""
        actor, now = staff_of(viewer), self._clock.now()
        async with self._works.begin() as work:
            proposal = await work.proposals.locked(proposal_id)
            if proposal is None:
                return NotFound("proposal", "proposalId")
            if proposal.proposed_by != actor:
                return BadInput("proposalId", "only who proposed it withdraws it: decide it.")
            late = closed(proposal, now)
            if late is not None:
                return late
            state = LedgerProposalState.WITHDRAWN
            withdrawn = replace(proposal, state=state, decided_by=actor, decided_at=now)
            await work.proposals.settle(withdrawn)
            log_proposal(work, viewer, proposal, "withdrawn", [proposal.owner])
        return withdrawn

    async def page(
        self,
        viewer: Viewer,
        state: LedgerProposalState | None,
        *,
        first: int,
        after: str | None,
    ) -> Page[LedgerProposal] | BadInput:
        """Newest first, of all states without one; each as the clock has it now."""
        size = page_size(first)
        if isinstance(size, BadInput):
            return size
        before = None if after is None else self._cursors.open(_LIST, after)
        if isinstance(before, BadInput):
            return before
        now = self._clock.now()
        found = await self._books.proposals(state, now=now, first=size + 1, before=before)
        shown = [replace(each, state=each.state_at(now)) for each in found[:size]]
        async with self._works.begin() as work:
            owners = {each.owner for each in shown}
            log_search(work, viewer, owners, by="adjustments", found=len(shown))
        edges = [Edge(each, self._cursors.sign(_LIST, str(each.id))) for each in shown]
        return page_of(edges, after=after, more=len(found) > size)

    def _new(
        self, viewer: Viewer, kind: LedgerProposalKind, owner: UserId, reason: str
    ) -> LedgerProposal:
        now = self._clock.now()
        return LedgerProposal(
            id=LedgerProposalId(new_uuid7()),
            kind=kind,
            owner=owner,
            proposed_by=staff_of(viewer),
            created_at=now,
            expires_at=now + PROPOSAL_LIFE,
            reason=reason,
        )

    async def _once(
        self,
        viewer: Viewer,
        command: Command,
        proposal: LedgerProposal,
        owners: AbstractSet[UserId],
        *,
        refused: NotReversible | None = None,
    ) -> LedgerProposal | NotReversible | Unproposed:
        argument = "userId" if proposal.entry_id is None else "entryId"

        async def rule(work: DeskWork) -> Proposed | NotReversible | NotFound | OwnMoney | BadInput:
            if refused is not None:
                return refused
            if not await work.owners.is_known(proposal.owner):
                return NotFound("account", argument)
            if proposal.proposed_by in owners:
                log_proposal(work, viewer, proposal, "proposed", owners, refused=OwnMoney())
                return OwnMoney()
            if not await work.proposals.add(proposal):
                return BadInput(argument, "a proposal about this entry is open already.")
            log_proposal(work, viewer, proposal, "proposed", owners)
            return Proposed(proposal.id)

        done = await once(self._works.begin, command, _OUTCOMES, rule)
        if not isinstance(done, Proposed):
            return done
        kept = await self._books.proposal(done.proposal_id)
        if kept is None:
            raise LookupError("a proposal that was there a moment ago")
        return replace(kept, state=kept.state_at(self._clock.now()))


def is_reversible(entry: LedgerEntry) -> bool:
    """Whether a reversal can take it back. A hold is resolved instead."""
    taken_back = entry.kind is EntryKind.REVERSAL or entry.reversed_by is not None
    return not taken_back and entry.hold_id is None


def heir_of(entry: LedgerEntry) -> UserId:
    """Whom the reversal is most about: the owner who got most and would give it back."""
    of_users = [(each.amount, each.account.owner) for each in entry.lines if each.account.owner]
    return max(of_users)[1]
