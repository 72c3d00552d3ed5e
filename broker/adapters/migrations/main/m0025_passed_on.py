"""What a citizen asks for (to know, to have it put right, that it stops), and who was told of it."""

from __future__ import annotations

from alembic import op

revision = "main_0025"
down_revision = "main_0024"
branch_labels = None
depends_on = None

STATEMENTS = (
    """ALTER TABLE inquiries.inquiry ADD COLUMN aim text NOT NULL DEFAULT 'question'
        CHECK (aim IN ('question', 'correction', 'objection'))""",
    "ALTER TABLE inquiries.step ADD COLUMN told text[] NOT NULL DEFAULT '{}'",
    "ALTER TABLE inquiries.step DROP CONSTRAINT step_state_check",
    "ALTER TABLE inquiries.step ADD CHECK (state IN ('read', 'passed_on', 'answered'))",
    "ALTER TABLE inquiries.step ADD CHECK ((cardinality(told) > 0) = (state = 'passed_on'))",
)


def upgrade() -> None:
    """Add both columns; what was asked before was to know."""
    connection = op.get_bind()
    for statement in STATEMENTS:
        connection.exec_driver_sql(statement)


def downgrade() -> None:
    """Refuse: going back would destroy who was told."""
    raise NotImplementedError("what citizens asked is never taken down by a migration")
