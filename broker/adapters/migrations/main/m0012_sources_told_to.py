"""Who may learn which source a line names, where that would tell where a protected child is; NULL: everybody."""

from __future__ import annotations

from alembic import op

revision = "main_0012"
down_revision = "main_0011"
branch_labels = None
depends_on = None

COLUMNS = tuple(f"ALTER TABLE consents.{table} ADD COLUMN source_told_to text[]" for table in ("line", "request_line"))


def upgrade() -> None:
    """Add the column; lines that stand are told as before."""
    connection = op.get_bind()
    for statement in COLUMNS:
        connection.exec_driver_sql(statement)


def downgrade() -> None:
    """Refuse: a migration here only goes forward."""
    raise NotImplementedError("going back is a restore, not a migration")
