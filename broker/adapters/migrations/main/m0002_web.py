"""The web's own memory: what was used once, how much was asked, who is logged in."""

from __future__ import annotations

from alembic import op

from broker.adapters.migrations.parts import web

revision = "main_0002"
down_revision = "main_0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the web's tables."""
    web.upgrade(op)


def downgrade() -> None:
    """Refuse: a migration here only goes forward."""
    raise NotImplementedError("going back is a restore, not a migration")
