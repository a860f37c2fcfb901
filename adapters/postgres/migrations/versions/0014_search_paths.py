"""Functions that look for types where PostgreSQL keeps its own, and last of all in temporary ones.

An empty search_path still looks for types among the temporary first: who may make temporary ones
could name a domain ``jsonb`` and have its check run as the owner of a function. We let nobody make
them, but a database is not always restored with the rights it had.
"""

from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

_LOOK_HERE = """
DO $$
DECLARE
    ours regprocedure;
BEGIN
    FOR ours IN
        SELECT p.oid FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
        WHERE n.nspname IN ('events', 'idempotency', 'market', 'users', 'wallets')
            AND 'search_path=""' = ANY(p.proconfig)
    LOOP
        EXECUTE format('ALTER FUNCTION %s SET search_path TO pg_catalog, pg_temp', ours);
    END LOOP;
END $$
"""


def upgrade() -> None:
    op.execute(_LOOK_HERE)


def downgrade() -> None:
    raise NotImplementedError("Migrations go forward only: write a new one that undoes this one.")
