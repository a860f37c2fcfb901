"""Users: accounts, keys, profiles, settings, roles, sessions, the log, the inbox, the desk."""

from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

_TABLES = """
CREATE TABLE users.account (
    id uuid NOT NULL,
    project text NOT NULL,
    tenant text NOT NULL,
    uid text NOT NULL,
    state text NOT NULL,
    email bytea,
    email_index bytea,
    email_verified boolean NOT NULL,
    email_as_of timestamptz,
    frozen_by text,
    frozen_reason bytea,
    erase_after timestamptz,
    signed_out_at timestamptz,
    created_at timestamptz NOT NULL,
    CONSTRAINT pk_account PRIMARY KEY (id),
    CONSTRAINT uq_account_project_tenant_uid UNIQUE (project, tenant, uid),
    CONSTRAINT ck_account_state CHECK (state IN ('ACTIVE', 'FROZEN', 'ERASING', 'ERASED')),
    CONSTRAINT ck_account_frozen CHECK ((state = 'FROZEN') = (frozen_by IS NOT NULL)),
    CONSTRAINT ck_account_erasing CHECK ((state = 'ERASING') = (erase_after IS NOT NULL))
);
CREATE INDEX ix_account_email_index ON users.account (email_index);
CREATE INDEX ix_account_uid ON users.account (uid);
CREATE INDEX ix_account_erase_after ON users.account (id) WHERE erase_after IS NOT NULL;
CREATE TABLE users.data_key (
    user_id uuid NOT NULL,
    master text NOT NULL,
    sealed bytea NOT NULL,
    CONSTRAINT pk_data_key PRIMARY KEY (user_id)
);
CREATE TABLE users.profile (
    user_id uuid NOT NULL,
    display_name bytea,
    legal_name bytea,
    date_of_birth bytea,
    country bytea,
    phone bytea,
    time_zone text NOT NULL,
    CONSTRAINT pk_profile PRIMARY KEY (user_id)
);
CREATE TABLE users.settings (
    user_id uuid NOT NULL,
    notifications jsonb NOT NULL,
    display_currency text NOT NULL,
    locale text NOT NULL,
    theme text NOT NULL,
    quiet_start time,
    quiet_end time,
    confirm_orders boolean NOT NULL,
    CONSTRAINT pk_settings PRIMARY KEY (user_id),
    CONSTRAINT ck_settings_quiet CHECK ((quiet_start IS NULL) = (quiet_end IS NULL))
);
CREATE TABLE users.role (
    user_id uuid NOT NULL,
    role text NOT NULL,
    granted_by uuid,
    granted_at timestamptz NOT NULL,
    CONSTRAINT pk_role PRIMARY KEY (user_id, role)
);
CREATE INDEX ix_role_role ON users.role (role, user_id);
CREATE TABLE users.session (
    id uuid NOT NULL,
    user_id uuid NOT NULL,
    signed_in_at timestamptz NOT NULL,
    device_id text NOT NULL,
    agent text NOT NULL,
    address bytea NOT NULL,
    provider text NOT NULL,
    second_factor text,
    created_at timestamptz NOT NULL,
    last_seen_at timestamptz NOT NULL,
    ended_at timestamptz,
    ended_by text,
    CONSTRAINT pk_session PRIMARY KEY (id),
    CONSTRAINT uq_session_user_id_signed_in_at_device_id UNIQUE (user_id, signed_in_at, device_id),
    CONSTRAINT ck_session_ended CHECK ((ended_at IS NULL) = (ended_by IS NULL))
);
CREATE TABLE users.activity (
    id uuid NOT NULL,
    actor_id uuid,
    subject_id uuid NOT NULL,
    action text NOT NULL,
    result text NOT NULL,
    at timestamptz NOT NULL,
    address bytea,
    agent text,
    details jsonb NOT NULL,
    CONSTRAINT pk_activity PRIMARY KEY (id, at),
    CONSTRAINT ck_activity_result CHECK (result IN ('SUCCEEDED', 'DENIED', 'FAILED'))
) PARTITION BY RANGE (at);
CREATE TABLE users.activity_default PARTITION OF users.activity DEFAULT;
CREATE INDEX ix_activity_subject_id_at_id ON users.activity (subject_id, at, id);
CREATE INDEX ix_activity_at_id ON users.activity (at, id);
CREATE TABLE users.notification (
    id uuid NOT NULL,
    user_id uuid NOT NULL,
    topic text NOT NULL,
    code text NOT NULL,
    values jsonb NOT NULL,
    created_at timestamptz NOT NULL,
    event_id uuid NOT NULL,
    read_at timestamptz,
    CONSTRAINT pk_notification PRIMARY KEY (id),
    CONSTRAINT uq_notification_user_id_event_id UNIQUE (user_id, event_id)
);
CREATE INDEX ix_notification_user_id_created_at_id ON users.notification (user_id, created_at, id);
CREATE TABLE users.note (
    id uuid NOT NULL,
    user_id uuid NOT NULL,
    author_id uuid NOT NULL,
    text bytea NOT NULL,
    created_at timestamptz NOT NULL,
    CONSTRAINT pk_note PRIMARY KEY (id)
);
CREATE INDEX ix_note_user_id ON users.note (user_id);
CREATE TABLE users.role_proposal (
    id uuid NOT NULL,
    user_id uuid NOT NULL,
    role text NOT NULL,
    grants boolean NOT NULL,
    proposed_by uuid NOT NULL,
    created_at timestamptz NOT NULL,
    state text NOT NULL,
    decided_by uuid,
    decided_at timestamptz,
    CONSTRAINT pk_role_proposal PRIMARY KEY (id),
    CONSTRAINT ck_role_proposal_state CHECK (state IN ('OPEN', 'APPROVED', 'REJECTED')),
    CONSTRAINT ck_role_proposal_eyes CHECK (decided_by IS NULL OR decided_by <> proposed_by)
);
CREATE UNIQUE INDEX uq_role_proposal_open ON users.role_proposal (user_id, role)
    WHERE state = 'OPEN';
"""

# The log is for ever: partitions are made ahead and never dropped here.
_MAINTAIN = """
CREATE FUNCTION users.maintain(at timestamptz) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = '' SET timezone = 'UTC' AS $$
DECLARE
    first timestamptz;
BEGIN
    PERFORM pg_advisory_xact_lock(7305489203);
    FOR month IN 0..2 LOOP
        first := date_trunc('month', at AT TIME ZONE 'UTC') AT TIME ZONE 'UTC'
            + make_interval(months => month);
        IF to_regclass(format('users.activity_%s', to_char(first AT TIME ZONE 'UTC', 'YYYYMM')))
            IS NULL AND NOT EXISTS (
                SELECT FROM users.activity_default a
                WHERE a.at >= first AND a.at < first + interval '1 month')
        THEN
            EXECUTE format(
                'CREATE TABLE users.activity_%s PARTITION OF users.activity'
                ' FOR VALUES FROM (%L) TO (%L)',
                to_char(first AT TIME ZONE 'UTC', 'YYYYMM'), first, first + interval '1 month');
        END IF;
    END LOOP;
END $$
"""

_REFUSE = """
CREATE FUNCTION users.refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'the activity log is only ever appended to' USING ERRCODE = '42501';
END $$
"""


def upgrade() -> None:
    op.execute("CREATE SCHEMA users")
    for statement in _TABLES.split(";\n"):
        if statement.strip():
            op.execute(statement)
    op.execute(_MAINTAIN)
    op.execute(_REFUSE)
    op.execute(
        "CREATE TRIGGER appended_to_only BEFORE UPDATE OR DELETE ON users.activity"
        " FOR EACH ROW EXECUTE FUNCTION users.refuse()"
    )
    op.execute("REVOKE ALL ON FUNCTION users.maintain(timestamptz) FROM PUBLIC")
    op.execute("GRANT EXECUTE ON FUNCTION users.maintain(timestamptz) TO okd_app")
    op.execute("GRANT USAGE ON SCHEMA users TO okd_app")
    op.execute(
        "GRANT SELECT, INSERT, UPDATE ON users.account, users.profile, users.settings,"
        " users.session, users.notification, users.role_proposal TO okd_app"
    )
    # A key is rewrapped, and destroyed with its user; a role is taken away.
    op.execute("GRANT SELECT, INSERT, UPDATE, DELETE ON users.data_key TO okd_app")
    op.execute("GRANT SELECT, INSERT, DELETE ON users.role TO okd_app")
    op.execute("GRANT SELECT, INSERT ON users.activity, users.note TO okd_app")


def downgrade() -> None:
    raise NotImplementedError("Migrations go forward only: write a new one that undoes this one.")
