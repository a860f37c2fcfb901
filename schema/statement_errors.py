"""Every reason why the platform makes no statement, as clients see it."""

import strawberry

import domain.wallets.papers.errors
from schema._shared import UserError
from schema._view import view_of


@view_of(
    domain.wallets.papers.errors.TooManyStatements,
    description="As many as one person may have are being built, or kept.",
)
class TooManyStatements(UserError):
    most: int = strawberry.field(description="How many there may be.")


@view_of(
    domain.wallets.papers.errors.StatementTooLarge,
    description="The period has more lines than a file of that format holds.",
)
class StatementTooLarge(UserError):
    lines: int = strawberry.field(description="How many there are.")
    most: int = strawberry.field(description="How many a file holds.")


@view_of(
    domain.wallets.papers.errors.UnknownStatement,
    description="There is no such statement, or it is somebody else's: both look the same.",
)
class UnknownStatement(UserError):
    pass


STATEMENT_ERRORS = (TooManyStatements, StatementTooLarge, UnknownStatement)
