"""Statements of wallets: what was asked for, and which postings it is about."""

from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

_TABLE = """
CREATE TABLE wallets.statement (
    id uuid NOT NULL,
    owner uuid NOT NULL,
    asset text COLLATE "C",
    since timestamptz NOT NULL,
    until timestamptz NOT NULL,
    format text NOT NULL,
    requested_at timestamptz NOT NULL,
    ranges jsonb NOT NULL,
    state text NOT NULL,
    lines_written bigint NOT NULL,
    attempts smallint NOT NULL,
    lease uuid,
    lease_until timestamptz,
    finished_at timestamptz,
    expires_at timestamptz,
    size bigint,
    sha256 text,
    problem text,
    file uuid,
    place uuid,
    CONSTRAINT pk_statement PRIMARY KEY (id),
    CONSTRAINT ck_statement_period CHECK (since < until),
    CONSTRAINT ck_statement_format CHECK (format IN ('CSV', 'PDF')),
    CONSTRAINT ck_statement_state CHECK (state IN ('REQUESTED', 'BUILDING', 'READY', 'FAILED',
        'EXPIRED')),
    CONSTRAINT ck_statement_problem CHECK (problem IN ('DOES_NOT_TIE', 'BUILD_FAILED',
        'OWNER_ERASED')),
    CONSTRAINT ck_statement_failed CHECK ((state = 'FAILED') = (problem IS NOT NULL)),
    CONSTRAINT ck_statement_finished CHECK (
        (state IN ('REQUESTED', 'BUILDING')) = (finished_at IS NULL)),
    CONSTRAINT ck_statement_file CHECK (
        (state IN ('READY', 'EXPIRED')) = (file IS NOT NULL AND place IS NOT NULL
            AND size IS NOT NULL AND sha256 IS NOT NULL AND expires_at IS NOT NULL))
)
"""
_INDEXES = """
CREATE INDEX ix_statement_owner_id ON wallets.statement (owner, id);
CREATE INDEX ix_statement_requested_at ON wallets.statement (requested_at)
    WHERE state IN ('REQUESTED', 'BUILDING');
CREATE INDEX ix_statement_expires_at ON wallets.statement (expires_at) WHERE state = 'READY'
"""

# The number of an account's last posting that is before a moment, or not behind a position; 0 when
# none is. Halving, for the numbers have no gap: a year of a busy account costs twenty looks.
_NUMBER = """
CREATE FUNCTION wallets.number_before(
    counted uuid, most bigint, moment timestamptz, place bigint
) RETURNS bigint
LANGUAGE plpgsql STABLE SET search_path = '' AS $$
DECLARE
    found_number bigint := 0;
    step bigint := 1;
    before boolean;
BEGIN
    WHILE step * 2 <= most LOOP
        step := step * 2;
    END LOOP;
    WHILE step > 0 LOOP
        IF found_number + step <= most THEN
            SELECT CASE WHEN place IS NULL THEN e.at < moment ELSE p.position <= place END
                INTO before
                FROM wallets.posting p JOIN wallets.entry e ON e.position = p.position
                WHERE p.account_id = counted AND p.seq = found_number + step;
            IF before THEN
                found_number := found_number + step;
            END IF;
        END IF;
        step := step / 2;
    END LOOP;
    RETURN found_number;
END $$
"""

# One statement, one snapshot. An asset is cut at one position for available and held alike, so
# that no entry is in the period by half.
_RANGES = """
CREATE FUNCTION wallets.statement_ranges(
    whose uuid, only_asset text, begins timestamptz, ends timestamptz
) RETURNS TABLE (
    asset text, kind text, account uuid, after bigint, last bigint,
    first_position bigint, last_position bigint, opening numeric, closing numeric
)
LANGUAGE sql STABLE SET search_path = '' AS $$
    WITH counted AS MATERIALIZED (
        SELECT a.id, a.asset, a.kind, b.last_seq
        FROM wallets.account a JOIN wallets.balance b ON b.account_id = a.id
        WHERE a.owner = whose AND b.last_seq > 0
            AND (only_asset IS NULL OR a.asset = only_asset)
    ), timed AS (
        SELECT c.id, c.asset,
            wallets.number_before(c.id, c.last_seq, begins, NULL) AS before_first,
            wallets.number_before(c.id, c.last_seq, ends, NULL) AS before_end
        FROM counted c
    ), cut AS (
        SELECT t.asset, coalesce(max(f.position), 0) AS from_place,
            coalesce(max(l.position), 0) AS to_place
        FROM timed t
        LEFT JOIN wallets.posting f ON f.account_id = t.id AND f.seq = t.before_first
        LEFT JOIN wallets.posting l ON l.account_id = t.id AND l.seq = t.before_end
        GROUP BY t.asset
    ), numbered AS (
        SELECT c.id, c.asset, c.kind,
            wallets.number_before(c.id, c.last_seq, NULL, x.from_place) AS after,
            wallets.number_before(c.id, c.last_seq, NULL, x.to_place) AS last
        FROM counted c JOIN cut x ON x.asset = c.asset
    )
    SELECT n.asset, n.kind, n.id, n.after, n.last,
        (SELECT p.position FROM wallets.posting p
            WHERE p.account_id = n.id AND p.seq = n.after + 1 AND n.after < n.last),
        (SELECT p.position FROM wallets.posting p
            WHERE p.account_id = n.id AND p.seq = n.last AND n.after < n.last),
        coalesce((SELECT p.balance FROM wallets.posting p
            WHERE p.account_id = n.id AND p.seq = n.after), 0),
        coalesce((SELECT p.balance FROM wallets.posting p
            WHERE p.account_id = n.id AND p.seq = n.last), 0)
    FROM numbered n ORDER BY n.asset, n.kind
$$
"""
_FUNCTIONS = (
    "wallets.number_before(uuid, bigint, timestamptz, bigint)",
    "wallets.statement_ranges(uuid, text, timestamptz, timestamptz)",
)


def upgrade() -> None:
    for statement in (_TABLE, *_INDEXES.split(";"), _NUMBER, _RANGES):
        op.execute(statement)
    for signature in _FUNCTIONS:
        op.execute(f"REVOKE ALL ON FUNCTION {signature} FROM PUBLIC")
        op.execute(f"GRANT EXECUTE ON FUNCTION {signature} TO okd_app")
    # What a statement is about never changes; only where it stands does.
    op.execute("GRANT SELECT, INSERT ON wallets.statement TO okd_app")
    op.execute(
        "GRANT UPDATE (state, lines_written, attempts, lease, lease_until, finished_at,"
        " expires_at, size, sha256, problem, file, place) ON wallets.statement TO okd_app"
    )


def downgrade() -> None:
    raise NotImplementedError("Migrations go forward only: write a new one that undoes this one.")
