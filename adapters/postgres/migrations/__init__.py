"""Bring the database to what this code expects: forward only, once, however many launchers run.

Expand first, contract in a later release: the code of yesterday runs on the tables of today.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import asyncpg
from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine
from sqlalchemy.pool import NullPool

from adapters.postgres.failures import WHAT, translated
from adapters.postgres.migrations.roles import adopt_owner
from adapters.resilience import deadline

VERSION_SCHEMA = "migration"

_CONNECT_SECONDS = 10.0
_ADVISORY_LOCK = 7_305_489_201  # any number, as long as all releases use the same
# Long waits for a table's lock queue everybody else behind us: better to fail and be run again.
_LOCK_TIMEOUT = "5s"
# All of it together: a launcher that waits for another one, and the slowest index.
_TOTAL_SECONDS = 600.0


class MigrationError(Exception):
    """The database is not one we can migrate; the message tells an operator what to do."""


@dataclass(frozen=True, slots=True)
class MigrationReport:
    """What a migration did; ``applied`` is empty when there was nothing to do."""

    before: str | None
    after: str | None
    applied: tuple[str, ...]


async def migrate(owner_url: str) -> MigrationReport:
    """Apply what is pending. Raises MigrationError, Unavailable, TimedOut, Conflict."""
    async with _connected(owner_url) as connection:
        # Of the session, not of a transaction: each migration commits by itself.
        await connection.execute(text(f"SELECT pg_advisory_lock({_ADVISORY_LOCK})"))
        if refusal := await adopt_owner(connection):
            raise MigrationError(refusal)
        await connection.execute(text(f"SET lock_timeout = '{_LOCK_TIMEOUT}'"))
        await connection.execute(text(f"CREATE SCHEMA IF NOT EXISTS {VERSION_SCHEMA}"))
        await connection.commit()
        return await connection.run_sync(_upgrade)


async def pending(owner_url: str) -> tuple[str, ...]:
    """Revisions this code has and the database has not, oldest first. Changes nothing.

    Raises MigrationError for a database of a newer release, Unavailable, TimedOut.
    """
    async with _connected(owner_url) as connection:
        return await connection.run_sync(lambda c: _missing(_current(c)))


def configuration() -> Config:
    """Alembic's configuration, without a file for it."""
    config = Config()
    folder = str(Path(__file__).parent).replace("%", "%%")
    config.set_main_option("script_location", folder)
    config.set_main_option("path_separator", "os")
    return config


def _upgrade(connection: Connection) -> MigrationReport:
    before = _current(connection)
    applied = _missing(before)
    config = configuration()
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
    return MigrationReport(before, _current(connection), applied)


def _current(connection: Connection) -> str | None:
    context = MigrationContext.configure(connection, opts={"version_table_schema": VERSION_SCHEMA})
    revision = context.get_current_revision()
    connection.rollback()
    return revision


def _missing(current: str | None) -> tuple[str, ...]:
    scripts = ScriptDirectory.from_config(configuration())
    known = [script.revision for script in scripts.walk_revisions()][::-1]
    if current is None:
        return tuple(known)
    if current not in known:
        raise MigrationError(
            f"The database is at revision {current}, which this release does not know: "
            "start a release at least as new as the one that migrated it."
        )
    return tuple(known[known.index(current) + 1 :])


@asynccontextmanager
async def _connected(url: str) -> AsyncIterator[AsyncConnection]:
    async def connect(*_: Any, **__: Any) -> asyncpg.Connection:  # noqa: ANN401  # SQLAlchemy's
        return await asyncpg.connect(
            url,
            timeout=_CONNECT_SECONDS,
            server_settings={"application_name": "okd-migrate", "timezone": "UTC"},
        )

    engine = create_async_engine("postgresql+asyncpg://", async_creator=connect, poolclass=NullPool)
    async with deadline(WHAT, _TOTAL_SECONDS):
        with translated():
            async with engine.connect() as connection:
                yield connection
