"""What the wallets domain needs of the world.

Writing is one ``Work`` per command. Lock order: idempotency row -> accounts by id -> hold -> event
streams by name (taken last). One entry per work: a second one could meet the accounts of another's
in the wrong order.
"""

from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from domain.kernel.events import EventAppender
from domain.kernel.idempotency import Attempt, Idempotency
from domain.kernel.ids import AssetCode, UserId
from domain.wallets.errors import Refusal
from domain.wallets.model import (
    Account,
    Asset,
    Balance,
    EntryId,
    EntryKind,
    Hold,
    HoldId,
    JournalEntry,
    Posted,
    Transaction,
)


class Ledger(Protocol):
    """The journal, within one unit of work."""

    async def post(
        self, entry: JournalEntry, *, opens: Hold | None = None, resolves: Hold | None = None
    ) -> Posted | Refusal:
        """Append ``entry``, move the balances it touches, open or resolve the hold: in one call.

        The accounts are locked in the order of their ids. A refusal says what the locked rows
        said, and nothing was moved. An entry that was posted before, by id, source or what it
        reverses, is answered as repeated and changes nothing.
        """
        ...

    async def entry(self, entry_id: EntryId) -> JournalEntry | None: ...

    async def hold(self, hold_id: HoldId) -> Hold | None:
        """As it stands, without a lock: only ``post`` decides whether it is still open."""
        ...

    async def freeze(self, account: Account, *, frozen: bool) -> bool | None:
        """Let nothing leave a user's account, or again; what comes in is taken.

        Whether that changed anything; nothing when no money ever came to it, so that there is no
        such account.
        """
        ...


class Work(Protocol):
    """One transaction. Leaving the block commits; an exception rolls everything back."""

    @property
    def idempotency(self) -> Idempotency: ...
    @property
    def ledger(self) -> Ledger: ...
    @property
    def events(self) -> EventAppender: ...

    def attempt(self) -> AbstractAsyncContextManager[Attempt]:
        """Begin a part that can be taken back while the rest is committed."""
        ...


class Works(Protocol):
    """Begins transactions. Raises Unavailable, TimedOut, Conflict."""

    def begin(self) -> AbstractAsyncContextManager[Work]: ...


class Assets(Protocol):
    """What wallets can hold. Raises Unavailable, TimedOut."""

    async def asset(self, code: str) -> Asset | None: ...

    async def all(self) -> Sequence[Asset]:
        """In the order of codes."""
        ...

    async def add(self, asset: Asset) -> None:
        """Add an asset, or rename it and change its networks: a scale stays as it was first."""
        ...


@dataclass(frozen=True, slots=True)
class TransactionQuery:
    """Which transactions of one user."""

    owner: UserId
    asset: AssetCode | None = None
    kinds: frozenset[EntryKind] = frozenset()
    """Empty is all."""
    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Place:
    """Where in a user's transactions something is."""

    position: int
    asset: AssetCode


class Books(Protocol):
    """Reading, each call a short session of its own. Raises Unavailable, TimedOut."""

    async def balances(self, owners: Sequence[UserId]) -> Mapping[UserId, Sequence[Balance]]:
        """Every asset an owner ever had, in the order of codes; nothing for who never had any."""
        ...

    async def transactions(
        self, query: TransactionQuery, *, first: int, before: Place | None
    ) -> Sequence[Transaction]:
        """Newest first."""
        ...

    async def open_holds(self, owner: UserId, asset: AssetCode) -> Sequence[Hold]:
        """Oldest first."""
        ...

    async def due_holds(self, *, now: datetime, first: int) -> Sequence[HoldId]:
        """Open holds whose time is up, the longest due first."""
        ...


@dataclass(frozen=True, slots=True)
class Finding:
    """Something in the books that must not be."""

    rule: str
    """``unbalanced_entry``, ``wrong_balance`` ...: the words of the verification."""
    subject: str
    """The entry's position, the account's or the hold's id."""
    details: str


class Verification(Protocol):
    """Proves the books from the journal alone. Raises Unavailable, TimedOut."""

    async def findings(self, *, first: int = 100) -> Sequence[Finding]:
        """What is wrong, at most so many of each kind; empty when all adds up."""
        ...


class Sealing(Protocol):
    """Chains what was posted, so that nothing can be changed without a trace."""

    async def seal(self, *, now: datetime, limit: int = 1000) -> int:
        """Append what is not in the chain yet; returns how many entries. Safe to run twice."""
        ...


class Recipients(Protocol):
    """Who can be given money. Raises Unavailable, TimedOut."""

    async def can_receive(self, user_id: UserId) -> bool: ...
