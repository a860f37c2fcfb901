"""Asking for statements, and looking at one's own."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

from domain.kernel.clock import Clock
from domain.kernel.cursor import CursorSigner
from domain.kernel.errors import BadInput
from domain.kernel.idempotency import (
    Command,
    IdempotencyInProgress,
    IdempotencyKeyReused,
    NotKept,
    Outcomes,
    digest_of,
    once,
)
from domain.kernel.ids import AssetCode, UserId, new_uuid7
from domain.kernel.page import Edge, Page, page_of, page_size
from domain.wallets.errors import UnknownAsset
from domain.wallets.papers.errors import (
    StatementTooLarge,
    TooManyStatements,
    UnknownStatement,
)
from domain.wallets.papers.links import LinkSigner, SignedLink
from domain.wallets.papers.model import (
    LINES_MAX,
    PERIOD_MAX,
    Range,
    Statement,
    StatementFormat,
    StatementId,
)
from domain.wallets.papers.ports import Shelf, Work, Works
from domain.wallets.ports import Assets

OPEN_MAX = 3
KEPT_MAX = 50
# No money is older. Years of fewer than four digits are no days in a file's name, and the first
# moment of all is "-infinity" to the database's driver, which gives back another one.
EARLIEST = datetime(1970, 1, 1, tzinfo=UTC)
_LIST = "statements"


@dataclass(frozen=True, slots=True)
class RequestStatement:
    """A wish for a file about what came and went from ``since`` until before ``until``."""

    asset: str | None
    since: datetime
    until: datetime
    format: StatementFormat
    idempotency_key: UUID


@dataclass(frozen=True, slots=True)
class Requested:
    """What is kept under the key."""

    statement_id: UUID


StatementRefusal = (
    BadInput
    | UnknownAsset
    | TooManyStatements
    | StatementTooLarge
    | IdempotencyInProgress
    | IdempotencyKeyReused
)

# That there are too many is kept no more; under keys of before it is.
_OUTCOMES = Outcomes(Requested, TooManyStatements, StatementTooLarge)


class MyStatements:
    """Requests and shows the caller's own."""

    def __init__(
        self,
        *,
        works: Works,
        shelf: Shelf,
        assets: Assets,
        signer: LinkSigner,
        cursors: CursorSigner,
        clock: Clock,
        settling: timedelta,
    ) -> None:
        """``settling``: what is older is booked by now, or never will be."""
        self._works = works
        self._shelf = shelf
        self._assets = assets
        self._signer = signer
        self._cursors = cursors
        self._clock = clock
        self._settling = settling

    async def request(self, owner: UserId, wish: RequestStatement) -> Statement | StatementRefusal:
        """Have it built, or say why not. Raises Unavailable, TimedOut, Conflict.

        What it is about is fixed now: nothing posted while it is built moves a line. It ends where
        nothing can be booked any more, so that whoever goes on from there misses no line. That
        there are too many is not kept under the key.
        """
        asset: AssetCode | None = None
        if wish.asset is not None:
            known = await self._assets.asset(wish.asset)
            if known is None:
                return UnknownAsset(wish.asset)
            asset = known.code
        now = self._clock.now()
        period = period_of(wish, settled=now - self._settling)
        if isinstance(period, BadInput):
            return period

        async def rule(work: Work) -> Requested | StatementTooLarge:
            await _expect_room(work, owner, now=now)
            return await _requested(work, owner, asset, period, wish.format, now=now)

        digest = digest_of(asset=asset, since=wish.since, until=wish.until, format=wish.format)
        command = Command(owner, "requestStatement", wish.idempotency_key, digest)
        done = await once(self._works.begin, command, _OUTCOMES, rule)
        if not isinstance(done, Requested):
            return done
        statement = await self._shelf.statement(StatementId(done.statement_id))
        if statement is None:
            raise LookupError("a statement that was requested is kept for ever")
        return statement

    async def page(
        self, owner: UserId, *, first: int, after: str | None
    ) -> Page[Statement] | BadInput:
        """Newest first."""
        size = page_size(first)
        if isinstance(size, BadInput):
            return size
        before: StatementId | None = None
        if after is not None:
            opened = self._cursors.open(_LIST, after)
            if isinstance(opened, BadInput):
                return opened
            before = StatementId(UUID(opened))
        found = await self._shelf.page(owner, first=size + 1, before=before)
        edges = [Edge(each, self._cursors.sign(_LIST, str(each.id))) for each in found[:size]]
        return page_of(edges, after=after, more=len(found) > size)

    async def one(self, owner: UserId, statement_id: StatementId) -> Statement | UnknownStatement:
        """One of the owner's own."""
        found = await self._shelf.statement(statement_id)
        if found is None or found.owner != owner:
            return UnknownStatement()
        return found

    def link(self, statement: Statement) -> SignedLink | None:
        """Where its file is downloaded; made anew each time, None while there is none."""
        return self._signer.link(statement, now=self._clock.now())


@dataclass(frozen=True, slots=True)
class Period:
    """From ``since`` until before ``until``, both at whole milliseconds, as they are told."""

    since: datetime
    until: datetime


def period_of(wish: RequestStatement, *, settled: datetime) -> Period | BadInput:
    """What is asked for, as far as it is ``settled``; else what is wrong with it.

    It begins in the past and has an end, not too far from it.
    """
    since, until = _whole_millisecond(wish.since), _whole_millisecond(wish.until)
    end = _whole_millisecond(settled)
    if since < EARLIEST:
        return BadInput("since", f"may be {EARLIEST:%Y-%m-%d} at the earliest.")
    if since >= until:
        return BadInput("until", "must be later than since.")
    if since >= end:
        return BadInput("since", "must be in the past, by more than some seconds.")
    if until - since > PERIOD_MAX:
        return BadInput("until", f"may be at most {PERIOD_MAX.days} days after since.")
    return Period(since, min(until, end))


def _whole_millisecond(at: datetime) -> datetime:
    return at.replace(microsecond=at.microsecond // 1000 * 1000)


async def _expect_room(work: Work, owner: UserId, *, now: datetime) -> None:
    """Raises NotKept: waiting makes room."""
    being_built, kept = await work.statements.counts(owner, now=now)
    if being_built >= OPEN_MAX:
        raise NotKept(TooManyStatements(OPEN_MAX, being_built=True))
    if being_built + kept >= KEPT_MAX:
        raise NotKept(TooManyStatements(KEPT_MAX, being_built=False))


async def _requested(
    work: Work,
    owner: UserId,
    asset: AssetCode | None,
    period: Period,
    format: StatementFormat,  # noqa: A002  # the field's own word
    *,
    now: datetime,
) -> Requested | StatementTooLarge:
    found = await work.statements.ranges(owner, asset, since=period.since, until=period.until)
    statement = Statement(
        id=StatementId(new_uuid7()),
        owner=owner,
        asset=asset,
        since=period.since,
        until=period.until,
        format=format,
        requested_at=now,
        ranges=told_of(found),
    )
    most = LINES_MAX[format]
    if statement.lines > most:
        return StatementTooLarge(statement.lines, most)
    await work.statements.add(statement)
    return Requested(statement.id)


def told_of(ranges: Sequence[Range]) -> tuple[Range, ...]:
    """Without the assets that had nothing before, and got nothing."""
    assets = {each.asset for each in ranges if each.lines or each.opening}
    return tuple(each for each in ranges if each.asset in assets)
