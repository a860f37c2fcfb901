"""What statements need of the world.

Lock order: idempotency row -> the owner's requests -> statement -> event streams (taken last).
"""

from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol
from uuid import UUID

from domain.kernel.events import EventAppender
from domain.kernel.idempotency import Attempt, Idempotency
from domain.kernel.ids import AssetCode, UserId
from domain.wallets.papers.model import (
    Booking,
    FileId,
    Line,
    Range,
    Standing,
    Statement,
    StatementId,
)
from domain.wallets.ports import Place


@dataclass(frozen=True, slots=True)
class Claim:
    """A statement that one worker builds, until ``lease`` is another's."""

    statement: Statement
    lease: UUID
    attempt: int
    """1 the first time."""


class StatementRecords(Protocol):
    """Statements, within one unit of work."""

    async def ranges(
        self, owner: UserId, asset: AssetCode | None, *, since: datetime, until: datetime
    ) -> Sequence[Range]:
        """The postings of the period, as of one moment; accounts that never had any are left out.

        A period's lines are those from the first posting of the asset that is not before ``since``
        to the last that is before ``until``, in the order of booking: what one period ends with
        the next begins with, also where clocks disagreed by a moment.
        """
        ...

    async def counts(self, owner: UserId, *, now: datetime) -> tuple[int, int]:
        """(being built, files kept) of the owner; who asks next waits until this work is over."""
        ...

    async def add(self, statement: Statement) -> None: ...

    async def take(self, *, lease: UUID, now: datetime, until: datetime) -> Claim | None:
        """The longest waiting, or one whose worker was not heard of in time: theirs until then."""
        ...

    async def renew(self, claim: Claim, *, lines_written: int, until: datetime) -> int | None:
        """Keep the claim, and how far it is; what is told of it by now, None when it was lost."""
        ...

    async def conclude(
        self, claim: Claim, statement: Statement, *, why: Exception | None = None
    ) -> bool:
        """Write how it ended; False when the claim was lost. ``why`` goes to the log, as an error.

        Nothing but the end is written: state, times, size, digest, file, problem.
        """
        ...

    async def expire(self, *, now: datetime, first: int) -> Sequence[Statement]:
        """Those ready whose time is up, at most so many: EXPIRED from now on."""
        ...


class Work(Protocol):
    """One transaction. Leaving the block commits; an exception rolls everything back."""

    @property
    def idempotency(self) -> Idempotency: ...
    @property
    def statements(self) -> StatementRecords: ...
    @property
    def events(self) -> EventAppender: ...

    def attempt(self) -> AbstractAsyncContextManager[Attempt]:
        """Begin a part that can be taken back while the rest is committed."""
        ...


class Works(Protocol):
    """Begins transactions. Raises Unavailable, TimedOut, Conflict."""

    def begin(self) -> AbstractAsyncContextManager[Work]: ...


class Shelf(Protocol):
    """Reading, each call a short session of its own. Raises Unavailable, TimedOut."""

    async def page(
        self, owner: UserId, *, first: int, before: StatementId | None
    ) -> Sequence[Statement]:
        """Newest first."""
        ...

    async def statement(self, statement_id: StatementId) -> Statement | None:
        """Whoever's it is."""
        ...

    async def bookings(
        self, statement: Statement, *, first: int, after: Place | None
    ) -> tuple[Sequence[Booking], Place | None]:
        """At most ``first`` of the statement's, in order of booking, and where they go on.

        A page may be short, or empty, and not the last: that is the one that goes on nowhere.
        """
        ...


class FileWriter(Protocol):
    """Takes the bytes of one file."""

    async def write(self, data: bytes) -> None:
        """Raises Unavailable."""
        ...


class FileDamaged(Exception):
    """A file is there and not what was written: on its disk, or by somebody."""


class FileReader(Protocol):
    """The bytes of one file, once; closed by whoever got it."""

    def __aiter__(self) -> AsyncIterator[bytes]: ...

    async def aclose(self) -> None: ...


class StatementFiles(Protocol):
    """Where files are, readable with their owner's key alone. Raises Unavailable."""

    @property
    def place(self) -> UUID:
        """Names this folder: a file is read where it was written, and nowhere else."""
        ...

    def writing(
        self, owner: UserId, file: FileId
    ) -> AbstractAsyncContextManager[FileWriter | None]:
        """A file that is there when the block ends, and was never there when it raises.

        None when the owner was erased: for them nothing is written any more.
        """
        ...

    async def reading(self, owner: UserId, file: FileId) -> FileReader | None:
        """Its bytes; None when it is gone, or the owner's key is.

        Raises FileDamaged, also while it is read: it was logged.
        """
        ...

    async def delete(self, file: FileId) -> None:
        """Deleting what is gone is done already."""
        ...

    async def sweep(self, *, older_than: timedelta, parts_older_than: timedelta) -> int:
        """Delete what was last written so long ago, whoever left it; returns how many.

        Parts are files that nobody has finished: nobody can see them.
        """
        ...


class Paper(Protocol):
    """Makes the file of one statement, part by part. Blocks: call it in a thread.

    Every part answers with bytes that are ready by now.
    """

    def opening(self, standings: Sequence[Standing]) -> bytes: ...

    def lines(self, lines: Sequence[Line]) -> bytes: ...

    def closing(self, standings: Sequence[Standing]) -> bytes: ...
