"""Reads that stay quick however long a history is, and commits that do not queue.

Somebody's newest lines come straight from an index whatever they are narrowed by, instead of from
a walk through all there are: lines know their kind, and a moment finds its place. What was sent
within a period is the difference of two running totals, instead of a sum under the account's lock.
"""

from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

# The journal refuses changes to everybody: what it is told here follows from what it says already.
_LEARN = (
    "ALTER TABLE wallets.balance ADD COLUMN sent numeric NOT NULL DEFAULT 0",
    "ALTER TABLE wallets.posting ADD COLUMN kind text, ADD COLUMN sent numeric",
    "ALTER TABLE wallets.posting DISABLE TRIGGER appended_to_only",
    """
    UPDATE wallets.posting p SET kind = k.kind, sent = k.sent
    FROM (
        SELECT l.position, l.line, e.kind,
            CASE WHEN l.owner IS NOT NULL THEN
                sum(CASE WHEN e.kind = 'TRANSFER' AND l.amount < 0 THEN -l.amount ELSE 0 END)
                    OVER (PARTITION BY l.account_id ORDER BY l.seq)
            END AS sent
        FROM wallets.posting l JOIN wallets.entry e ON e.position = l.position
    ) k
    WHERE k.position = p.position AND k.line = p.line
    """,
    "ALTER TABLE wallets.posting ENABLE TRIGGER appended_to_only",
    "ALTER TABLE wallets.posting ALTER COLUMN kind SET NOT NULL",
    """
    UPDATE wallets.balance b SET sent = p.sent
    FROM wallets.posting p WHERE p.account_id = b.account_id AND p.seq = b.last_seq
    """,
)
# Over lines of users only: nobody pages through the house's.
_NARROWED_BY = ("asset", "kind")

# As it was; lines are told their kind, and what their account has sent by then. Planned once per
# connection: planning it anew, as PostgreSQL prefers with arrays, was half of what a posting cost.
_POST = """
CREATE OR REPLACE FUNCTION wallets.post(given jsonb) RETURNS jsonb
LANGUAGE plpgsql SECURITY DEFINER SET search_path = ''
SET plan_cache_mode = force_generic_plan AS $$
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
        UPDATE wallets.balance b SET amount = b.amount + l.amount, last_seq = b.last_seq + 1,
            sent = b.sent
                + CASE WHEN given ->> 'kind' = 'TRANSFER' AND l.amount < 0 THEN -l.amount ELSE 0 END
        FROM unnest(lines) AS l WHERE b.account_id = l.account
        RETURNING b.account_id, b.amount, b.last_seq, b.sent
    ), written AS (
        INSERT INTO wallets.posting
            (position, line, account_id, owner, asset, amount, seq, balance, kind, sent)
        SELECT place, l.line, l.account, l.owner, l.asset, l.amount, m.last_seq, m.amount,
            given ->> 'kind', m.sent
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

# As it was, and it rings nobody: a NOTIFY holds a lock of the whole server until its transaction is
# on the disk, so that commits queued one behind the other. Who commits rings afterwards.
_APPEND = """
CREATE OR REPLACE FUNCTION events.append(batch jsonb, at timestamptz) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = '' AS $$
DECLARE
    name text;
    grown bigint;
    last bigint;
    stamp timestamptz;
BEGIN
    -- In the order of names: two transactions that append to the same streams wait, not deadlock.
    FOR name, grown IN
        SELECT item ->> 'stream', count(*) FROM jsonb_array_elements(batch) AS item
        GROUP BY 1 ORDER BY (item ->> 'stream') COLLATE "C"
    LOOP
        -- The clocks of two machines differ, and what is forgotten must be a stream's beginning:
        -- its times never go back.
        INSERT INTO events.event_stream AS kept (stream, last_seq, last_at)
            VALUES (name, grown, at)
            ON CONFLICT (stream) DO UPDATE SET last_seq = kept.last_seq + grown,
                last_at = greatest(kept.last_at, EXCLUDED.last_at)
            RETURNING last_seq, last_at INTO last, stamp;
        WITH added AS (
            INSERT INTO events.event
                (stream, seq, id, type, version, body, traceparent, recorded_at)
            SELECT name, last - grown + row_number() OVER (ORDER BY place),
                CAST(item ->> 'id' AS uuid), item ->> 'type',
                CAST(item ->> 'version' AS integer), item -> 'body', item ->> 'traceparent', stamp
            FROM jsonb_array_elements(batch) WITH ORDINALITY AS given(item, place)
            WHERE item ->> 'stream' = name
            RETURNING stream, seq, type, body
        )
        INSERT INTO events.outbox (consumer, stream, seq, recorded_at, due_at)
            -- Due at once, whatever the clock of who carries it says.
            SELECT consumer, added.stream, added.seq, stamp, '-infinity'
            FROM added, unnest(ARRAY['signal', 'inbox', 'firebase']) AS consumer
            WHERE consumer <> 'firebase' OR added.type = 'user.frozen'
                OR (added.type = 'session.ended' AND added.body ->> 'by' = 'REVOKED_BY_STAFF')
            ORDER BY added.seq;
    END LOOP;
END $$
"""

# Where in the journal a moment is: the first position that is not before it. Positions and times
# rise together but for a command's own seconds, which whoever asks takes off or puts on.
_POSITION_AT = """
CREATE FUNCTION wallets.position_at(moment timestamptz) RETURNS bigint
LANGUAGE plpgsql STABLE SET search_path = '' AS $$
DECLARE
    low bigint;
    high bigint;
    middle bigint;
    met record;
BEGIN
    SELECT min(position), max(position) + 1 INTO low, high FROM wallets.entry;
    WHILE low < high LOOP
        middle := (low + high) / 2;
        SELECT position, at INTO met FROM wallets.entry
            WHERE position >= middle ORDER BY position LIMIT 1;
        IF met.position < high AND met.at < moment THEN
            low := met.position + 1;
        ELSE
            high := middle;
        END IF;
    END LOOP;
    RETURN coalesce(low, 0);
END $$
"""

# The same within one account, whose lines are numbered without a gap: the first after ``moment``.
_NUMBER_AFTER = """
CREATE FUNCTION wallets.number_after(holder uuid, moment timestamptz, past bigint) RETURNS bigint
LANGUAGE plpgsql STABLE SET search_path = '' AS $$
DECLARE
    low bigint := 1;
    high bigint := past;
    middle bigint := 1;  -- Most accounts are younger than the moment: the first look tells.
    met timestamptz;
BEGIN
    WHILE low < high LOOP
        SELECT e.at INTO met
            FROM wallets.posting p JOIN wallets.entry e ON e.position = p.position
            WHERE p.account_id = holder AND p.seq = middle;
        IF met <= moment THEN
            low := middle + 1;
        ELSE
            high := middle;
        END IF;
        middle := (low + high) / 2;
    END LOOP;
    RETURN low;
END $$
"""

# Differences of running totals, so that the busiest account is as quick as any. Lines within a
# minute of the bound are looked at one by one: their numbers and times may be in another order.
_SENT_SINCE = """
CREATE FUNCTION wallets.sent_since(
    holder uuid, bound timestamptz, OUT amount numeric, OUT oldest_at timestamptz
)
LANGUAGE plpgsql STABLE SET search_path = '' AS $$
DECLARE
    past bigint;
    total numeric;
    doubtful bigint;
    certain bigint;
    earlier numeric := 0;
    near numeric;
    high bigint;
    middle bigint;
    reached numeric;
BEGIN
    SELECT b.last_seq + 1, b.sent INTO past, total
        FROM wallets.balance b WHERE b.account_id = holder;
    amount := 0;
    IF coalesce(total, 0) = 0 THEN
        RETURN;
    END IF;
    doubtful := wallets.number_after(holder, bound - interval '1 minute', past);
    certain := wallets.number_after(holder, bound + interval '1 minute', past);
    IF certain > 1 THEN
        SELECT p.sent INTO earlier FROM wallets.posting p
            WHERE p.account_id = holder AND p.seq = certain - 1;
    END IF;
    SELECT coalesce(sum(-p.amount), 0), min(e.at) INTO near, oldest_at
        FROM wallets.posting p JOIN wallets.entry e ON e.position = p.position
        WHERE p.account_id = holder AND p.seq >= doubtful AND p.seq < certain
            AND p.kind = 'TRANSFER' AND p.amount < 0 AND e.at > bound;
    amount := total - earlier + near;
    IF oldest_at IS NULL AND total > earlier THEN
        high := past - 1;
        WHILE certain < high LOOP
            middle := (certain + high) / 2;
            SELECT p.sent INTO reached FROM wallets.posting p
                WHERE p.account_id = holder AND p.seq = middle;
            IF reached > earlier THEN
                high := middle;
            ELSE
                certain := middle + 1;
            END IF;
        END LOOP;
        SELECT e.at INTO oldest_at
            FROM wallets.posting p JOIN wallets.entry e ON e.position = p.position
            WHERE p.account_id = holder AND p.seq = high;
    END IF;
END $$
"""

_ASKED = (
    "wallets.position_at(timestamptz)",
    "wallets.number_after(uuid, timestamptz, bigint)",
    "wallets.sent_since(uuid, timestamptz)",
)


def upgrade() -> None:
    for statement in _LEARN:
        op.execute(statement)
    for column in _NARROWED_BY:
        op.execute(
            f"CREATE INDEX ix_posting_owner_{column}_position"
            f" ON wallets.posting (owner, {column}, position) WHERE owner IS NOT NULL"
        )
    for function in (_POST, _APPEND, _POSITION_AT, _NUMBER_AFTER, _SENT_SINCE):
        op.execute(function)
    op.execute("ALTER FUNCTION wallets.require_balance() SET plan_cache_mode TO force_generic_plan")
    for signature in _ASKED:
        op.execute(f"REVOKE ALL ON FUNCTION {signature} FROM PUBLIC")
        op.execute(f"GRANT EXECUTE ON FUNCTION {signature} TO okd_app")


def downgrade() -> None:
    raise NotImplementedError("Migrations go forward only: write a new one that undoes this one.")
