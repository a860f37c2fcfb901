"""Run by alembic; the connection comes from ``migrate``, because configuration is code here."""

from alembic import context

from adapters.postgres.migrations import VERSION_SCHEMA
from adapters.postgres.tables import METADATA

connection = context.config.attributes.get("connection")
if connection is None:
    raise SystemExit("Run migrations with `python app.py migrate`, not with the alembic command.")

context.configure(
    connection=connection,
    target_metadata=METADATA,
    version_table_schema=VERSION_SCHEMA,
    include_schemas=True,
    # One commit each, so that a revision may use autocommit_block() for a concurrent index.
    transaction_per_migration=True,
)
with context.begin_transaction():
    context.run_migrations()
