"""Fields about the caller's own statements."""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from uuid import UUID

from strawberry import Parent

from domain.events import ResyncRequired
from domain.kernel.errors import BadInput, UserError
from domain.kernel.events import Event, stream_of_user
from domain.kernel.failures import Unavailable
from domain.kernel.idempotency import IdempotencyInProgress, IdempotencyKeyReused
from domain.kernel.page import DEFAULT_PAGE_SIZE, Page
from domain.wallets.errors import UnknownAsset
from domain.wallets.papers import MyStatements, RequestStatement, SignedLink, Statement, StatementId
from domain.wallets.papers.errors import (
    StatementTooLarge,
    TooManyStatements,
    UnknownStatement,
)
from domain.wallets.papers.events import PREFIX
from resolvers.context import Info
from resolvers.market import After, First
from resolvers.wallets import owner_of


async def statements(
    info: Info, first: First = DEFAULT_PAGE_SIZE, after: After = None
) -> Page[Statement] | BadInput:
    return await papers_of(info).page(owner_of(info), first=first, after=after)


async def download(statement: Parent[Statement], info: Info) -> SignedLink | None:
    return papers_of(info).link(statement)


async def request_statement(
    info: Info, command: RequestStatement
) -> (
    Statement
    | UnknownAsset
    | TooManyStatements
    | StatementTooLarge
    | IdempotencyInProgress
    | IdempotencyKeyReused
    | BadInput
):
    return await papers_of(info).request(owner_of(info), command)


async def statement_updated(
    info: Info, id: UUID
) -> AsyncGenerator[Statement, None] | UnknownStatement | BadInput | ResyncRequired:
    # Followed first and read then: what changes in between is told.
    events = await info.context.users.events.follow(stream_of_user(owner_of(info)), after=None)
    if isinstance(events, UserError):
        return events
    known = await papers_of(info).one(owner_of(info), StatementId(id))
    if isinstance(known, UserError):
        await events.aclose()
        return known
    return _updates(info, known, events)


async def statement_of_event(event: Parent[Event], info: Info) -> Statement | None:
    statement_id = StatementId(UUID(str(event.body["statementId"])))
    found = await papers_of(info).one(owner_of(info), statement_id)
    return found if isinstance(found, Statement) else None


def papers_of(info: Info) -> MyStatements:
    """Raises Unavailable where no files are kept."""
    papers = info.context.wallets.papers
    if papers is None:
        raise Unavailable("file storage")
    return papers


async def _updates(
    info: Info, known: Statement, events: AsyncGenerator[Event, None]
) -> AsyncGenerator[Statement, None]:
    """What it is now, then what it becomes, until it is over."""
    async with aclosing(events):
        yield known
        if known.over:
            return
        async for event in events:
            if not _is_about(event, known):
                continue
            found = await papers_of(info).one(owner_of(info), known.id)
            # Two events that come together are one change by the time it is read.
            if isinstance(found, UserError) or found == known:
                continue
            known = found
            yield known
            if known.over:
                return


def _is_about(event: Event, statement: Statement) -> bool:
    told_of = event.body.get("statementId")
    return event.type.startswith(PREFIX) and told_of == str(statement.id)
