"""An entry of the log's own kinds comes with an epoch of the map alone: the application's role appends none.

Both functions are taken from the files in `audit/sql`, which a new house is laid from; there nothing is left to do.
"""

from __future__ import annotations

from alembic import op

from audit.postgres import schema_statements

revision = "main_0015"
down_revision = "main_0014"
branch_labels = None
depends_on = None

MADE_ANEW = (("schema.sql", "FUNCTION log.append("), ("map.sql", "FUNCTION log.commit_map("))


def upgrade() -> None:
    """Replace both functions at once: each counts on the other."""
    connection = op.get_bind()
    made = [one for script, name in MADE_ANEW for one in schema_statements(script=script) if name in one]
    for statement in ("SET ROLE borgerbro_log_owner", *made, "RESET ROLE"):
        connection.exec_driver_sql(statement)


def downgrade() -> None:
    """Refuse: going back would let the application write the map's roots."""
    raise NotImplementedError("going back is a restore, not a migration")
