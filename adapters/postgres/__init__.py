"""PostgreSQL, the truth: tables and repositories. Rows never leave this package.

``adapters.postgres.migrations`` is not imported here: alembic costs every process half a second,
and only the one that migrates needs it.
"""

from adapters.postgres.engine import Database
from adapters.postgres.events import PostgresEventLog, PostgresOutbox, maintain_events
from adapters.postgres.market import PostgresInstruments

__all__ = [
    "Database",
    "PostgresEventLog",
    "PostgresInstruments",
    "PostgresOutbox",
    "maintain_events",
]
