"""The ledger as staff sees it, and what waits for a second one of them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import NewType
from uuid import UUID

from domain.kernel.ids import AssetCode, UserId
from domain.kernel.money import total, trimmed
from domain.wallets.model import Account, AccountId, AccountKind, EntryId, EntryKind, HoldId

LedgerProposalId = NewType("LedgerProposalId", UUID)

PROPOSAL_LIFE = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class LedgerLine:
    """One account's share of an entry, and what the account came to with it."""

    account: Account
    amount: Decimal
    sequence: int | None
    """Its number on a user's account; the house's have none."""
    balance: Decimal | None
    """Of a user's account right after it."""


@dataclass(frozen=True, slots=True)
class LedgerEntry:
    """One entry of the journal with all that it moved, whoever's it was."""

    id: EntryId
    position: int
    kind: EntryKind
    at: datetime
    actor: UserId | None
    source: str | None
    reverses: EntryId | None
    reversed_by: EntryId | None
    hold_id: HoldId | None
    details: Mapping[str, str]
    lines: tuple[LedgerLine, ...]

    @property
    def owners(self) -> frozenset[UserId]:
        """Whose money it moved."""
        return frozenset(line.account.owner for line in self.lines if line.account.owner)


@dataclass(frozen=True, slots=True)
class LedgerAccount:
    """An account and where it stands."""

    account: Account
    opened_at: datetime
    balance: Decimal
    """Of the house's: the sum of its postings."""
    sequence: int | None
    """How many postings a user's account has; the house's are not numbered."""
    frozen: bool

    @property
    def id(self) -> AccountId:
        return self.account.id

    @property
    def kind(self) -> AccountKind:
        return self.account.kind

    @property
    def asset(self) -> AssetCode:
        return self.account.asset

    @property
    def owner(self) -> UserId | None:
        return self.account.owner

    @property
    def name(self) -> str:
        return self.account.name


@dataclass(frozen=True, slots=True)
class TrialRow:
    """What one kind of account came to. The house's accounts are told apart by name."""

    asset: AssetCode
    kind: AccountKind
    name: str
    """Empty for users' accounts, all of a kind together."""
    accounts: int
    debits: Decimal
    """At or above zero: how much was taken out of them."""
    credits: Decimal
    """At or above zero: how much was put into them."""

    @property
    def balance(self) -> Decimal:
        return trimmed(total((self.credits, self.debits.copy_negate())))


@dataclass(frozen=True, slots=True)
class AssetTrial:
    """All accounts of one asset."""

    asset: AssetCode
    rows: tuple[TrialRow, ...]

    @property
    def debits(self) -> Decimal:
        return trimmed(total(row.debits for row in self.rows))

    @property
    def credits(self) -> Decimal:
        return trimmed(total(row.credits for row in self.rows))

    @property
    def balance(self) -> Decimal:
        """Zero, or the books are wrong."""
        return trimmed(total((self.credits, self.debits.copy_negate())))


@dataclass(frozen=True, slots=True)
class TrialBalance:
    """Everything that was ever posted, added up: it comes to nothing, asset by asset."""

    as_of: datetime
    position: int | None
    """The newest entry in it; nothing before the first one."""
    assets: tuple[AssetTrial, ...]

    @property
    def balanced(self) -> bool:
        return not any(each.balance for each in self.assets)


def trial_balance(
    rows: Sequence[TrialRow], *, as_of: datetime, position: int | None
) -> TrialBalance:
    """Put rows together, asset by asset; rows of one asset keep their order."""
    by_asset: dict[AssetCode, list[TrialRow]] = {}
    for row in rows:
        by_asset.setdefault(row.asset, []).append(row)
    assets = tuple(AssetTrial(asset, tuple(found)) for asset, found in sorted(by_asset.items()))
    return TrialBalance(as_of, position, assets)


class LedgerProposalKind(StrEnum):
    """What two of staff can do to the books."""

    ADJUSTMENT = "ADJUSTMENT"
    """More or less on one wallet, against the house's account for that."""
    REVERSAL = "REVERSAL"
    """An entry taken back by another one."""


class LedgerProposalState(StrEnum):
    """Where it stands. It leaves OPEN once."""

    OPEN = "OPEN"
    APPROVED = "APPROVED"
    REJECTED = "REJECTED"
    WITHDRAWN = "WITHDRAWN"
    EXPIRED = "EXPIRED"
    """Open for too long: the clock says so, whatever is written."""


@dataclass(frozen=True, slots=True)
class LedgerProposal:
    """A wish to correct the books: somebody else than who made it decides."""

    id: LedgerProposalId
    kind: LedgerProposalKind
    owner: UserId
    """Whose wallet it is about; of a reversal, who would give most back."""
    proposed_by: UserId
    created_at: datetime
    expires_at: datetime
    reason: str | None = field(repr=False)
    """In clear; nothing once the owner was erased."""
    asset: AssetCode | None = None
    """With an adjustment."""
    amount: Decimal | None = None
    """With an adjustment: above zero puts money in, below takes it out."""
    entry_id: EntryId | None = None
    """With a reversal: the entry that is to be taken back."""
    state: LedgerProposalState = LedgerProposalState.OPEN
    decided_by: UserId | None = None
    decided_at: datetime | None = None
    posted_as: EntryId | None = None
    """What came of it, once it was approved."""

    @property
    def source(self) -> str:
        """What names its entry in the journal: an entry per proposal, for ever."""
        return f"{self.kind.lower()}:{self.id}"

    def state_at(self, now: datetime) -> LedgerProposalState:
        """Its state by the clock."""
        if self.state is LedgerProposalState.OPEN and self.expires_at <= now:
            return LedgerProposalState.EXPIRED
        return self.state
