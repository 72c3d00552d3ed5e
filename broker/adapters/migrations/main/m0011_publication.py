"""A signed checkpoint is published once a quorum of witnesses stands behind it; a log knows since when it is open.

The function is taken from `audit/sql/schema.sql`, which a new house is laid from; there nothing is left to do.
"""

from __future__ import annotations

from alembic import op

from audit.postgres import schema_statements

revision = "main_0011"
down_revision = "main_0010"
branch_labels = None
depends_on = None

COLUMNS = (
    "ALTER TABLE log.head ADD COLUMN IF NOT EXISTS opened_at timestamptz NOT NULL DEFAULT clock_timestamp()",
    "ALTER TABLE log.checkpoint ADD COLUMN IF NOT EXISTS published_at timestamptz",
    # Until now whatever was signed was shown.
    "UPDATE log.checkpoint SET published_at = signed_at WHERE published_at IS NULL",
)


def upgrade() -> None:
    """Add the columns and the function."""
    connection = op.get_bind()
    functions = [statement for statement in schema_statements() if "FUNCTION log.publish_checkpoint" in statement]
    for statement in ("SET ROLE borgerbro_log_owner", *COLUMNS, *functions, "RESET ROLE"):
        connection.exec_driver_sql(statement)


def downgrade() -> None:
    """Refuse: going back would destroy evidence."""
    raise NotImplementedError("going back is a restore, not a migration")
