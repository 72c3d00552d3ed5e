"""Each system of a unit receives a stop for itself: what one has received waits for the others still."""

from __future__ import annotations

from alembic import op

revision = "main_0035"
down_revision = "main_0034"
branch_labels = None
depends_on = None

STATEMENTS = (
    "ALTER TABLE consents.stop_received DROP CONSTRAINT stop_received_pkey, ADD PRIMARY KEY (consent, step, by)",
)


def upgrade() -> None:
    """Key what was received by who received it too."""
    connection = op.get_bind()
    for statement in STATEMENTS:
        connection.exec_driver_sql(statement)


def downgrade() -> None:
    """Refuse: going back would say of all systems what one said."""
    raise NotImplementedError("who received a stop is never forgotten by a migration")
