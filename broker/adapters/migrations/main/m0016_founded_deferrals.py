"""What keeps entries back rests on an entry of the log: the check of the map asks which deferrals have none.

Function and rights are taken from the files in `audit/sql`, which a new house is laid from; there only the rights of
whoever verifies are new.
"""

from __future__ import annotations

from alembic import op

from audit.postgres import schema_statements

revision = "main_0016"
down_revision = "main_0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the function where it is not there yet, for whoever verifies the log."""
    connection = op.get_bind()
    made = [
        statement for statement in schema_statements(script="deferral.sql") if "FUNCTION log.unfounded" in statement
    ]
    laid = ("SET ROLE borgerbro_log_owner", *made, "RESET ROLE", *schema_statements(script="reader.sql"))
    for statement in laid:
        connection.exec_driver_sql(statement)


def downgrade() -> None:
    """Refuse: going back would believe a row that nobody approved."""
    raise NotImplementedError("going back is a restore, not a migration")
