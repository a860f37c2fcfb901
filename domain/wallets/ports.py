"""What the wallets domain needs of the world.

Writing is one ``Work`` per command. Lock order: idempotency key -> accounts by id -> hold -> event
streams by name (taken last). One entry per work: a second one could meet the accounts of another's
in the wrong order.
"""

from collections.abc import AsyncGenerator, Collection, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Protocol

from domain.kernel.errors import UserError
from domain.kernel.events import Event, EventAppender, StreamName
from domain.kernel.idempotency import Attempt, Done, Idempotency
from domain.kernel.ids import AssetCode, UserId
from domain.wallets.booking import Booking
from domain.wallets.daily import Closing, Days
from domain.wallets.errors import Refusal
from domain.wallets.model import (
    Account,
    AccountId,
    Asset,
    Balance,
    EntryId,
    EntryKind,
    Explanation,
    Hold,
    HoldId,
    JournalEntry,
    Posted,
    Recipient,
    Transaction,
    TransactionState,
)
from domain.wallets.valuation import NoRate, Pair, Rate


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

    async def sent(self, owner: UserId, asset: AssetCode, *, now: datetime) -> "Sent":
        """What the owner has sent lately, this work's own entries included.

        Exact once an entry of this work took from the owner: until the commit no other can.
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

    async def book(self, booking: Booking) -> Posted | Done | None:
        """A whole command in one call: what was posted, or what came of its key before.

        Nothing when anything is in the way (a refusal, a cap, a twin, another request's key): then
        nothing was written, and it takes a transaction to find out what, and to keep it.
        """
        ...


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
    states: frozenset[TransactionState] = frozenset()
    """Empty is all."""


@dataclass(frozen=True, slots=True)
class TransactionFilter:
    """The same before it is known whose; every given field narrows."""

    asset: AssetCode | None = None
    kinds: frozenset[EntryKind] = frozenset()
    states: frozenset[TransactionState] = frozenset()
    since: datetime | None = None
    until: datetime | None = None

    def of(self, owner: UserId, asset: AssetCode | None = None) -> TransactionQuery:
        """The owner's, in their wallet of ``asset`` when one is given."""
        return TransactionQuery(
            owner=owner,
            asset=self.asset if asset is None else asset,
            kinds=self.kinds,
            since=self.since,
            until=self.until,
            states=self.states,
        )


@dataclass(frozen=True, slots=True)
class SentWithin:
    """What somebody sent of one asset within a period that ends now."""

    amount: Decimal = Decimal(0)
    oldest_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Sent:
    """What somebody sent of one asset lately."""

    day: SentWithin = SentWithin()
    """24 hours."""
    month: SentWithin = SentWithin()
    """30 days."""


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

    async def transactions_by_asset(
        self,
        query: TransactionQuery,
        assets: Sequence[AssetCode],
        *,
        first: int,
        before: Place | None,
    ) -> Mapping[AssetCode, Sequence[Transaction]]:
        """The same of each of ``assets``, whatever the query's own, in one look."""
        ...

    async def explanations(
        self, owner: UserId, assets: Sequence[AssetCode], *, first: int
    ) -> Mapping[AssetCode, Explanation]:
        """Of each of ``assets`` its balance, newest transactions and open holds, the oldest first.

        All as of one moment: what is held is what the holds come to.
        """
        ...

    async def holds(self, hold_ids: Sequence[HoldId]) -> Mapping[HoldId, Hold]:
        """Those of them that there are, open or not."""
        ...

    async def sent(self, owner: UserId, asset: AssetCode, *, now: datetime) -> Sent:
        """What the owner has sent lately."""
        ...

    async def due_holds(self, *, now: datetime, first: int) -> Sequence[HoldId]:
        """Open holds whose time is up, the longest due first."""
        ...


class Closings(Protocol):
    """What accounts came to, day by day. Raises Unavailable, TimedOut."""

    async def closings(self, accounts: Collection[AccountId], days: Days) -> Sequence[Closing]:
        """Of each account its last one before the first day, and all until the last day.

        By account, the oldest first. Days on which nothing was booked have none.
        """
        ...


class Rates(Protocol):
    """What assets are worth in others, right now."""

    async def rates(self, pairs: Collection[Pair]) -> Mapping[Pair, Rate | NoRate]:
        """For each pair; never fails: what cannot be asked for now is a reason."""
        ...


class EventStreams(Protocol):
    """What is told of users, in order. Raises Unavailable, TimedOut."""

    async def newest(self, stream: StreamName) -> int:
        """The sequence of the newest event; 0 when nothing happened yet."""
        ...

    async def follow(
        self, stream: StreamName, *, after: str | None
    ) -> AsyncGenerator[Event, None] | UserError:
        """Every event after the cursor, then each new one."""
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

    async def of_email(self, email: str) -> UserId | None:
        """Who can receive and has this verified address; nothing when there are several."""
        ...

    def mark(self, email: str) -> str:
        """One text per address that can be kept, because nobody can read the address off it."""
        ...

    async def shown(self, user_ids: Sequence[UserId]) -> Mapping[UserId, Recipient]:
        """Masked; those who never were are left out."""
        ...


class LookUps(Protocol):
    """Counts the addresses somebody asks about, so that nobody tries all there are."""

    async def wait_seconds(self, asker: UserId, mark: str) -> int | None:
        """How long to wait before asking about a new address, or nothing: then it is counted.

        One that was asked about before costs nothing. Raises Unavailable, TimedOut.
        """
        ...
