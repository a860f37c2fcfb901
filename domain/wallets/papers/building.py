"""Building what was asked for: one statement at a time, by any number of workers.

A worker that is killed leaves a claim that runs out and a file nobody can see. Who takes over
begins anew: what is told of progress never goes back, and there is one file at the end.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from hashlib import sha256
from typing import Any

from domain.kernel.clock import Clock
from domain.kernel.failures import Failure
from domain.kernel.ids import new_uuid7
from domain.wallets.papers.events import (
    statement_failed,
    statement_progressed,
    statement_ready,
)
from domain.wallets.papers.model import (
    DAYS_KEPT,
    FileId,
    Statement,
    StatementFormat,
    StatementProblem,
    StatementState,
)
from domain.wallets.papers.ports import Claim, FileWriter, Paper, Shelf, StatementFiles, Works
from domain.wallets.papers.tying import DoesNotTie, Running

PAGE = 500
LEASE = timedelta(seconds=60)
TELL_EVERY_SECONDS = 1.0
ATTEMPTS_MAX = 5
_EXPIRED_AT_ONCE = 100
# Files nobody knows of, left by workers that were killed: kept longer than any that is known.
_LEFT_BEHIND = timedelta(days=DAYS_KEPT + 1)
# Of a file that was not finished: no statement takes that long, and its claim ran out long before.
_UNFINISHED = timedelta(hours=1)

PaperMaker = Callable[[Statement], Paper]


class StatementBuilder:
    """Builds, and deletes what was kept long enough."""

    def __init__(
        self,
        *,
        works: Works,
        shelf: Shelf,
        files: StatementFiles,
        papers: Mapping[StatementFormat, PaperMaker],
        clock: Clock,
    ) -> None:
        self._works = works
        self._shelf = shelf
        self._files = files
        self._papers = papers
        self._clock = clock

    async def build_all(self) -> int:
        """Build what waits, one after the other; returns how many.

        Raises Unavailable, TimedOut, Conflict: what was begun is taken up again, by whoever.
        """
        built = 0
        while await self.build_next():
            built += 1
        return built

    async def build_next(self) -> bool:
        """Build the longest waiting; False when none waits."""
        claim = await self._take()
        if claim is None:
            return False
        if claim.attempt > ATTEMPTS_MAX:
            await self._fail(claim, StatementProblem.BUILD_FAILED)
            return True
        try:
            await self._build(claim)
        except _ClaimLost:
            pass  # another worker has it
        except Failure:
            raise
        except DoesNotTie as why:
            await self._fail(claim, StatementProblem.DOES_NOT_TIE, why)
        except Exception as why:  # noqa: BLE001  # one statement that cannot be built is not the end of all
            await self._fail(claim, StatementProblem.BUILD_FAILED, why)
        return True

    async def tidy(self) -> int:
        """Delete the files whose time is up; returns how many. Safe to run twice."""
        now = self._clock.now()
        done = 0
        while True:
            async with self._works.begin() as work:
                expired = await work.statements.expire(now=now, first=_EXPIRED_AT_ONCE)
            for statement in expired:
                # Of another host's folder, or after a crash right here: the sweep gets it.
                if statement.file is not None and statement.place == self._files.place:
                    await self._files.delete(statement.file)
            done += len(expired)
            if len(expired) < _EXPIRED_AT_ONCE:
                break
        await self._files.sweep(older_than=_LEFT_BEHIND, parts_older_than=_UNFINISHED)
        return done

    async def _take(self) -> Claim | None:
        now = self._clock.now()
        async with self._works.begin() as work:
            claim = await work.statements.take(lease=new_uuid7(), now=now, until=now + LEASE)
            if claim is not None and claim.attempt == 1:
                work.events.append(statement_progressed(claim.statement))
        return claim

    async def _build(self, claim: Claim) -> None:
        """Write the file, then say that it is there: in this order, so that it is."""
        file = FileId(claim.lease)
        async with self._files.writing(claim.statement.owner, file) as writer:
            if writer is None:
                written = None
            else:
                written = _Written(writer)
                await self._write(claim, written)
        if written is None:
            await self._fail(claim, StatementProblem.OWNER_ERASED)
            return
        now = self._clock.now()
        done = replace(
            claim.statement,
            state=StatementState.READY,
            lines_written=claim.statement.lines,
            finished_at=now,
            expires_at=now + timedelta(days=DAYS_KEPT),
            size=written.size,
            sha256=written.digest.hexdigest(),
            file=file,
            place=self._files.place,
        )
        async with self._works.begin() as work:
            kept = await work.statements.conclude(claim, done)
            if kept:
                work.events.append(statement_ready(done))
        if not kept:
            await self._files.delete(file)

    async def _write(self, claim: Claim, written: "_Written") -> None:
        statement = claim.statement
        paper = self._papers[statement.format](statement)
        running = Running(statement.owner, statement.ranges)
        progress = _Progress(self._clock, statement.lines_written)
        await written.put(paper.opening, running.standings())
        place = None
        while True:
            page, place = await self._shelf.bookings(statement, first=PAGE, after=place)
            await written.put(paper.lines, [running.line(each) for each in page])
            if progress.is_news():
                await self._tell(claim, running.postings, progress)
            if place is None:
                break
        running.finish()
        await written.put(paper.closing, running.standings())

    async def _tell(self, claim: Claim, lines: int, progress: "_Progress") -> None:
        async with self._works.begin() as work:
            told = await work.statements.renew(
                claim, lines_written=lines, until=self._clock.now() + LEASE
            )
            if told is None:
                raise _ClaimLost
            if told > progress.told:
                building = replace(
                    claim.statement, state=StatementState.BUILDING, lines_written=told
                )
                work.events.append(statement_progressed(building))
        progress.tell(told)

    async def _fail(
        self, claim: Claim, problem: StatementProblem, why: Exception | None = None
    ) -> None:
        failed = replace(
            claim.statement,
            state=StatementState.FAILED,
            finished_at=self._clock.now(),
            problem=problem,
        )
        async with self._works.begin() as work:
            if await work.statements.conclude(claim, failed, why=why):
                work.events.append(statement_failed(failed))


class _ClaimLost(Exception):
    """Internal to this module."""


class _Progress:
    """What was told, and when: at most once a second, however fast the pages come."""

    def __init__(self, clock: Clock, told: int) -> None:
        self._clock = clock
        self._at = clock.monotonic()
        self.told = told

    def is_news(self) -> bool:
        return self._clock.monotonic() - self._at >= TELL_EVERY_SECONDS

    def tell(self, lines: int) -> None:
        self.told = max(self.told, lines)
        self._at = self._clock.monotonic()


class _Written:
    """A file on its way, with its size and digest."""

    def __init__(self, writer: FileWriter) -> None:
        self._writer = writer
        self.size = 0
        self.digest = sha256()

    async def put(self, part: Callable[[Sequence[Any]], bytes], of: Sequence[Any]) -> None:
        """Make a part in a thread: laying out a page of a PDF must not hold up the others."""
        data = await asyncio.to_thread(part, of)
        self.size += len(data)
        self.digest.update(data)
        if data:
            await self._writer.write(data)
