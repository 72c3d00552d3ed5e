"""Acting as oneself, one reaches the letters of one's own yeses alone: another may be of what the law keeps back."""

from __future__ import annotations

from alembic import op

revision = "main_0024"
down_revision = "main_0023"
branch_labels = None
depends_on = None

MY_YES = "consent IS NOT NULL AND recipient = current_setting('borgerbro.citizen', true)"

STATEMENTS = (
    "DROP POLICY own ON notices.waiting",
    f"CREATE POLICY own ON notices.waiting TO borgerbro_app USING ({MY_YES}) WITH CHECK ({MY_YES})",
)


def upgrade() -> None:
    """Narrow the fence."""
    connection = op.get_bind()
    for statement in STATEMENTS:
        connection.exec_driver_sql(statement)


def downgrade() -> None:
    """Refuse: going back would show a citizen what the law keeps back from them."""
    raise NotImplementedError("a fence is never taken down by a migration")
