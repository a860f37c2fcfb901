"""PostgreSQL, the truth: tables, repositories, migrations. Rows never leave this package."""

from adapters.postgres.engine import Database
from adapters.postgres.market import PostgresInstruments
from adapters.postgres.migrations import MigrationError, MigrationReport, migrate, pending

__all__ = [
    "Database",
    "MigrationError",
    "MigrationReport",
    "PostgresInstruments",
    "migrate",
    "pending",
]
