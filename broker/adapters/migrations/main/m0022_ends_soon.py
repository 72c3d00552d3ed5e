"""A notice may go with a yes: whoever gives it lays the letter that it ends soon, and it goes when the yes does."""

from __future__ import annotations

from alembic import op

revision = "main_0022"
down_revision = "main_0021"
branch_labels = None
depends_on = None

ME = "current_setting('borgerbro.citizen', true)"

STATEMENTS = (
    "ALTER TABLE notices.waiting ADD COLUMN consent uuid",
    "CREATE INDEX ON notices.waiting (consent) WHERE consent IS NOT NULL",
    "GRANT INSERT (consent) ON notices.waiting TO borgerbro_app",
    f"""CREATE POLICY own ON notices.waiting TO borgerbro_app
        USING (recipient = {ME}) WITH CHECK (recipient = {ME})""",
)


def upgrade() -> None:
    """Add the column, and let a citizen lay and take away their own."""
    connection = op.get_bind()
    for statement in STATEMENTS:
        connection.exec_driver_sql(statement)


def downgrade() -> None:
    """Refuse: going back would leave citizens untold."""
    raise NotImplementedError("what somebody is still to be told is never taken down by a migration")
