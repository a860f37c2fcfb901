"""Wallets: what every user's account came to at the end of each day something was booked on it."""

from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

_TABLE = """
CREATE TABLE wallets.closing (
    account_id uuid NOT NULL,
    day date NOT NULL,
    balance numeric(38,18) NOT NULL,
    CONSTRAINT pk_closing PRIMARY KEY (account_id, day)
) WITH (fillfactor = 70)
"""

# Once per statement: wallets.post writes all lines of an entry with one, and holds the locks of
# their balances. The day never runs back on an account: of two processes whose clocks differ around
# midnight, the later to book is booked on the later day.
_KEEP = """
CREATE FUNCTION wallets.keep_closing() RETURNS trigger
LANGUAGE plpgsql SET search_path = '' AS $$
BEGIN
    INSERT INTO wallets.closing (account_id, day, balance)
        SELECT DISTINCT ON (account_id, day) account_id, day, balance
        FROM (
            SELECT a.account_id, a.seq, a.balance,
                greatest(last.day, max((e.at AT TIME ZONE 'UTC')::date)
                    OVER (PARTITION BY a.account_id ORDER BY a.seq)) AS day
            FROM added a
            JOIN wallets.entry e ON e.position = a.position
            CROSS JOIN LATERAL (
                SELECT max(c.day) AS day FROM wallets.closing c WHERE c.account_id = a.account_id
            ) last
            WHERE a.seq IS NOT NULL
        ) booked ORDER BY account_id, day, seq DESC
        ON CONFLICT (account_id, day) DO UPDATE SET balance = excluded.balance;
    RETURN NULL;
END $$
"""

# What is there already, by the same rule. The verification of the books asks the same.
_FILL = """
INSERT INTO wallets.closing (account_id, day, balance)
    SELECT DISTINCT ON (account_id, day) account_id, day, balance
    FROM (
        SELECT p.account_id, p.seq, p.balance, max((e.at AT TIME ZONE 'UTC')::date)
            OVER (PARTITION BY p.account_id ORDER BY p.seq) AS day
        FROM wallets.posting p JOIN wallets.entry e ON e.position = p.position
        WHERE p.seq IS NOT NULL
    ) booked ORDER BY account_id, day, seq DESC
"""


def upgrade() -> None:
    op.execute(_TABLE)
    op.execute(_KEEP)
    # First the trigger, whose lock keeps everybody from posting until all of this is committed.
    op.execute(
        "CREATE TRIGGER keeps_closing AFTER INSERT ON wallets.posting"
        " REFERENCING NEW TABLE AS added"
        " FOR EACH STATEMENT EXECUTE FUNCTION wallets.keep_closing()"
    )
    op.execute(_FILL)
    op.execute("GRANT SELECT ON wallets.closing TO okd_app")


def downgrade() -> None:
    raise NotImplementedError("Migrations go forward only: write a new one that undoes this one.")
