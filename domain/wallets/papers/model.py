"""A statement, from the wish to the file, and the lines it is made of."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import NewType
from uuid import UUID

from domain.kernel.ids import AssetCode, UserId
from domain.wallets.model import AccountId, AccountKind, EntryId, EntryKind, HoldId

StatementId = NewType("StatementId", UUID)
FileId = NewType("FileId", UUID)

PERIOD_MAX = timedelta(days=366)
DAYS_KEPT = 7


class StatementFormat(StrEnum):
    """What kind of file."""

    CSV = "CSV"
    PDF = "PDF"


LINES_MAX = {StatementFormat.CSV: 200_000, StatementFormat.PDF: 20_000}
"""Postings a statement may hold: a PDF is put together in memory, a CSV is not."""


class StatementState(StrEnum):
    """Where a statement stands. READY, FAILED and EXPIRED are not left for an earlier one."""

    REQUESTED = "REQUESTED"
    BUILDING = "BUILDING"
    READY = "READY"
    FAILED = "FAILED"
    EXPIRED = "EXPIRED"


OPEN = frozenset({StatementState.REQUESTED, StatementState.BUILDING})


class StatementProblem(StrEnum):
    """Why there is no file."""

    DOES_NOT_TIE = "DOES_NOT_TIE"
    """The lines do not lead from the opening to the closing balance: a wrong paper is not given."""
    BUILD_FAILED = "BUILD_FAILED"
    OWNER_ERASED = "OWNER_ERASED"


@dataclass(frozen=True, slots=True)
class Range:
    """The postings of one account that a statement is about: fixed when it is requested.

    The journal is only appended to and an account's postings have numbers without a gap, so two
    numbers name the same lines for ever, whatever is posted meanwhile.
    """

    asset: AssetCode
    kind: AccountKind
    account: AccountId
    after: int
    """The number before the first; 0 when it begins with the account."""
    last: int
    """The number of the last; ``after`` when there is none."""
    first_position: int | None
    last_position: int | None
    opening: Decimal
    closing: Decimal

    @property
    def lines(self) -> int:
        return self.last - self.after


@dataclass(frozen=True, slots=True)
class Statement:
    """What came and went between ``since`` and ``until``."""

    id: StatementId
    owner: UserId
    asset: AssetCode | None
    """Nothing is all of them."""
    since: datetime
    until: datetime
    """Not included."""
    format: StatementFormat
    requested_at: datetime
    ranges: tuple[Range, ...]
    """By asset, then by kind of account."""
    state: StatementState = StatementState.REQUESTED
    lines_written: int = 0
    """Never less than it was, also when another worker begins anew."""
    finished_at: datetime | None = None
    expires_at: datetime | None = None
    """When the file is deleted; there once it is."""
    size: int | None = None
    """In bytes, as it is downloaded."""
    sha256: str | None = None
    """Of what is downloaded, in hexadecimal."""
    problem: StatementProblem | None = None
    file: FileId | None = None
    place: UUID | None = None
    """Which folder the file is in."""

    @property
    def lines(self) -> int:
        return sum(each.lines for each in self.ranges)

    @property
    def progress(self) -> float:
        """0 to 1; 1 is READY, and what was."""
        if self.state in (StatementState.READY, StatementState.EXPIRED):
            return 1.0
        return self.lines_written / self.lines if self.lines else 0.0

    @property
    def over(self) -> bool:
        """Whether nothing more will come of it but its end."""
        return self.state not in OPEN

    def has_file(self, now: datetime) -> bool:
        ready = self.state is StatementState.READY
        return ready and self.expires_at is not None and now < self.expires_at

    @property
    def file_name(self) -> str:
        """What a browser saves it as: ASCII, no word of a person in it."""
        what = self.asset or "all"
        days = f"{self.since:%Y%m%d}-{self.until:%Y%m%d}"
        return f"okd-statement-{what}-{days}.{self.format.lower()}"


@dataclass(frozen=True, slots=True)
class Booking:
    """An entry as the ledger booked it on one person's accounts of one asset."""

    entry_id: EntryId
    kind: EntryKind
    at: datetime
    asset: AssetCode
    available_change: Decimal
    held_change: Decimal
    available_after: Decimal | None
    """The ledger's own balance; nothing when the entry did not touch it."""
    held_after: Decimal | None
    source: str | None
    reverses: EntryId | None
    hold_id: HoldId | None
    details: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Line:
    """One booking, on paper."""

    at: datetime
    entry_id: EntryId
    kind: str
    asset: AssetCode
    change: Decimal
    """Of the total: what is held is still somebody's."""
    total: Decimal
    """Available and held together, right after it."""
    available: Decimal
    counterparty: str
    """Masked; empty where there is none."""
    note: str


@dataclass(frozen=True, slots=True)
class Standing:
    """What an asset came to at one moment."""

    asset: AssetCode
    total: Decimal
    available: Decimal
    came_in: Decimal = Decimal(0)
    """All changes above zero since the opening."""
    went_out: Decimal = Decimal(0)
    """All changes below zero since the opening."""
