"""Searches that take a few looks: what was sent lately, and holds by what became of them.

A hold knows where in the journal it was placed, so that those in a state come newest first from an
index, and not from a walk through their owner's whole history. Where a period begins in an account
is guessed from how its lines lie in time, and looked for by halves where the guess is no good.
"""

from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

# The entry is there before its hold is. Who makes holds anew writes their times, too.
_PLACE = """
CREATE FUNCTION wallets.place_hold() RETURNS trigger
LANGUAGE plpgsql SET search_path = '' AS $$
BEGIN
    NEW.position := (SELECT e.position FROM wallets.entry e
        WHERE e.hold_id = NEW.id AND e.kind = 'HOLD_PLACED');
    RETURN NEW;
END $$
"""
_HOLDS = (
    "ALTER TABLE wallets.hold ADD COLUMN position bigint",
    """
    UPDATE wallets.hold h SET position = e.position
    FROM wallets.entry e WHERE e.hold_id = h.id AND e.kind = 'HOLD_PLACED'
    """,
    _PLACE,
    """
    CREATE TRIGGER knows_its_place BEFORE INSERT OR UPDATE OF created_at ON wallets.hold
    FOR EACH ROW EXECUTE FUNCTION wallets.place_hold()
    """,
    """
    CREATE INDEX ix_hold_owner_state_position ON wallets.hold (owner, state, position)
    """,
    """
    CREATE INDEX ix_hold_owner_asset_state_position
    ON wallets.hold (owner, asset, state, position)
    """,
    # The one above finds open holds of an asset as well.
    "DROP INDEX wallets.ix_hold_owner_asset",
    # What one user rarely does others do all day: told apart, PostgreSQL does not look for it by
    # walking back through everybody's lines.
    """
    CREATE STATISTICS wallets.st_posting_owner_asset_kind (mcv)
    ON owner, asset, kind FROM wallets.posting
    """,
    "ANALYZE wallets.posting",
)

# A line of an account to read from: none before it is after ``moment``, and of the next few one is.
# Reading so few costs what looking for the very first would.
_NUMBER_AFTER = """
CREATE OR REPLACE FUNCTION wallets.number_after(
    holder uuid, moment timestamptz, past bigint
) RETURNS bigint
LANGUAGE plpgsql STABLE SET search_path = '' AS $$
DECLARE
    few CONSTANT bigint := 32;
    low bigint := 1;
    low_at timestamptz;
    high bigint := past - 1;
    high_at timestamptz;
    guess bigint;
    width bigint;
    middle bigint;
    met timestamptz;
BEGIN
    IF past <= few THEN
        RETURN 1;
    END IF;
    -- Most accounts are younger than the moment: the first look tells.
    SELECT e.at INTO low_at FROM wallets.posting p JOIN wallets.entry e ON e.position = p.position
        WHERE p.account_id = holder AND p.seq = low;
    IF low_at > moment THEN
        RETURN 1;
    END IF;
    SELECT e.at INTO high_at FROM wallets.posting p JOIN wallets.entry e ON e.position = p.position
        WHERE p.account_id = holder AND p.seq = high;
    IF high_at <= moment THEN
        RETURN past;
    END IF;
    -- From here on the line at ``low`` is not after the moment, and the one at ``high`` is.
    WHILE high - low > few LOOP
        -- Lines that come when they like are off by the root of how many there are, or so.
        width := greatest(few / 2, sqrt(high - low)::bigint);
        guess := low + (
            extract(epoch FROM moment - low_at)::double precision
            / extract(epoch FROM high_at - low_at)::double precision * (high - low))::bigint;
        FOREACH middle IN ARRAY ARRAY[guess - width / 2, guess + width / 2, 0] LOOP
            IF middle = 0 THEN
                -- Neither side of the guess had it: by halves, so that no history makes it long.
                EXIT WHEN high - low <= width;
                middle := (low + high) / 2;
            END IF;
            CONTINUE WHEN middle <= low OR middle >= high;
            SELECT e.at INTO met
                FROM wallets.posting p JOIN wallets.entry e ON e.position = p.position
                WHERE p.account_id = holder AND p.seq = middle;
            IF met <= moment THEN
                low := middle;
                low_at := met;
            ELSE
                high := middle;
                high_at := met;
            END IF;
        END LOOP;
    END LOOP;
    RETURN low + 1;
END $$
"""

# As it was, with fewer looks: lines within a minute of the bound are read one by one anyway, so
# that neither end of them need be found exactly; and who sends, sends soon after it as a rule.
_SENT_SINCE = """
CREATE OR REPLACE FUNCTION wallets.sent_since(
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
    step bigint := 32;
    low bigint;
    high bigint;
    middle bigint;
    met timestamptz;
    reached numeric;
BEGIN
    SELECT b.last_seq + 1, b.sent INTO past, total
        FROM wallets.balance b WHERE b.account_id = holder;
    amount := 0;
    IF coalesce(total, 0) = 0 THEN
        RETURN;
    END IF;
    doubtful := wallets.number_after(holder, bound - interval '1 minute', past);
    -- On by growing steps, until there is no doubt.
    certain := least(doubtful + step, past);
    WHILE certain < past LOOP
        SELECT e.at INTO met
            FROM wallets.posting p JOIN wallets.entry e ON e.position = p.position
            WHERE p.account_id = holder AND p.seq = certain;
        EXIT WHEN met > bound + interval '1 minute';
        certain := least(certain + step, past);
        step := step * 2;
    END LOOP;
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
        -- Nothing was sent before ``low``; by ``high`` something was.
        low := certain;
        high := certain;
        step := 1;
        LOOP
            SELECT p.sent INTO reached FROM wallets.posting p
                WHERE p.account_id = holder AND p.seq = high;
            EXIT WHEN reached > earlier;
            low := high + 1;
            high := least(high + step, past - 1);
            step := step * 2;
        END LOOP;
        WHILE low < high LOOP
            middle := (low + high) / 2;
            SELECT p.sent INTO reached FROM wallets.posting p
                WHERE p.account_id = holder AND p.seq = middle;
            IF reached > earlier THEN
                high := middle;
            ELSE
                low := middle + 1;
            END IF;
        END LOOP;
        SELECT e.at INTO oldest_at
            FROM wallets.posting p JOIN wallets.entry e ON e.position = p.position
            WHERE p.account_id = holder AND p.seq = high;
    END IF;
END $$
"""


def upgrade() -> None:
    for statement in (*_HOLDS, _NUMBER_AFTER, _SENT_SINCE):
        op.execute(statement)


def downgrade() -> None:
    raise NotImplementedError("Migrations go forward only: write a new one that undoes this one.")
