"""People: the agent of a line of the log is sealed; Firebase is told again of who was shut out."""

from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

# As before, but for the last insert: one consumer more, of the few events that concern it.
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
    NOTIFY okd_outbox;
END $$
"""


def upgrade() -> None:
    # Lines of before keep theirs: nobody may change the log, its owner's migrations included.
    op.execute("ALTER TABLE users.activity ADD COLUMN sealed_agent bytea")
    op.execute(_APPEND)


def downgrade() -> None:
    raise NotImplementedError("Migrations go forward only: write a new one that undoes this one.")
