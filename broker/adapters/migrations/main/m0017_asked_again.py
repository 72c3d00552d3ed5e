"""Why a unit asks again after a no, sealed; and a request that nobody answered is closed once."""

from __future__ import annotations

from alembic import op

revision = "main_0017"
down_revision = "main_0016"
branch_labels = None
depends_on = None

STATEMENTS = (
    "ALTER TABLE consents.request ADD COLUMN sealed_again bytea",
    "CREATE INDEX ON consents.request (municipality, answer_by)",
    "CREATE UNIQUE INDEX ON consents.request_state (request) WHERE state = 'expired'",
)


def upgrade() -> None:
    """Add the column, and let one row alone say that a request is over."""
    connection = op.get_bind()
    for statement in STATEMENTS:
        connection.exec_driver_sql(statement)


def downgrade() -> None:
    """Refuse: a migration here only goes forward."""
    raise NotImplementedError("going back is a restore, not a migration")
