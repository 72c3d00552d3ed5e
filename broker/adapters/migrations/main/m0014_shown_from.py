"""What the law kept back is kept its term from the day on which it shows: deletion asks the log from when it does."""

from __future__ import annotations

from alembic import op

from audit.postgres import schema_statements

revision = "main_0014"
down_revision = "main_0013"
branch_labels = None
depends_on = None

ASKED_BY = "GRANT EXECUTE ON FUNCTION log.shown_from TO borgerbro_app, borgerbro_eraser"


def upgrade() -> None:
    """Make the function where it is not there yet, for whoever asks whether content may go."""
    connection = op.get_bind()
    made = [statement for statement in schema_statements(script="deferral.sql") if "log.shown_from" in statement]
    for statement in ("SET ROLE borgerbro_log_owner", *made, ASKED_BY, "RESET ROLE"):
        connection.exec_driver_sql(statement)


def downgrade() -> None:
    """Refuse: going back would delete what its citizen has not yet been shown."""
    raise NotImplementedError("going back is a restore, not a migration")
