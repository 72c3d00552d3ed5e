"""How often a citizen changed on one day how they are written to, beside the choice that holds."""

from __future__ import annotations

from alembic import op

revision = "main_0031"
down_revision = "main_0030"
branch_labels = None
depends_on = None

STATEMENTS = (
    """ALTER TABLE notices.choice ADD COLUMN day date NOT NULL DEFAULT '-infinity',
        ADD COLUMN changes integer NOT NULL DEFAULT 0 CHECK (changes >= 0)""",
)


def upgrade() -> None:
    """Make room for the day and its count; what was changed before today is not counted."""
    connection = op.get_bind()
    for statement in STATEMENTS:
        connection.exec_driver_sql(statement)


def downgrade() -> None:
    """Refuse: going back would forget how often it was changed."""
    raise NotImplementedError("what citizens chose is never taken down by a migration")
