"""The roots of complete subtrees beside the log: what tiles above the first level, and short proofs, are made of."""

from __future__ import annotations

from alembic import op

from audit.postgres import schema_statements

revision = "main_0010"
down_revision = "main_0009"
branch_labels = None
depends_on = None

READ_TOO = ("SET ROLE borgerbro_log_owner", "GRANT SELECT ON log.node TO borgerbro_reader", "RESET ROLE")


def upgrade() -> None:
    """Make the table where the log is older than it; the checkpointer fills it."""
    connection = op.get_bind()
    for statement in (*schema_statements(script="nodes.sql"), *READ_TOO):
        connection.exec_driver_sql(statement)


def downgrade() -> None:
    """Refuse: going back would leave proofs of a large log unmade."""
    raise NotImplementedError("the log is never taken down by a migration")
