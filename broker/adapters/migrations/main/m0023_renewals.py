"""Which earlier request a request renews, and which consent a consent follows."""

from __future__ import annotations

from alembic import op

revision = "main_0023"
down_revision = "main_0022"
branch_labels = None
depends_on = None

STATEMENTS = (
    "ALTER TABLE consents.request ADD COLUMN renews uuid REFERENCES consents.request",
    "ALTER TABLE consents.consent ADD COLUMN renews uuid REFERENCES consents.consent",
)


def upgrade() -> None:
    """Add the columns."""
    connection = op.get_bind()
    for statement in STATEMENTS:
        connection.exec_driver_sql(statement)


def downgrade() -> None:
    """Refuse: going back would cut what was said from what it follows."""
    raise NotImplementedError("going back is a restore, not a migration")
