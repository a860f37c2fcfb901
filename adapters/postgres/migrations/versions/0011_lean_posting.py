"""Posting by key: a statement for each account of an entry, instead of joins over all of them.

A plan that joins is made while tables are small, and reads whole tables for ever after. Rows looked
up one by one cost the same whatever there is, and what an entry does is read from top to bottom.
The end of a day is written once, when it is over, instead of with every entry.
"""

from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

# As it was, for the lines of an entry in the order of their accounts, which is that of the locks;
# and what two of staff agreed on passes a freeze, which is there so that nobody takes it before.
_POST = """
CREATE OR REPLACE FUNCTION wallets.post(given jsonb) RETURNS jsonb
LANGUAGE plpgsql SECURITY DEFINER SET search_path = '' AS $$
DECLARE
    lines wallets.line[] := ARRAY(
        SELECT l FROM jsonb_populate_recordset(NULL::wallets.line, given -> 'lines') AS l
        ORDER BY l.account);
    what text := given ->> 'kind';
    happened timestamptz := given ->> 'at';
    today date := (happened AT TIME ZONE 'UTC')::date;
    opens jsonb := given -> 'opens';
    resolves jsonb := given -> 'resolves';
    line wallets.line;
    kept record;
    shut boolean;
    -- The accounts as this entry leaves them, in the order of its lines; NULL for the house's.
    balances numeric[] := '{}';
    seqs bigint[] := '{}';
    sents numeric[] := '{}';
    days date[] := '{}';  -- as they were before
    states jsonb := '{}';
    refusal jsonb;
    place bigint;
BEGIN
    -- In the order of ids: two entries about the same accounts wait for each other, not in a ring.
    FOREACH line IN ARRAY lines LOOP
        IF line.owner IS NULL THEN
            PERFORM FROM wallets.account a WHERE a.id = line.account;
            IF NOT FOUND THEN
                PERFORM wallets.open(line, happened);
            END IF;
            balances := balances || NULL::numeric;
            seqs := seqs || NULL::bigint;
            sents := sents || NULL::numeric;
            days := days || NULL::date;
            CONTINUE;
        END IF;
        SELECT b.amount, b.last_seq, b.sent, b.day, b.frozen INTO kept FROM wallets.balance b
            WHERE b.account_id = line.account FOR UPDATE;
        IF NOT FOUND THEN
            PERFORM wallets.open(line, happened);
            SELECT b.amount, b.last_seq, b.sent, b.day, b.frozen INTO STRICT kept
                FROM wallets.balance b WHERE b.account_id = line.account FOR UPDATE;
        END IF;
        shut := kept.frozen AND what NOT IN ('ADJUSTMENT', 'REVERSAL');
        IF line.amount < 0 AND (shut OR kept.amount + line.amount < 0)
            -- Of several, one that is frozen is told first.
            AND (refusal IS NULL OR shut AND refusal ->> 'refused' <> 'WALLET_FROZEN')
        THEN
            refusal := jsonb_build_object(
                'refused', CASE WHEN shut THEN 'WALLET_FROZEN' ELSE 'INSUFFICIENT_FUNDS' END,
                'account', line.account, 'balance', kept.amount::text);
        END IF;
        balances := balances || kept.amount + line.amount;
        seqs := seqs || kept.last_seq + 1;
        sents := sents || kept.sent
            + CASE WHEN what = 'TRANSFER' AND line.amount < 0 THEN -line.amount ELSE 0 END;
        days := days || kept.day;
    END LOOP;

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
    IF refusal IS NOT NULL THEN
        RETURN refusal;
    END IF;

    INSERT INTO wallets.entry (id, kind, at, actor, source, reverses, hold_id, details)
        VALUES ((given ->> 'id')::uuid, what, happened, (given ->> 'actor')::uuid,
            given ->> 'source', (given ->> 'reverses')::uuid, (given ->> 'hold')::uuid,
            given -> 'details')
        ON CONFLICT DO NOTHING RETURNING position INTO place;
    IF place IS NULL THEN
        SELECT e.id, e.position INTO kept FROM wallets.entry e
            WHERE e.id = (given ->> 'id')::uuid OR e.source = given ->> 'source'
                OR e.reverses = (given ->> 'reverses')::uuid;
        RETURN jsonb_build_object('repeated', kept.position, 'id', kept.id);
    END IF;
    INSERT INTO wallets.unsealed (position, since) VALUES (place, happened);
    -- All lines in one statement: a trigger sums up what one statement writes.
    INSERT INTO wallets.posting
            (position, line, account_id, owner, asset, amount, seq, balance, kind, sent)
        SELECT place, l.line, l.account, l.owner, l.asset, l.amount, seqs[l.number],
            balances[l.number], what, sents[l.number]
        FROM unnest(lines) WITH ORDINALITY
            AS l (line, account, kind, asset, owner, name, amount, number);
    FOR number IN 1 .. cardinality(lines) LOOP
        line := lines[number];
        CONTINUE WHEN line.owner IS NULL;
        -- The day never runs back on an account: of two processes whose clocks differ around
        -- midnight, the later to book is booked on the later day.
        UPDATE wallets.balance SET amount = balances[number], last_seq = seqs[number],
            sent = sents[number], day = greatest(days[number], today)
            WHERE account_id = line.account;
        -- The first on a new day closes the one before.
        IF days[number] < today THEN
            INSERT INTO wallets.closed_day (account_id, day, balance)
                VALUES (line.account, days[number], balances[number] - line.amount);
        END IF;
        states := states || jsonb_build_object(line.account,
            jsonb_build_array(balances[number]::text, seqs[number]));
    END LOOP;

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
    RETURN jsonb_build_object('position', place, 'states', states);
END $$
"""

_OPEN = """
CREATE FUNCTION wallets.open(line wallets.line, at timestamptz) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = '' AS $$
BEGIN
    INSERT INTO wallets.account (id, kind, asset, owner, name, opened_at)
        VALUES (line.account, line.kind, line.asset, line.owner, line.name, at)
        -- By whichever of its two unique indexes a twin is met first.
        ON CONFLICT DO NOTHING;
    IF line.owner IS NOT NULL THEN
        INSERT INTO wallets.balance (account_id, amount, last_seq, frozen)
            VALUES (line.account, 0, 0, false) ON CONFLICT (account_id) DO NOTHING;
    END IF;
END $$
"""

# Nearly every statement writes one entry in one asset, which one look tells to be right. There is
# no search_path of its own, which would cost a tenth of that: only the table's owner inserts.
_BALANCED = """
CREATE OR REPLACE FUNCTION wallets.require_balance() RETURNS trigger
LANGUAGE plpgsql AS $$
DECLARE
    sound boolean;
BEGIN
    SELECT sum(a.amount) = 0 AND min(a.asset) = max(a.asset) AND min(a.position) = max(a.position)
        AND max(scale(trim_scale(a.amount))) <= (
            SELECT s.scale FROM wallets.asset s WHERE s.code = min(a.asset))
        INTO sound FROM added a;
    IF sound THEN
        RETURN NULL;
    END IF;
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

# An account's newest day ends with what is there now: a row is written for it once it is over, and
# until then its balance is that row. Who reads finds both where the rows have always been.
_DAYS = (
    # Who has begun to post comes to an end before all of this, in the order of their locks.
    "LOCK TABLE wallets.balance, wallets.unsealed, wallets.posting IN ACCESS EXCLUSIVE MODE",
    # A post that was called before and waits for that lock goes on as the function was then, and
    # would leave its day out. It fails here instead, and is called again.
    "ALTER TABLE wallets.unsealed ADD COLUMN since timestamptz",
    """
    UPDATE wallets.unsealed u SET since = e.at FROM wallets.entry e WHERE e.position = u.position
    """,
    "ALTER TABLE wallets.unsealed ALTER COLUMN since SET NOT NULL",
    "DROP TRIGGER keeps_closing ON wallets.posting",
    "DROP FUNCTION wallets.keep_closing()",
    "ALTER TABLE wallets.closing RENAME TO closed_day",
    "ALTER TABLE wallets.closed_day RENAME CONSTRAINT pk_closing TO pk_closed_day",
    "ALTER TABLE wallets.balance ADD COLUMN day date",
    """
    UPDATE wallets.balance b SET day = (
        SELECT max(c.day) FROM wallets.closed_day c WHERE c.account_id = b.account_id)
    """,
    """
    DELETE FROM wallets.closed_day c USING wallets.balance b
    WHERE b.account_id = c.account_id AND b.day = c.day
    """,
    """
    CREATE VIEW wallets.closing AS
    SELECT account_id, day, balance FROM wallets.closed_day
    UNION ALL
    SELECT account_id, day, amount FROM wallets.balance WHERE day IS NOT NULL
    """,
    "GRANT SELECT ON wallets.closing TO okd_app",
)


_ALL = (
    *_DAYS,
    _OPEN,
    "REVOKE ALL ON FUNCTION wallets.open(wallets.line, timestamptz) FROM PUBLIC",
    _POST,
    _BALANCED,
)


def upgrade() -> None:
    for statement in _ALL:
        op.execute(statement)


def downgrade() -> None:
    raise NotImplementedError("Migrations go forward only: write a new one that undoes this one.")
