"""A check that was broken off says why: a node that ended is one thing, a check that could not report another."""

from __future__ import annotations

from alembic import op

revision = "main_0044"
down_revision = "main_0043"
branch_labels = None
depends_on = None

STATEMENTS = (
    # Of what was broken off before this version nobody knows why.
    """ALTER TABLE integrity.run ADD COLUMN why text NOT NULL DEFAULT ''
        CHECK (why IN ('', 'node_ended', 'too_long', 'no_report'))""",
    "GRANT UPDATE (why) ON integrity.run TO borgerbro_app",
)


def upgrade() -> None:
    """Add the reason."""
    connection = op.get_bind()
    for statement in STATEMENTS:
        connection.exec_driver_sql(statement)


def downgrade() -> None:
    """Refuse: going back would take away what is known of the checks of the logs."""
    raise NotImplementedError("what checks found is never taken down by a migration")
