"""Commands in one call, written once instead of twice; events row by row.

A key is a lock while its command is worked on and a row when that is done. Before, it was a row
from the start, which the end of the command wrote a second time. ``claim`` and ``settle`` stay for
processes of the release before, who meet ours at the row's unique key: of two twins one fails, and
is answered the next time.
"""

from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

# Waits for a twin that is at it; NULL when that takes longer than ``patience`` milliseconds. Two
# keys of one number wait for each other, and that is all they do.
_TAKE = """
CREATE FUNCTION idempotency.take(who uuid, what text, mark uuid, body bytea, patience integer)
RETURNS jsonb
LANGUAGE plpgsql SECURITY DEFINER SET search_path = '' AS $$
DECLARE
    turn bigint := hashtextextended(who::text || what || mark::text, 0);
    usual text;
    kept record;
BEGIN
    IF NOT pg_try_advisory_xact_lock(turn) THEN
        usual := current_setting('lock_timeout');
        BEGIN
            PERFORM set_config('lock_timeout', patience::text, true);
            PERFORM pg_advisory_xact_lock(turn);
        EXCEPTION WHEN lock_not_available THEN
            RETURN NULL;
        END;
        PERFORM set_config('lock_timeout', usual, true);
    END IF;
    -- A statement of its own, after the lock: it sees what the twin has committed.
    SELECT c.digest, c.outcome INTO kept FROM idempotency.command c
        WHERE c.actor = who AND c.mutation = what AND c.key = mark;
    IF NOT FOUND THEN
        RETURN jsonb_build_object('mine', true);
    END IF;
    RETURN jsonb_build_object(
        'mine', false, 'same', kept.digest = body, 'outcome', kept.outcome);
END $$
"""

_KEEP = """
CREATE FUNCTION idempotency.keep(
    who uuid, what text, mark uuid, body bytea, came jsonb, at timestamptz
) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = '' AS $$
BEGIN
    INSERT INTO idempotency.command (actor, mutation, key, digest, state, outcome, claimed_at)
        VALUES (who, what, mark, body, 'COMPLETED', came, at) ON CONFLICT DO NOTHING;
    IF NOT FOUND THEN
        -- A twin in a process of the release before: whoever asks again gets its answer.
        RAISE EXCEPTION 'another process has answered this key' USING ERRCODE = '40001';
    END IF;
END $$
"""

# As it was, one event after the other: most works have one for a stream.
_APPEND = """
CREATE OR REPLACE FUNCTION events.append(batch jsonb, at timestamptz) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = '' AS $$
DECLARE
    item jsonb;
    number bigint;
    stamp timestamptz;
BEGIN
    -- In the order of names: two transactions that append to the same streams wait, not deadlock.
    FOR item IN
        SELECT given.item FROM jsonb_array_elements(batch) WITH ORDINALITY AS given (item, place)
        ORDER BY (given.item ->> 'stream') COLLATE "C", given.place
    LOOP
        -- The clocks of two machines differ, and what is forgotten must be a stream's beginning:
        -- its times never go back.
        INSERT INTO events.event_stream AS kept (stream, last_seq, last_at)
            VALUES (item ->> 'stream', 1, at)
            ON CONFLICT (stream) DO UPDATE SET last_seq = kept.last_seq + 1,
                last_at = greatest(kept.last_at, EXCLUDED.last_at)
            RETURNING last_seq, last_at INTO number, stamp;
        INSERT INTO events.event
            (stream, seq, id, type, version, body, traceparent, recorded_at)
            VALUES (item ->> 'stream', number, (item ->> 'id')::uuid, item ->> 'type',
                (item ->> 'version')::integer, item -> 'body', item ->> 'traceparent', stamp);
        -- Due at once, whatever the clock of who carries it says.
        INSERT INTO events.outbox (consumer, stream, seq, recorded_at, due_at)
            VALUES ('signal', item ->> 'stream', number, stamp, '-infinity'),
                ('inbox', item ->> 'stream', number, stamp, '-infinity');
        IF item ->> 'type' = 'user.frozen' OR item ->> 'type' = 'session.ended'
            AND item -> 'body' ->> 'by' = 'REVOKED_BY_STAFF'
        THEN
            INSERT INTO events.outbox (consumer, stream, seq, recorded_at, due_at)
                VALUES ('firebase', item ->> 'stream', number, stamp, '-infinity');
        END IF;
    END LOOP;
END $$
"""

# What ``blanks`` names is what the accounts it names hold now.
_FILLED = """
CREATE FUNCTION wallets.filled(form jsonb, blanks jsonb, states jsonb) RETURNS jsonb
LANGUAGE sql IMMUTABLE SET search_path = '' AS $$
    SELECT form || coalesce(jsonb_object_agg(
        b.name, trim_scale((states -> b.account ->> 0)::numeric)::text), '{}')
    FROM jsonb_each_text(blanks) AS b (name, account)
$$
"""

# A whole command. Answers {"key": what take says} when the key is not free, what wallets.post says
# once all is done, and {} when anything is in the way: then all of it is taken back.
_BOOK = """
CREATE FUNCTION wallets.book(
    who uuid, what text, mark uuid, body bytea, entry jsonb, caps jsonb, told jsonb, outcome jsonb,
    at timestamptz
) RETURNS jsonb
LANGUAGE plpgsql SECURITY DEFINER SET search_path = '' AS $$
DECLARE
    -- Who waits for a twin does it in a transaction of its own.
    key jsonb := idempotency.take(who, what, mark, body, 1);
    posted jsonb;
    cap jsonb;
BEGIN
    IF key IS NULL OR NOT (key ->> 'mine')::boolean THEN
        RETURN jsonb_build_object('key', key);
    END IF;
    BEGIN
        posted := wallets.post(entry);
        IF posted -> 'states' IS NULL THEN
            RAISE EXCEPTION 'not posted' USING ERRCODE = 'OKD01';
        END IF;
        FOR cap IN SELECT each.item FROM jsonb_array_elements(caps) AS each (item) LOOP
            -- Most people have not sent so much in all their life.
            IF EXISTS (SELECT FROM wallets.balance b
                WHERE b.account_id = (cap ->> 'account')::uuid
                    AND b.sent > (cap ->> 'most')::numeric)
                AND (wallets.sent_since((cap ->> 'account')::uuid, (cap ->> 'since')::timestamptz)
                    ).amount > (cap ->> 'most')::numeric
            THEN
                RAISE EXCEPTION 'more than may be sent' USING ERRCODE = 'OKD01';
            END IF;
        END LOOP;
        PERFORM idempotency.keep(who, what, mark, body, jsonb_build_object(
            'kind', outcome -> 'kind',
            'values', wallets.filled(outcome -> 'values', outcome -> 'blanks', posted -> 'states')
        ), at);
        PERFORM events.append(jsonb_agg(e.item || jsonb_build_object(
            'body', wallets.filled(e.item -> 'body', e.item -> 'blanks', posted -> 'states'))), at)
            FROM jsonb_array_elements(told) AS e (item);
    EXCEPTION WHEN SQLSTATE 'OKD01' THEN
        RETURN '{}';
    END;
    RETURN posted;
END $$
"""

_NEW = (
    "wallets.book(uuid, text, uuid, bytea, jsonb, jsonb, jsonb, jsonb, timestamptz)",
    "idempotency.take(uuid, text, uuid, bytea, integer)",
    "idempotency.keep(uuid, text, uuid, bytea, jsonb, timestamptz)",
)


def upgrade() -> None:
    for function in (_TAKE, _KEEP, _APPEND, _FILLED, _BOOK):
        op.execute(function)
    op.execute("REVOKE ALL ON FUNCTION wallets.filled(jsonb, jsonb, jsonb) FROM PUBLIC")
    for signature in _NEW:
        op.execute(f"REVOKE ALL ON FUNCTION {signature} FROM PUBLIC")
        op.execute(f"GRANT EXECUTE ON FUNCTION {signature} TO okd_app")


def downgrade() -> None:
    raise NotImplementedError("Migrations go forward only: write a new one that undoes this one.")
