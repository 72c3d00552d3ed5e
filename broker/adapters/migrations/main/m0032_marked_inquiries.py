"""A mark beside each inquiry that only its citizen's key makes, so that a list knows what can be read and opens none.

What was asked before this has no mark: it is listed as long as its citizen has a key.
"""

from __future__ import annotations

from alembic import op

revision = "main_0032"
down_revision = "main_0031"
branch_labels = None
depends_on = None

STATEMENTS = ("ALTER TABLE inquiries.inquiry ADD COLUMN mark bytea CHECK (length(mark) = 32)",)


def upgrade() -> None:
    """Make room for the mark."""
    connection = op.get_bind()
    for statement in STATEMENTS:
        connection.exec_driver_sql(statement)


def downgrade() -> None:
    """Refuse: going back would open texts for a list."""
    raise NotImplementedError("a list that opens nothing is never taken back by a migration")
