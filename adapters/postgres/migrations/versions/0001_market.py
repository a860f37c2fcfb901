"""The catalogue of instruments."""

from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("REVOKE CREATE ON SCHEMA public FROM PUBLIC")
    op.execute("CREATE SCHEMA market")
    op.execute(
        """
        CREATE TABLE market.instrument (
            category text NOT NULL,
            symbol text COLLATE "C" NOT NULL,
            base_asset text NOT NULL,
            quote_asset text NOT NULL,
            settle_asset text,
            status text NOT NULL,
            tick_size numeric(38, 18) NOT NULL,
            quantity_step numeric(38, 18) NOT NULL,
            min_quantity numeric(38, 18) NOT NULL,
            max_quantity numeric(38, 18) NOT NULL,
            min_notional numeric(38, 18),
            max_leverage numeric(38, 18),
            funding_interval_minutes integer,
            launched_at timestamptz,
            listed boolean NOT NULL,
            first_seen_at timestamptz NOT NULL,
            updated_at timestamptz NOT NULL,
            CONSTRAINT pk_instrument PRIMARY KEY (category, symbol),
            CONSTRAINT ck_instrument_category CHECK (category IN ('LINEAR', 'SPOT')),
            CONSTRAINT ck_instrument_status CHECK (
                status IN ('PRE_LAUNCH', 'TRADING', 'DELIVERING', 'CLOSED', 'SUSPENDED')
            )
        )
        """
    )
    op.execute("GRANT USAGE ON SCHEMA market TO okd_app")
    # No DELETE: what the venue no longer lists is closed, because orders of the past refer to it.
    op.execute("GRANT SELECT, INSERT, UPDATE ON market.instrument TO okd_app")


def downgrade() -> None:
    raise NotImplementedError("Migrations go forward only: write a new one that undoes this one.")
