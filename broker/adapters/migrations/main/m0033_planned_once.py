"""What every ask runs is planned once a connection: planning it anew for each call cost more than running it.

It does so for arguments that are arrays, whose length it takes for a reason. All these look up by key, whatever the
length. Making one of them anew (`CREATE OR REPLACE`) takes its settings away again: say them with it.
"""

from __future__ import annotations

from alembic import op

from audit.postgres import schema_statements

revision = "main_0033"
down_revision = "main_0032"
branch_labels = None
depends_on = None

APPEND = "FUNCTION log.append("
ON_THE_ROAD = ("facts", "hold_states", "append_if_still", "append_and_count")
# A plan made while a table was small must not scan it once it is large.
BY_KEY = ("plan_cache_mode = force_generic_plan", "enable_seqscan = off")


def upgrade() -> None:
    """Set it for each function; the log's own is taken from `audit/sql`, which a new house is laid from."""
    connection = op.get_bind()
    (append,) = (one for one in schema_statements() if APPEND in one)
    settings = [f"ALTER FUNCTION consents.{name} SET {setting}" for name in ON_THE_ROAD for setting in BY_KEY]
    for statement in (*settings, "SET ROLE borgerbro_log_owner", append, "RESET ROLE"):
        connection.exec_driver_sql(statement)


def downgrade() -> None:
    """Refuse: a migration here only goes forward."""
    raise NotImplementedError("going back is a restore, not a migration")
