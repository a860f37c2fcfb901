"""Proofs: the root of every day, and what was owed to everybody at its end."""

from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

# A day's secret blinds its owners. Who reads this database reads balances anyway: it hides them
# from everybody else, and with one for each day no two days can be laid side by side.
_TABLES = """
CREATE TABLE wallets.day_root (
    day date NOT NULL,
    first_number bigint NOT NULL,
    last_number bigint NOT NULL,
    link bytea NOT NULL,
    liabilities bytea NOT NULL,
    previous_root bytea,
    root bytea NOT NULL,
    secret bytea NOT NULL,
    sealed_at timestamptz NOT NULL,
    CONSTRAINT pk_day_root PRIMARY KEY (day),
    CONSTRAINT ck_day_root_numbers CHECK (first_number > 0 AND last_number >= first_number - 1),
    CONSTRAINT ck_day_root_secret CHECK (octet_length(secret) = 32)
);
CREATE TABLE wallets.liability (
    day date NOT NULL,
    asset text COLLATE "C" NOT NULL,
    total numeric NOT NULL,
    leaves integer NOT NULL,
    root bytea NOT NULL,
    crowns bytea NOT NULL,
    CONSTRAINT pk_liability PRIMARY KEY (day, asset),
    CONSTRAINT ck_liability_total CHECK (total >= 0),
    CONSTRAINT ck_liability_leaves CHECK (leaves > 0),
    CONSTRAINT ck_liability_root CHECK (octet_length(root) = 32)
);
CREATE TABLE wallets.liability_part (
    day date NOT NULL,
    asset text COLLATE "C" NOT NULL,
    first_owner bytea NOT NULL,
    number integer NOT NULL,
    leaves bytea NOT NULL,
    CONSTRAINT pk_liability_part PRIMARY KEY (day, asset, first_owner)
);
"""

# One at a time, and in front of everything that closes a day: who comes second finds it closed.
_BEGIN = """
CREATE FUNCTION wallets.begin_day(wanted date) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = '' AS $$
BEGIN
    PERFORM pg_advisory_xact_lock(7305489207);
    RETURN NOT EXISTS (SELECT FROM wallets.day_root d WHERE d.day >= wanted);
END $$
"""

_KEEP_TREE = """
CREATE FUNCTION wallets.keep_tree(
    wanted date, of_asset text, owed numeric, leaf_count integer, tree_root bytea,
    part_roots bytea, parts bytea[]
) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = '' AS $$
BEGIN
    IF NOT wallets.begin_day(wanted) THEN
        RAISE EXCEPTION 'the day is closed' USING ERRCODE = '42501';
    END IF;
    INSERT INTO wallets.liability (day, asset, total, leaves, root, crowns)
        VALUES (wanted, of_asset, owed, leaf_count, tree_root, part_roots);
    INSERT INTO wallets.liability_part (day, asset, first_owner, number, leaves)
        SELECT wanted, of_asset, substring(p.part FOR 32), p.number - 1, p.part
        FROM unnest(parts) WITH ORDINALITY AS p (part, number);
END $$
"""

# Says what domain/wallets/proofs.py says; the verification computes it there.
_CLOSE = """
CREATE FUNCTION wallets.close_day(wanted date, up_to bigint, mark bytea, at timestamptz)
RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = '' AS $$
DECLARE
    before record;
    begins bigint;
    ends bytea := '';
    owed bytea;
BEGIN
    IF NOT wallets.begin_day(wanted) THEN
        RAISE EXCEPTION 'the day is closed' USING ERRCODE = '42501';
    END IF;
    SELECT d.day, d.last_number, d.root INTO before
        FROM wallets.day_root d ORDER BY d.day DESC LIMIT 1;
    IF before.day <> wanted - 1 OR up_to < before.last_number THEN
        RAISE EXCEPTION 'days are closed one after the other' USING ERRCODE = '42501';
    END IF;
    begins := coalesce(before.last_number, 0) + 1;
    IF up_to > 0 THEN
        SELECT c.link INTO STRICT ends FROM wallets.chain_link c WHERE c.number = up_to;
    END IF;
    SELECT sha256(convert_to('okd-liabilities-v1' || coalesce(string_agg(
            E'\\n' || l.asset || ' ' || trim_scale(l.total)::text || ' ' || l.leaves || ' '
                || encode(l.root, 'hex'),
            '' ORDER BY l.asset), ''), 'UTF8'))
        INTO owed FROM wallets.liability l WHERE l.day = wanted;
    INSERT INTO wallets.day_root
        (day, first_number, last_number, link, liabilities, previous_root, root, secret, sealed_at)
    VALUES (wanted, begins, up_to, ends, owed, before.root,
        sha256(convert_to(concat_ws(E'\\n', 'okd-day-v1', to_char(wanted, 'YYYY-MM-DD'),
            begins, up_to, encode(ends, 'hex'), encode(owed, 'hex'),
            coalesce(encode(before.root, 'hex'), '')), 'UTF8')),
        mark, at);
END $$
"""

_FUNCTIONS = (
    "wallets.begin_day(date)",
    "wallets.keep_tree(date, text, numeric, integer, bytea, bytea, bytea[])",
    "wallets.close_day(date, bigint, bytea, timestamptz)",
)


def upgrade() -> None:
    for statement in _TABLES.split(";\n"):
        if statement.strip():
            op.execute(statement)
    for function in (_BEGIN, _KEEP_TREE, _CLOSE):
        op.execute(function)
    for table in ("day_root", "liability", "liability_part"):
        op.execute(
            f"CREATE TRIGGER appended_to_only BEFORE UPDATE OR DELETE ON wallets.{table}"
            " FOR EACH ROW EXECUTE FUNCTION wallets.refuse()"
        )
        op.execute(f"GRANT SELECT ON wallets.{table} TO okd_app")
    for signature in _FUNCTIONS:
        op.execute(f"REVOKE ALL ON FUNCTION {signature} FROM PUBLIC")
        op.execute(f"GRANT EXECUTE ON FUNCTION {signature} TO okd_app")


def downgrade() -> None:
    raise NotImplementedError("Migrations go forward only: write a new one that undoes this one.")
