"""The signs that put an access forward lie sealed under the citizen's key, as what they rest on does (P9)."""

from __future__ import annotations

from alembic import op

revision = "main_0030"
down_revision = "main_0029"
branch_labels = None
depends_on = None

STATEMENTS = (
    # What stood open is not carried over: who drew it can be asked again by `broker samples verify`, its signs cannot.
    "ALTER TABLE samples.sample DROP COLUMN signs, DROP COLUMN explained, ADD COLUMN sealed_signs bytea",
)


def upgrade() -> None:
    """Take the open columns away and make room for the sealed one."""
    connection = op.get_bind()
    for statement in STATEMENTS:
        connection.exec_driver_sql(statement)


def downgrade() -> None:
    """Refuse: going back would lay signs open again."""
    raise NotImplementedError("signs that were sealed are never laid open by a migration")
