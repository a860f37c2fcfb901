"""What the back office for money needs of the world.

Writing is one ``DeskWork`` per command: what is done, its line in the log of staff's doings and
what its owner is told are committed together or not at all. Lock order: idempotency row ->
accounts by id -> proposal -> event streams by name (taken last).
"""

from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from domain.kernel.ids import AssetCode, UserId
from domain.kernel.viewer import Viewer
from domain.wallets.desk.model import (
    LedgerAccount,
    LedgerEntry,
    LedgerProposal,
    LedgerProposalId,
    LedgerProposalState,
    TrialBalance,
)
from domain.wallets.model import AccountId, AccountKind, EntryId, EntryKind, Hold, HoldId
from domain.wallets.ports import Work


class StaffLog(Protocol):
    """The log of what staff did, within one unit of work. Answered by users."""

    def add(
        self,
        viewer: Viewer,
        subject: UserId,
        action: str,
        *,
        denied: bool = False,
        details: Mapping[str, str] | None = None,
    ) -> None:
        """One line. ``details["reason"]`` is what staff wrote: it goes with its subject."""
        ...


class Owners(Protocol):
    """Who can have a wallet, within one unit of work. Answered by users."""

    async def is_known(self, owner: UserId) -> bool:
        """Whether there is such an account, and it was not erased."""
        ...


class LedgerProposals(Protocol):
    """Wishes to correct the books, within one unit of work."""

    async def add(self, proposal: LedgerProposal) -> bool:
        """False while another one about the same entry is open. The reason is kept sealed."""
        ...

    async def one(self, proposal_id: LedgerProposalId) -> LedgerProposal | None:
        """Without a lock: all but its state never changes."""
        ...

    async def locked(self, proposal_id: LedgerProposalId) -> LedgerProposal | None:
        """With its row locked until the commit. Only after the accounts."""
        ...

    async def settle(self, proposal: LedgerProposal) -> None:
        """Write what became of it."""
        ...


class DeskWork(Work, Protocol):
    """One transaction of the back office."""

    @property
    def proposals(self) -> LedgerProposals: ...
    @property
    def owners(self) -> Owners: ...
    @property
    def log(self) -> StaffLog: ...


class DeskWorks(Protocol):
    """Begins transactions. Raises Unavailable, TimedOut, Conflict."""

    def begin(self) -> AbstractAsyncContextManager[DeskWork]: ...


@dataclass(frozen=True, slots=True)
class EntryQuery:
    """Which entries; every given field narrows."""

    owner: UserId | None = None
    account_id: AccountId | None = None
    asset: AssetCode | None = None
    kinds: frozenset[EntryKind] = frozenset()
    """Empty is all."""
    source: str | None = None
    hold_id: HoldId | None = None
    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class AccountQuery:
    """Which accounts; every given field narrows."""

    owner: UserId | None = None
    asset: AssetCode | None = None
    kinds: frozenset[AccountKind] = frozenset()
    frozen: bool | None = None


@dataclass(frozen=True, slots=True)
class HoldQuery:
    """Which open holds: past their expiry by ``now``, or as old as ``created_until``."""

    now: datetime
    created_until: datetime
    reason: str | None = None


HoldPlace = tuple[datetime, HoldId]


class LedgerBooks(Protocol):
    """Reading, each call a short session of its own. Raises Unavailable, TimedOut."""

    async def entries(
        self, query: EntryQuery, *, first: int, before: int | None
    ) -> Sequence[LedgerEntry]:
        """Newest first, from the position before ``before`` on."""
        ...

    async def entry(self, entry_id: EntryId) -> LedgerEntry | None: ...

    async def accounts(
        self, query: AccountQuery, *, first: int, after: AccountId | None
    ) -> Sequence[LedgerAccount]:
        """In the order of ids, which means nothing and never changes."""
        ...

    async def account(self, account_id: AccountId) -> LedgerAccount | None: ...

    async def trial_balance(self, *, until: datetime | None, now: datetime) -> TrialBalance:
        """Of all entries, or of those that happened until then, as one moment saw them."""
        ...

    async def stuck_holds(
        self, query: HoldQuery, *, first: int, after: HoldPlace | None
    ) -> Sequence[Hold]:
        """Oldest first."""
        ...

    async def proposals(
        self, state: LedgerProposalState | None, *, now: datetime, first: int, before: str | None
    ) -> Sequence[LedgerProposal]:
        """Newest first, from the id before ``before`` on; ``now`` says which have expired."""
        ...

    async def proposal(self, proposal_id: LedgerProposalId) -> LedgerProposal | None: ...
