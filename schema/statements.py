"""Statements as clients see them: asked for, watched, and downloaded by a link."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

import strawberry

import domain.wallets.papers
import schema.statement_words  # noqa: F401  # the enums must be declared before they are shown
from domain.kernel.policy import Audience, Delivery, FieldPolicy
from domain.wallets.papers import RequestStatement
from resolvers import statements
from schema._ids import id_of
from schema._view import Stream, resolved_by, streamed_by, success_of, view_of, whole
from schema.statement_errors import StatementTooLarge, TooManyStatements
from schema.user_errors import BadInput, Unauthenticated
from schema.wallet_errors import IdempotencyRefusal, UnknownAsset


@view_of(
    domain.wallets.papers.SignedLink,
    description="Where a file is downloaded by whoever holds the link. Treat it like a password.",
)
class SignedLink:
    url: str = strawberry.field(
        description="A path on the host that answered. No token is needed; GET and HEAD."
    )
    expires_at: datetime = strawberry.field(description="15 minutes from now, at most.")


@view_of(
    domain.wallets.papers.Statement,
    description="What came and went in a period, as a file whose every balance is the ledger's.",
)
class Statement:
    id: strawberry.ID = id_of("Statement")
    asset: str | None = strawberry.field(description="Its code; null is all assets.")
    since: datetime = strawberry.field(description="Where the period begins.")
    until: datetime = strawberry.field(
        description="Where it ends, not included: some seconds before `requestedAt` at the latest. "
        "Whoever goes on from here misses no line and gets none twice."
    )
    format: domain.wallets.papers.StatementFormat = strawberry.field(description="What it is.")
    state: domain.wallets.papers.StatementState = strawberry.field(description="Where it stands.")
    progress: float = strawberry.field(
        description="0 to 1, never less than it was; 1 once it is READY."
    )
    lines: int = strawberry.field(description="Postings it is about: fixed when it is requested.")
    lines_written: int = strawberry.field(description="How many of them were told of so far.")
    requested_at: datetime = strawberry.field(description="When it was asked for.")
    finished_at: datetime | None = strawberry.field(
        description="When it was READY, or FAILED; null until then."
    )
    expires_at: datetime | None = strawberry.field(
        description="When the file is deleted: seven days after `finishedAt`. Null without one."
    )
    size: int | None = strawberry.field(description="Bytes of the file; null without one.")
    sha256: str | None = strawberry.field(
        description="Of the file, in hexadecimal; null without one."
    )
    file_name: str = strawberry.field(description="What it is saved as.")
    problem: domain.wallets.papers.StatementProblem | None = strawberry.field(
        description="Why there is no file; null unless FAILED."
    )
    download: SignedLink | None = resolved_by(
        statements.download,
        description="Where to get the file, made anew each time it is asked for; null while there "
        "is none.",
    )


@strawberry.input(description="A statement of what came and went.")
class RequestStatementInput:
    asset: str | None = strawberry.field(
        default=None, description="Its code; all assets when left out."
    )
    since: datetime = strawberry.field(
        description="Where it begins: some seconds ago or more, in 1970 or later."
    )
    until: datetime = strawberry.field(
        description="Where it ends, not included: at most 366 days later. Some seconds ago "
        "when that is sooner."
    )
    format: domain.wallets.papers.StatementFormat = strawberry.field(description="Which file.")
    idempotency_key: UUID = strawberry.field(
        description="Made anew for each request, and sent again with a repetition of it: then "
        "nothing more happens, and the first answer is given again. Kept for 90 days."
    )

    def to_command(self) -> RequestStatement:
        return RequestStatement(
            self.asset, self.since, self.until, self.format, self.idempotency_key
        )


@success_of(
    domain.wallets.papers.Statement,
    description="It will be built; follow it with `statementUpdated`.",
)
class RequestStatementSuccess:
    statement: Statement = whole(description="As it is now.")


RequestStatementPayload = Annotated[
    RequestStatementSuccess
    | UnknownAsset
    | TooManyStatements
    | StatementTooLarge
    | IdempotencyRefusal
    | BadInput
    | Unauthenticated,
    strawberry.union("RequestStatementPayload", description="What became of it."),
]


@strawberry.type
class StatementMutations:
    request_statement: RequestStatementPayload = resolved_by(
        statements.request_statement,
        takes=RequestStatementInput,
        payload=True,
        policy=FieldPolicy(Audience.SIGNED_IN, cost=10),
        description="Have a statement built: at most 3 at a time. What it is about is fixed now; "
        "nothing that happens while it is built moves a line of it.",
    )


@strawberry.type
class StatementSubscriptions:
    statement_updated: Stream[Statement] = streamed_by(
        statements.statement_updated,
        ids={"id": "Statement"},
        policy=FieldPolicy(Audience.SIGNED_IN, cost=10, delivery=Delivery.LOSSLESS),
        description="The statement as it is, at once, then after each change, at most about once "
        "a second; completes when it is READY or FAILED.",
    )
