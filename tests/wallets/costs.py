"""What a read costs the server, in pages it touches: no clock makes that differ."""

from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import Any

import asyncpg
from sqlalchemy import event

from adapters.postgres import Database
from tests.world import DatabaseUrls


@contextmanager
def _asked(database: Database) -> Iterator[list[tuple[str, Any]]]:
    """The statements that reach the database meanwhile, and their values."""
    statements: list[tuple[str, Any]] = []

    def note(_connection: Any, _cursor: Any, statement: str, values: Any, *_: Any) -> None:
        statements.append((statement, values))

    engine = database._engine.sync_engine
    event.listen(engine, "before_cursor_execute", note)
    try:
        yield statements
    finally:
        event.remove(engine, "before_cursor_execute", note)


async def pages_of(
    database: Database, urls: DatabaseUrls, read: Callable[[], Awaitable[object]]
) -> int:
    """How many pages of the server the statements of ``read`` touch, executed once more."""
    with _asked(database) as statements:
        await read()
    app = await asyncpg.connect(urls.app)
    pages = 0
    try:
        for statement, values in statements:
            explained = await app.fetch(f"EXPLAIN (ANALYZE, BUFFERS) {statement}", *values)
            top = next(line for (line,) in explained if "Buffers:" in line)
            told = dict(word.split("=") for word in top.split() if "=" in word)
            pages += int(told.get("hit", 0)) + int(told.get("read", 0))
    finally:
        await app.close()
    assert statements
    return pages
