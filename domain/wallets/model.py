"""Assets, accounts, entries, postings, holds, limits: the words of the ledger.

An amount above zero is a credit, one below zero a debit. What we owe users stands on accounts that
are at or above zero; what we own, and where money came from, is at or below: all of them together
are zero, per asset, always.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from functools import lru_cache
from typing import NewType
from uuid import UUID, uuid5

from domain.kernel.ids import AssetCode, UserId
from domain.kernel.money import total, trimmed

AccountId = NewType("AccountId", UUID)
EntryId = NewType("EntryId", UUID)
HoldId = NewType("HoldId", UUID)

# Any UUID, as long as it never changes: account ids are made from it.
_ACCOUNTS = UUID("0199b2c4-6f00-7c3a-9d5e-3a1f0c7be201")


@dataclass(frozen=True, slots=True)
class Network:
    """One chain an asset lives on."""

    code: str
    """The venue's name: ``TRX``, ``ETH``."""
    name: str
    scale: int
    """Digits behind the point that the chain itself knows."""
    confirmations: int
    min_deposit: Decimal
    memo: bool = False
    """Whether an address needs a memo or tag to name its owner."""


@dataclass(frozen=True, slots=True)
class Asset:
    """Something wallets hold."""

    code: AssetCode
    name: str
    scale: int
    """Digits behind the point in our books: fixed for ever at the first posting."""
    networks: tuple[Network, ...] = ()


class AccountKind(StrEnum):
    """What an account is for."""

    AVAILABLE = "AVAILABLE"
    """A user's, to dispose of."""
    HELD = "HELD"
    """A user's, reserved for something that is under way."""
    FEES = "FEES"
    """Ours: what users paid for."""
    FAUCET = "FAUCET"
    """Where a sandbox's money comes from: as far below zero as was given away."""
    ADJUSTMENT = "ADJUSTMENT"
    """The other side of what two of staff corrected."""
    VENUE = "VENUE"
    """What we own at the venue, by name of the account there: at or below zero."""
    IN_TRANSIT = "IN_TRANSIT"
    """On its way between two places."""


OF_USERS = frozenset({AccountKind.AVAILABLE, AccountKind.HELD})


@dataclass(frozen=True, slots=True, order=True)
class Account:
    """One account of the ledger. It needs no opening: its first posting makes it."""

    kind: AccountKind
    asset: AssetCode
    owner: UserId | None = None
    """With a user's account, and with no other."""
    name: str = ""
    """Tells house accounts of one kind apart: ``MASTER:FUND``."""

    def __post_init__(self) -> None:
        if (self.kind in OF_USERS) != (self.owner is not None):
            raise ValueError(f"{self.kind}: users' accounts have an owner, the house's have none")

    @property
    def id(self) -> AccountId:
        """Made from what the account is: nobody has to look it up, and locks have an order."""
        return _account_id(self.kind, self.asset, self.owner, self.name)

    @property
    def counted(self) -> bool:
        """Whether it has a running balance and gapless numbers, and never goes below zero.

        The house's have not: a row that every transfer locks would be the speed of all of them.
        """
        return self.owner is not None


# An entry asks for the same few again and again.
@lru_cache(maxsize=4096)
def _account_id(kind: AccountKind, asset: AssetCode, owner: UserId | None, name: str) -> AccountId:
    return AccountId(uuid5(_ACCOUNTS, f"{kind}:{asset}:{'' if owner is None else owner}:{name}"))


def available(owner: UserId, asset: AssetCode) -> Account:
    return Account(AccountKind.AVAILABLE, asset, owner)


def held(owner: UserId, asset: AssetCode) -> Account:
    return Account(AccountKind.HELD, asset, owner)


def house(kind: AccountKind, asset: AssetCode, name: str = "") -> Account:
    return Account(kind, asset, None, name)


class EntryKind(StrEnum):
    """What an entry tells of."""

    DEPOSIT = "DEPOSIT"
    TRANSFER = "TRANSFER"
    FEE = "FEE"
    ADJUSTMENT = "ADJUSTMENT"
    REVERSAL = "REVERSAL"
    HOLD_PLACED = "HOLD_PLACED"
    HOLD_POSTED = "HOLD_POSTED"
    HOLD_VOIDED = "HOLD_VOIDED"
    HOLD_EXPIRED = "HOLD_EXPIRED"


@dataclass(frozen=True, slots=True)
class Posting:
    """One account's share of an entry."""

    account: Account
    amount: Decimal
    """Never zero: credit above, debit below."""


@dataclass(frozen=True, slots=True)
class JournalEntry:
    """What happened at once or not at all. Never changed: a mistake is answered by a reversal."""

    id: EntryId
    kind: EntryKind
    postings: tuple[Posting, ...]
    """At most one per account; in the order of account ids."""
    at: datetime
    actor: UserId | None = None
    """Who asked for it; nobody when it was the clock or the venue."""
    source: str | None = None
    """What caused it, outside of the ledger: an entry per source, for ever."""
    reverses: EntryId | None = None
    hold_id: HoldId | None = None
    details: Mapping[str, str] = field(default_factory=dict)
    """Ids and words, no personal data."""


class HoldState(StrEnum):
    """Where a hold stands. It leaves OPEN once."""

    OPEN = "OPEN"
    POSTED = "POSTED"
    VOIDED = "VOIDED"
    EXPIRED = "EXPIRED"


@dataclass(frozen=True, slots=True)
class Hold:
    """An amount that is still somebody's and that they cannot use."""

    id: HoldId
    owner: UserId
    asset: AssetCode
    amount: Decimal
    reason: str
    """What it is for: ``withdrawal``, ``order``."""
    created_at: datetime
    expires_at: datetime | None = None
    state: HoldState = HoldState.OPEN
    posted: Decimal = Decimal(0)
    """How much of it was taken, once it was posted."""
    resolved_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Balance:
    """What somebody has of one asset."""

    owner: UserId
    asset: AssetCode
    available: Decimal
    held: Decimal
    frozen: bool = False
    """Nothing leaves until staff says so; what comes in is taken."""


@dataclass(frozen=True, slots=True)
class Wallet:
    """What somebody has of one asset at a moment, as it is shown."""

    owner: UserId
    asset: AssetCode
    available: Decimal
    held: Decimal
    as_of: datetime
    """When it was read: our own books are never behind."""
    frozen: bool = False
    """Nothing leaves until staff says so; what comes in is taken."""
    pending: Decimal = Decimal(0)
    """Announced and not credited yet: on its way to us, and not part of ``total``."""
    stale: bool = False

    @property
    def id(self) -> AccountId:
        """Its first account's."""
        return available(self.owner, self.asset).id

    @property
    def total(self) -> Decimal:
        return trimmed(total((self.available, self.held)))


@dataclass(frozen=True, slots=True)
class AccountState:
    """A user's account as an entry left it."""

    account: Account
    amount: Decimal
    """The entry's posting."""
    balance: Decimal
    sequence: int
    """Of the posting: 1, 2, 3 ... without a gap on each user's account."""


@dataclass(frozen=True, slots=True)
class Posted:
    """An entry that is in the journal."""

    entry_id: EntryId
    position: int
    """Rises with every entry; numbers of entries that came to nothing are missing."""
    states: tuple[AccountState, ...]
    """Of users' accounts; empty when ``repeated``."""
    repeated: bool = False
    """It was there before, by id or source: nothing was done."""


class TransactionState(StrEnum):
    """What became of a transaction since."""

    POSTED = "POSTED"
    """Done, and final."""
    PENDING = "PENDING"
    """A hold that is open: the money is still theirs and cannot be used."""
    SETTLED = "SETTLED"
    """A hold that was posted: it was taken, or as much of it as was needed."""
    RELEASED = "RELEASED"
    """A hold that was voided: all of it came back."""
    EXPIRED = "EXPIRED"
    """A hold that nobody resolved in time: all of it came back."""
    REVERSED = "REVERSED"
    """Taken back by a reversal, which is a transaction of its own."""


@dataclass(frozen=True, slots=True)
class Transaction:
    """An entry as one user sees it: only what it did to them."""

    owner: UserId
    entry_id: EntryId
    position: int
    kind: EntryKind
    at: datetime
    asset: AssetCode
    available_change: Decimal
    held_change: Decimal
    available_after: Decimal | None
    """Nothing when the entry did not touch it."""
    held_after: Decimal | None
    source: str | None
    reverses: EntryId | None
    hold_id: HoldId | None
    details: Mapping[str, str]
    state: TransactionState = TransactionState.POSTED

    @property
    def id(self) -> UUID:
        """An entry touches several wallets as a rule: it is one transaction for each."""
        return uuid5(self.entry_id, f"{self.owner}:{self.asset}")

    @property
    def counterparty(self) -> UserId | None:
        """With a transfer: who it went to or came from."""
        if self.kind is not EntryKind.TRANSFER:
            return None
        return UserId(UUID(self.details["recipient" if self.available_change < 0 else "sender"]))


@dataclass(frozen=True, slots=True)
class Explanation:
    """Why a balance is what it is: the newest entries, and the holds behind what is held."""

    balance: Balance
    transactions: tuple[Transaction, ...]
    holds: tuple[Hold, ...]

    @property
    def available(self) -> Decimal:
        return self.balance.available

    @property
    def held(self) -> Decimal:
        return self.balance.held


@dataclass(frozen=True, slots=True)
class Recipient:
    """Somebody money goes to or came from, as far as the other one may see."""

    id: UserId
    email: str | None
    """Masked; nothing once they are gone."""
    name: str | None
    """Initials; nothing when they gave none."""


class LimitPeriod(StrEnum):
    """What a limit counts."""

    TRANSFER = "TRANSFER"
    """One transfer."""
    DAY = "DAY"
    """The last 24 hours."""
    MONTH = "MONTH"
    """The last 30 days."""


@dataclass(frozen=True, slots=True)
class TransferLimit:
    """How much somebody may send of one asset, and how much of that is left."""

    asset: AssetCode
    period: LimitPeriod
    limit: Decimal
    used: Decimal = Decimal(0)
    resets_at: datetime | None = None
    """When the first of what was used is free again; nothing while nothing is used."""

    @property
    def remaining(self) -> Decimal:
        return max(Decimal(0), trimmed(total((self.limit, self.used.copy_negate()))))
