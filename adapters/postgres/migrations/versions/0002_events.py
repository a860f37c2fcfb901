"""Events: streams without gaps, and the outbox that carries them."""

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

# Consumers the outbox writes for. A new one is a new version of events.append.
_APPEND = """
CREATE FUNCTION events.append(batch jsonb, at timestamptz) RETURNS void
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
            RETURNING stream, seq
        )
        INSERT INTO events.outbox (consumer, stream, seq, recorded_at, due_at)
            -- Due at once, whatever the clock of who carries it says.
            SELECT consumer, added.stream, added.seq, stamp, '-infinity'
            FROM added, unnest(ARRAY['signal', 'inbox']) AS consumer
            ORDER BY added.seq;
    END LOOP;
    NOTIFY okd_outbox;
END $$
"""

# One partition a month, two made ahead; what is wholly older than the days kept is dropped.
_MAINTAIN = """
CREATE FUNCTION events.maintain(at timestamptz, days_kept integer) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = '' SET timezone = 'UTC' AS $$
DECLARE
    first timestamptz;
    old record;
BEGIN
    PERFORM pg_advisory_xact_lock(7305489202);
    FOR month IN 0..2 LOOP
        first := date_trunc('month', at AT TIME ZONE 'UTC') AT TIME ZONE 'UTC'
            + make_interval(months => month);
        -- Months whose events went to the default partition while nobody made one stay there.
        IF to_regclass(format('events.event_%s', to_char(first AT TIME ZONE 'UTC', 'YYYYMM')))
            IS NULL AND NOT EXISTS (
                SELECT FROM events.event_default
                WHERE recorded_at >= first AND recorded_at < first + interval '1 month')
        THEN
            EXECUTE format(
                'CREATE TABLE events.event_%s PARTITION OF events.event'
                ' FOR VALUES FROM (%L) TO (%L)',
                to_char(first AT TIME ZONE 'UTC', 'YYYYMM'), first, first + interval '1 month');
        END IF;
    END LOOP;
    FOR old IN
        SELECT relname FROM pg_catalog.pg_class
        WHERE relnamespace = 'events'::regnamespace AND relname ~ '^event_[0-9]{6}$'
            AND relkind = 'r'
            AND (to_timestamp(right(relname, 6), 'YYYYMM') + interval '1 month')
                < at - make_interval(days => days_kept)
    LOOP
        EXECUTE format('DROP TABLE events.%I', old.relname);
    END LOOP;
    DELETE FROM events.event_default WHERE recorded_at < at - make_interval(days => days_kept);
    -- What nobody carried for so long has nothing left to carry.
    DELETE FROM events.outbox o
        WHERE o.recorded_at < at - make_interval(days => days_kept)
            AND NOT EXISTS (
                SELECT FROM events.event e
                WHERE (e.stream, e.seq, e.recorded_at) = (o.stream, o.seq, o.recorded_at));
END $$
"""


def upgrade() -> None:
    op.execute("CREATE SCHEMA events")
    op.execute(
        """
        CREATE TABLE events.event_stream (
            stream text COLLATE "C" NOT NULL,
            last_seq bigint NOT NULL,
            last_at timestamptz NOT NULL,
            CONSTRAINT pk_event_stream PRIMARY KEY (stream),
            CONSTRAINT ck_event_stream_name CHECK (stream ~ '^(user|desk):[a-z0-9-]+$')
        )
        """
    )
    op.execute(
        """
        CREATE TABLE events.event (
            stream text COLLATE "C" NOT NULL,
            seq bigint NOT NULL,
            id uuid NOT NULL,
            type text NOT NULL,
            version integer NOT NULL,
            body jsonb NOT NULL,
            traceparent text,
            recorded_at timestamptz NOT NULL,
            CONSTRAINT pk_event PRIMARY KEY (stream, seq, recorded_at)
        ) PARTITION BY RANGE (recorded_at)
        """
    )
    op.execute("CREATE TABLE events.event_default PARTITION OF events.event DEFAULT")
    op.execute(
        """
        CREATE TABLE events.outbox (
            position bigint GENERATED ALWAYS AS IDENTITY NOT NULL,
            consumer text NOT NULL,
            stream text COLLATE "C" NOT NULL,
            seq bigint NOT NULL,
            recorded_at timestamptz NOT NULL,
            due_at timestamptz NOT NULL,
            attempts integer DEFAULT 0 NOT NULL,
            CONSTRAINT pk_outbox PRIMARY KEY (position)
        )
        """
    )
    op.execute("CREATE INDEX ix_outbox_consumer_position ON events.outbox (consumer, position)")
    op.execute(_APPEND)
    op.execute(_MAINTAIN)
    for signature in ("append(jsonb, timestamptz)", "maintain(timestamptz, integer)"):
        op.execute(f"REVOKE ALL ON FUNCTION events.{signature} FROM PUBLIC")
        op.execute(f"GRANT EXECUTE ON FUNCTION events.{signature} TO okd_app")
    op.execute("GRANT USAGE ON SCHEMA events TO okd_app")
    # What was told stays told: only the owner's functions write events.
    op.execute("GRANT SELECT ON events.event_stream, events.event TO okd_app")
    op.execute("GRANT SELECT, UPDATE, DELETE ON events.outbox TO okd_app")


def downgrade() -> None:
    raise NotImplementedError("Migrations go forward only: write a new one that undoes this one.")
