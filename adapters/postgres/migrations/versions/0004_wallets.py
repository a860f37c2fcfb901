"""Wallets: the journal, balances, holds, the chain; and what became of commands with a key."""

from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

# No foreign key from a posting: its check would lock the row of a house account for every
# transfer there is. wallets.post is the only writer, and the verification looks again.
_TABLES = """
CREATE TABLE wallets.asset (
    code text COLLATE "C" NOT NULL,
    name text NOT NULL,
    scale smallint NOT NULL,
    networks jsonb NOT NULL,
    CONSTRAINT pk_asset PRIMARY KEY (code),
    CONSTRAINT ck_asset_code CHECK (code ~ '^[A-Z0-9]{1,20}$'),
    CONSTRAINT ck_asset_scale CHECK (scale BETWEEN 0 AND 18)
);
CREATE TABLE wallets.account (
    id uuid NOT NULL,
    kind text NOT NULL,
    asset text COLLATE "C" NOT NULL,
    owner uuid,
    name text NOT NULL,
    opened_at timestamptz NOT NULL,
    CONSTRAINT pk_account PRIMARY KEY (id),
    CONSTRAINT uq_account_owner_asset_kind_name
        UNIQUE NULLS NOT DISTINCT (owner, asset, kind, name),
    CONSTRAINT fk_account_asset FOREIGN KEY (asset) REFERENCES wallets.asset (code),
    CONSTRAINT ck_account_kind CHECK (kind IN ('AVAILABLE', 'HELD', 'FEES', 'FAUCET',
        'ADJUSTMENT', 'VENUE', 'IN_TRANSIT')),
    CONSTRAINT ck_account_owner CHECK ((kind IN ('AVAILABLE', 'HELD')) = (owner IS NOT NULL))
);
CREATE TABLE wallets.balance (
    account_id uuid NOT NULL,
    amount numeric(38,18) NOT NULL,
    last_seq bigint NOT NULL,
    frozen boolean NOT NULL,
    CONSTRAINT pk_balance PRIMARY KEY (account_id),
    CONSTRAINT ck_balance_amount CHECK (amount >= 0)
) WITH (fillfactor = 70);
CREATE TABLE wallets.entry (
    id uuid NOT NULL,
    position bigint GENERATED ALWAYS AS IDENTITY NOT NULL,
    kind text NOT NULL,
    at timestamptz NOT NULL,
    actor uuid,
    source text,
    reverses uuid,
    hold_id uuid,
    details jsonb NOT NULL,
    CONSTRAINT pk_entry PRIMARY KEY (id),
    CONSTRAINT uq_entry_position UNIQUE (position),
    CONSTRAINT ck_entry_kind CHECK (kind IN ('DEPOSIT', 'TRANSFER', 'FEE', 'ADJUSTMENT',
        'REVERSAL', 'HOLD_PLACED', 'HOLD_POSTED', 'HOLD_VOIDED', 'HOLD_EXPIRED')),
    CONSTRAINT ck_entry_reverses CHECK ((kind = 'REVERSAL') = (reverses IS NOT NULL))
);
CREATE UNIQUE INDEX uq_entry_source ON wallets.entry (source) WHERE source IS NOT NULL;
CREATE UNIQUE INDEX uq_entry_reverses ON wallets.entry (reverses) WHERE reverses IS NOT NULL;
CREATE INDEX ix_entry_hold_id ON wallets.entry (hold_id) WHERE hold_id IS NOT NULL;
CREATE TABLE wallets.posting (
    position bigint NOT NULL,
    line smallint NOT NULL,
    account_id uuid NOT NULL,
    owner uuid,
    asset text COLLATE "C" NOT NULL,
    amount numeric(38,18) NOT NULL,
    seq bigint,
    balance numeric(38,18),
    CONSTRAINT pk_posting PRIMARY KEY (position, line),
    CONSTRAINT ck_posting_amount CHECK (amount <> 0),
    CONSTRAINT ck_posting_balance CHECK (balance >= 0),
    CONSTRAINT ck_posting_counted CHECK (
        (owner IS NULL) = (seq IS NULL) AND (owner IS NULL) = (balance IS NULL))
);
CREATE UNIQUE INDEX uq_posting_account_id_seq ON wallets.posting (account_id, seq)
    WHERE seq IS NOT NULL;
CREATE INDEX ix_posting_owner_position ON wallets.posting (owner, position)
    WHERE owner IS NOT NULL;
CREATE TABLE wallets.hold (
    id uuid NOT NULL,
    owner uuid NOT NULL,
    asset text COLLATE "C" NOT NULL,
    amount numeric(38,18) NOT NULL,
    reason text NOT NULL,
    created_at timestamptz NOT NULL,
    expires_at timestamptz,
    state text NOT NULL,
    posted numeric(38,18) NOT NULL,
    resolved_at timestamptz,
    CONSTRAINT pk_hold PRIMARY KEY (id),
    CONSTRAINT ck_hold_state CHECK (state IN ('OPEN', 'POSTED', 'VOIDED', 'EXPIRED')),
    CONSTRAINT ck_hold_resolved CHECK ((state = 'OPEN') = (resolved_at IS NULL)),
    CONSTRAINT ck_hold_posted CHECK ((state = 'POSTED') = (posted > 0)),
    CONSTRAINT ck_hold_amount CHECK (amount > 0 AND posted BETWEEN 0 AND amount)
);
CREATE INDEX ix_hold_owner_asset ON wallets.hold (owner, asset) WHERE state = 'OPEN';
CREATE INDEX ix_hold_expires_at ON wallets.hold (expires_at)
    WHERE state = 'OPEN' AND expires_at IS NOT NULL;
CREATE TABLE wallets.unsealed (
    position bigint NOT NULL,
    CONSTRAINT pk_unsealed PRIMARY KEY (position)
);
CREATE TABLE wallets.chain_link (
    number bigint NOT NULL,
    position bigint NOT NULL,
    digest bytea NOT NULL,
    link bytea NOT NULL,
    sealed_at timestamptz NOT NULL,
    CONSTRAINT pk_chain_link PRIMARY KEY (number),
    CONSTRAINT uq_chain_link_position UNIQUE (position)
);
CREATE TYPE wallets.line AS (
    line smallint, account uuid, kind text, asset text, owner uuid, name text, amount numeric
);
CREATE TABLE idempotency.command (
    actor uuid NOT NULL,
    mutation text NOT NULL,
    key uuid NOT NULL,
    digest bytea NOT NULL,
    state text NOT NULL,
    outcome jsonb,
    claimed_at timestamptz NOT NULL,
    CONSTRAINT pk_command PRIMARY KEY (actor, mutation, key),
    CONSTRAINT ck_command_state CHECK (state IN ('IN_PROGRESS', 'COMPLETED')),
    CONSTRAINT ck_command_outcome CHECK ((state = 'COMPLETED') = (outcome IS NOT NULL))
);
CREATE INDEX ix_command_claimed_at ON idempotency.command (claimed_at);
"""

# Answers {"position", "states": {account: [balance, seq]}}, or {"refused": code, ...} with nothing
# moved, or {"repeated": position}. Locks: balances by id, then what it writes.
_POST = """
CREATE FUNCTION wallets.post(given jsonb) RETURNS jsonb
LANGUAGE plpgsql SECURITY DEFINER SET search_path = '' AS $$
DECLARE
    lines wallets.line[] := ARRAY(
        SELECT l FROM jsonb_populate_recordset(NULL::wallets.line, given -> 'lines') AS l);
    opens jsonb := given -> 'opens';
    resolves jsonb := given -> 'resolves';
    happened timestamptz := given ->> 'at';
    made integer;
    kept record;
    place bigint;
    states jsonb;
BEGIN
    INSERT INTO wallets.account (id, kind, asset, owner, name, opened_at)
        SELECT l.account, l.kind, l.asset, l.owner, l.name, happened
        FROM unnest(lines) AS l
        WHERE NOT EXISTS (SELECT FROM wallets.account a WHERE a.id = l.account)
        ORDER BY l.account
        -- By whichever of its two unique indexes a twin is met first.
        ON CONFLICT DO NOTHING;
    GET DIAGNOSTICS made = ROW_COUNT;
    IF made > 0 THEN
        INSERT INTO wallets.balance (account_id, amount, last_seq, frozen)
            SELECT l.account, 0, 0, false FROM unnest(lines) AS l
            WHERE l.owner IS NOT NULL ORDER BY l.account
            ON CONFLICT (account_id) DO NOTHING;
    END IF;

    -- In the order of ids: two entries about the same accounts wait for each other, not in a ring.
    PERFORM FROM wallets.balance
        WHERE account_id IN (SELECT l.account FROM unnest(lines) AS l WHERE l.owner IS NOT NULL)
        ORDER BY account_id FOR UPDATE;

    IF given ->> 'source' IS NOT NULL OR given ->> 'reverses' IS NOT NULL THEN
        SELECT e.id, e.position INTO kept FROM wallets.entry e
            WHERE e.source = given ->> 'source' OR e.reverses = (given ->> 'reverses')::uuid;
        IF FOUND THEN
            RETURN jsonb_build_object('repeated', kept.position, 'id', kept.id);
        END IF;
    END IF;

    IF resolves IS NOT NULL THEN
        -- Who resolves a hold has its owner's held account locked: nobody else is at it.
        SELECT h.state, h.expires_at INTO kept FROM wallets.hold h
            WHERE h.id = (resolves ->> 'id')::uuid;
        IF NOT FOUND THEN
            RETURN jsonb_build_object('refused', 'UNKNOWN_HOLD');
        ELSIF kept.state <> 'OPEN' THEN
            RETURN jsonb_build_object('refused', 'HOLD_NOT_OPEN', 'state', kept.state);
        ELSIF resolves ->> 'state' = 'POSTED' AND kept.expires_at <= happened THEN
            RETURN jsonb_build_object('refused', 'HOLD_NOT_OPEN', 'state', 'EXPIRED');
        END IF;
    END IF;

    SELECT b.account_id, b.amount, b.frozen INTO kept
        FROM wallets.balance b JOIN unnest(lines) AS l ON l.account = b.account_id
        WHERE l.amount < 0 AND (b.frozen OR b.amount + l.amount < 0)
        ORDER BY b.frozen DESC, b.account_id LIMIT 1;
    IF FOUND THEN
        RETURN jsonb_build_object(
            'refused', CASE WHEN kept.frozen THEN 'WALLET_FROZEN' ELSE 'INSUFFICIENT_FUNDS' END,
            'account', kept.account_id, 'balance', kept.amount::text);
    END IF;

    INSERT INTO wallets.entry (id, kind, at, actor, source, reverses, hold_id, details)
        VALUES ((given ->> 'id')::uuid, given ->> 'kind', happened, (given ->> 'actor')::uuid,
            given ->> 'source', (given ->> 'reverses')::uuid, (given ->> 'hold')::uuid,
            given -> 'details')
        ON CONFLICT DO NOTHING RETURNING position INTO place;
    IF place IS NULL THEN
        SELECT e.id, e.position INTO kept FROM wallets.entry e
            WHERE e.id = (given ->> 'id')::uuid OR e.source = given ->> 'source'
                OR e.reverses = (given ->> 'reverses')::uuid;
        RETURN jsonb_build_object('repeated', kept.position, 'id', kept.id);
    END IF;
    INSERT INTO wallets.unsealed (position) VALUES (place);

    WITH moved AS (
        UPDATE wallets.balance b SET amount = b.amount + l.amount, last_seq = b.last_seq + 1
        FROM unnest(lines) AS l WHERE b.account_id = l.account
        RETURNING b.account_id, b.amount, b.last_seq
    ), written AS (
        INSERT INTO wallets.posting
            (position, line, account_id, owner, asset, amount, seq, balance)
        SELECT place, l.line, l.account, l.owner, l.asset, l.amount, m.last_seq, m.amount
        FROM unnest(lines) AS l LEFT JOIN moved m ON m.account_id = l.account
        RETURNING account_id, seq, balance
    )
    SELECT jsonb_object_agg(w.account_id, jsonb_build_array(w.balance::text, w.seq)) INTO states
        FROM written w WHERE w.seq IS NOT NULL;

    IF opens IS NOT NULL THEN
        INSERT INTO wallets.hold
            (id, owner, asset, amount, reason, created_at, expires_at, state, posted)
        VALUES ((opens ->> 'id')::uuid, (opens ->> 'owner')::uuid, opens ->> 'asset',
            (opens ->> 'amount')::numeric, opens ->> 'reason', happened,
            (opens ->> 'expires_at')::timestamptz, 'OPEN', 0);
    END IF;
    IF resolves IS NOT NULL THEN
        UPDATE wallets.hold SET state = resolves ->> 'state',
            posted = (resolves ->> 'posted')::numeric, resolved_at = happened
            WHERE id = (resolves ->> 'id')::uuid;
    END IF;
    RETURN jsonb_build_object('position', place, 'states', coalesce(states, '{}'));
END $$
"""

# Once per statement, and wallets.post writes all lines of an entry with one.
_BALANCED = """
CREATE FUNCTION wallets.require_balance() RETURNS trigger
LANGUAGE plpgsql SET search_path = '' AS $$
BEGIN
    IF EXISTS (SELECT FROM added GROUP BY position, asset HAVING sum(amount) <> 0) THEN
        RAISE EXCEPTION 'an entry does not sum to zero' USING ERRCODE = '23514';
    END IF;
    IF EXISTS (SELECT FROM added a LEFT JOIN wallets.asset s ON s.code = a.asset
        WHERE s.scale IS NULL OR scale(trim_scale(a.amount)) > s.scale)
    THEN
        RAISE EXCEPTION 'a posting is finer than its asset' USING ERRCODE = '23514';
    END IF;
    RETURN NULL;
END $$
"""

_REFUSE = """
CREATE FUNCTION wallets.refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'the journal is only ever appended to' USING ERRCODE = '42501';
END $$
"""

# One text per entry whatever order its rows are read in; what is NULL differs from what is empty.
_DIGEST = """
CREATE FUNCTION wallets.digest_of(wanted bigint) RETURNS bytea
LANGUAGE sql STABLE SET search_path = '' SET timezone = 'UTC' AS $$
    SELECT sha256(convert_to(jsonb_build_array(
        e.position, e.id, e.kind, extract(epoch FROM e.at)::text, e.actor, e.source, e.reverses,
        e.hold_id, e.details,
        (SELECT jsonb_agg(jsonb_build_array(p.line, p.account_id, p.owner, p.asset,
                trim_scale(p.amount)::text, p.seq, trim_scale(p.balance)::text) ORDER BY p.line)
            FROM wallets.posting p WHERE p.position = e.position)
    )::text, 'UTF8'))
    FROM wallets.entry e WHERE e.position = wanted
$$
"""

# By one at a time, in batches. The order is that of sealing: an entry that was committed late has
# a lower position than its neighbours in the chain, and no less a place in it.
_SEAL = """
CREATE FUNCTION wallets.seal(most integer, at timestamptz) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = '' AS $$
DECLARE
    last bigint;
    previous bytea;
    place bigint;
    found_digest bytea;
    done integer := 0;
BEGIN
    PERFORM pg_advisory_xact_lock(7305489204);
    SELECT number, link INTO last, previous
        FROM wallets.chain_link ORDER BY number DESC LIMIT 1;
    last := coalesce(last, 0);
    previous := coalesce(previous, '');
    FOR place IN
        WITH taken AS (
            DELETE FROM wallets.unsealed WHERE position IN (
                SELECT position FROM wallets.unsealed ORDER BY position LIMIT most)
            RETURNING position)
        SELECT position FROM taken ORDER BY position
    LOOP
        last := last + 1;
        done := done + 1;
        found_digest := wallets.digest_of(place);
        previous := sha256(previous || found_digest);
        INSERT INTO wallets.chain_link (number, position, digest, link, sealed_at)
            VALUES (last, place, found_digest, previous, at);
    END LOOP;
    RETURN done;
END $$
"""

_FREEZE = """
CREATE FUNCTION wallets.freeze(account uuid, wish boolean) RETURNS boolean
LANGUAGE sql SECURITY DEFINER SET search_path = '' AS $$
    UPDATE wallets.balance SET frozen = wish WHERE account_id = account RETURNING true
$$
"""

# Waits for a twin that has the key and is not done; NULL when that takes longer than ``patience``.
_CLAIM = """
CREATE FUNCTION idempotency.claim(
    who uuid, what text, mark uuid, body bytea, at timestamptz, patience integer
) RETURNS jsonb
LANGUAGE plpgsql SECURITY DEFINER SET search_path = '' AS $$
DECLARE
    usual text := current_setting('lock_timeout');
    mine integer;
    kept record;
BEGIN
    BEGIN
        PERFORM set_config('lock_timeout', patience::text, true);
        INSERT INTO idempotency.command (actor, mutation, key, digest, state, claimed_at)
            VALUES (who, what, mark, body, 'IN_PROGRESS', at) ON CONFLICT DO NOTHING;
        GET DIAGNOSTICS mine = ROW_COUNT;
    EXCEPTION WHEN lock_not_available THEN
        RETURN NULL;
    END;
    PERFORM set_config('lock_timeout', usual, true);
    IF mine > 0 THEN
        RETURN jsonb_build_object('mine', true);
    END IF;
    SELECT c.digest, c.outcome INTO kept FROM idempotency.command c
        WHERE c.actor = who AND c.mutation = what AND c.key = mark;
    RETURN jsonb_build_object(
        'mine', false, 'same', kept.digest = body, 'outcome', kept.outcome);
END $$
"""

_SETTLE = """
CREATE FUNCTION idempotency.settle(who uuid, what text, mark uuid, came jsonb) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = '' AS $$
BEGIN
    UPDATE idempotency.command SET state = 'COMPLETED', outcome = came
        WHERE actor = who AND mutation = what AND key = mark AND state = 'IN_PROGRESS';
    IF NOT FOUND THEN
        RAISE EXCEPTION 'only a claimed command is settled, and once';
    END IF;
END $$
"""

_FORGET = """
CREATE FUNCTION idempotency.forget(before timestamptz) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = '' AS $$
    DELETE FROM idempotency.command WHERE claimed_at < before
$$
"""

_FUNCTIONS = (
    "wallets.post(jsonb)",
    "wallets.seal(integer, timestamptz)",
    "wallets.freeze(uuid, boolean)",
    "wallets.digest_of(bigint)",
    "idempotency.claim(uuid, text, uuid, bytea, timestamptz, integer)",
    "idempotency.settle(uuid, text, uuid, jsonb)",
    "idempotency.forget(timestamptz)",
)


def upgrade() -> None:
    op.execute("CREATE SCHEMA wallets")
    op.execute("CREATE SCHEMA idempotency")
    for statement in _TABLES.split(";\n"):
        if statement.strip():
            op.execute(statement)
    for function in (
        _POST, _BALANCED, _REFUSE, _DIGEST, _SEAL, _FREEZE, _CLAIM, _SETTLE, _FORGET,
    ):  # fmt: skip
        op.execute(function)
    op.execute(
        "CREATE TRIGGER sums_to_zero AFTER INSERT ON wallets.posting"
        " REFERENCING NEW TABLE AS added"
        " FOR EACH STATEMENT EXECUTE FUNCTION wallets.require_balance()"
    )
    for table in ("entry", "posting", "chain_link"):
        op.execute(
            f"CREATE TRIGGER appended_to_only BEFORE UPDATE OR DELETE ON wallets.{table}"
            " FOR EACH ROW EXECUTE FUNCTION wallets.refuse()"
        )
    for signature in _FUNCTIONS:
        op.execute(f"REVOKE ALL ON FUNCTION {signature} FROM PUBLIC")
        op.execute(f"GRANT EXECUTE ON FUNCTION {signature} TO okd_app")
    op.execute("GRANT USAGE ON SCHEMA wallets, idempotency TO okd_app")
    # Money moves through wallets.post alone: whoever takes over the product cannot write a balance.
    op.execute("GRANT SELECT ON ALL TABLES IN SCHEMA wallets TO okd_app")
    op.execute("GRANT INSERT, UPDATE (name, networks) ON wallets.asset TO okd_app")


def downgrade() -> None:
    raise NotImplementedError("Migrations go forward only: write a new one that undoes this one.")
