"""What is told of statements, to ``user:<id>`` of their owner: ids and counts, no amounts."""

from domain.kernel.events import NewEvent, stream_of_user
from domain.wallets.papers.model import Statement

PREFIX = "statement."


def statement_progressed(statement: Statement) -> NewEvent:
    """It is being built, and so many of its lines are written."""
    return _event(
        statement,
        "progressed",
        {"linesWritten": statement.lines_written, "lines": statement.lines},
    )


def statement_ready(statement: Statement) -> NewEvent:
    return _event(statement, "ready", {"size": statement.size})


def statement_failed(statement: Statement) -> NewEvent:
    return _event(statement, "failed", {"problem": statement.problem})


def _event(statement: Statement, what: str, more: dict[str, object]) -> NewEvent:
    body: dict[str, object] = {"statementId": str(statement.id)}
    return NewEvent(stream_of_user(statement.owner), f"{PREFIX}{what}", body | more)
