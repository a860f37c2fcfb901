"""The ledger's desk: proposals that two decide, freezing that says whether it changed anything."""

from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

# Four eyes are a rule of the table, too: whoever takes over the product cannot write around it.
_PROPOSAL = """
CREATE TABLE wallets.proposal (
    id uuid NOT NULL,
    kind text NOT NULL,
    owner uuid NOT NULL,
    asset text COLLATE "C",
    amount numeric(38,18),
    entry_id uuid,
    reason bytea NOT NULL,
    proposed_by uuid NOT NULL,
    created_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    state text NOT NULL,
    decided_by uuid,
    decided_at timestamptz,
    posted_as uuid,
    CONSTRAINT pk_proposal PRIMARY KEY (id),
    CONSTRAINT ck_proposal_kind CHECK (kind IN ('ADJUSTMENT', 'REVERSAL')),
    CONSTRAINT ck_proposal_state CHECK (
        state IN ('OPEN', 'APPROVED', 'REJECTED', 'WITHDRAWN', 'EXPIRED')),
    CONSTRAINT ck_proposal_adjustment CHECK (
        (kind = 'ADJUSTMENT') = (asset IS NOT NULL) AND (asset IS NULL) = (amount IS NULL)),
    CONSTRAINT ck_proposal_reversal CHECK ((kind = 'REVERSAL') = (entry_id IS NOT NULL)),
    CONSTRAINT ck_proposal_amount CHECK (amount <> 0),
    CONSTRAINT ck_proposal_decided CHECK (
        (state IN ('OPEN', 'EXPIRED')) = (decided_by IS NULL)
        AND (decided_by IS NULL) = (decided_at IS NULL)),
    CONSTRAINT ck_proposal_eyes CHECK (
        state NOT IN ('APPROVED', 'REJECTED')
        OR (decided_by <> proposed_by AND decided_by <> owner)),
    CONSTRAINT ck_proposal_withdrawn CHECK (state <> 'WITHDRAWN' OR decided_by = proposed_by),
    CONSTRAINT ck_proposal_posted CHECK ((state = 'APPROVED') = (posted_as IS NOT NULL))
);
CREATE UNIQUE INDEX uq_proposal_entry_id ON wallets.proposal (entry_id)
    WHERE state = 'OPEN' AND entry_id IS NOT NULL;
CREATE INDEX ix_proposal_state_id ON wallets.proposal (state, id);
CREATE INDEX ix_hold_created_at_id ON wallets.hold (created_at, id) WHERE state = 'OPEN';
CREATE INDEX ix_posting_account_id_position ON wallets.posting (account_id, position)
    INCLUDE (amount) WHERE owner IS NULL;
"""

# True when it changed, false when it was so, NULL when there is no such account.
_FREEZE = """
CREATE OR REPLACE FUNCTION wallets.freeze(account uuid, wish boolean) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = '' AS $$
BEGIN
    UPDATE wallets.balance SET frozen = wish WHERE account_id = account AND frozen <> wish;
    IF FOUND THEN
        RETURN true;
    ELSIF EXISTS (SELECT FROM wallets.balance WHERE account_id = account) THEN
        RETURN false;
    END IF;
    RETURN NULL;
END $$
"""


def upgrade() -> None:
    for statement in _PROPOSAL.split(";\n"):
        if statement.strip():
            op.execute(statement)
    op.execute(_FREEZE)
    # What was proposed stays as it was proposed.
    op.execute("GRANT SELECT, INSERT ON wallets.proposal TO okd_app")
    op.execute(
        "GRANT UPDATE (state, decided_by, decided_at, posted_as) ON wallets.proposal TO okd_app"
    )


def downgrade() -> None:
    raise NotImplementedError("Migrations go forward only: write a new one that undoes this one.")
