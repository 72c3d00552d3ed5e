"""The web's own tables (`parts/web.py`)."""

from __future__ import annotations

from alembic import op

from broker.adapters.migrations.parts import web

revision = "main_0002"
down_revision = "main_0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make replay memory, ceilings and sessions."""
    web.upgrade(op)


def downgrade() -> None:
    """Take them down: they hold nothing that outlives the hour."""
    op.get_bind().exec_driver_sql("DROP SCHEMA web CASCADE")
