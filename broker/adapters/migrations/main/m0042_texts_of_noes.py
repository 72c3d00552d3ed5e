"""What a giver read before their no, sealed under their key, as a consent has it."""

from __future__ import annotations

from alembic import op

revision = "main_0042"
down_revision = "main_0041"
branch_labels = None
depends_on = None

STATEMENTS = (
    """ALTER TABLE consents.request_state
        ADD COLUMN language text, ADD COLUMN text_digest text, ADD COLUMN sealed_text bytea""",
    # A text whole or none, and of a no alone: what was read before a yes stands with its consent.
    """ALTER TABLE consents.request_state ADD CONSTRAINT text_of_a_no CHECK (
        num_nulls(language, text_digest, sealed_text) IN (0, 3)
        AND (text_digest IS NULL OR (state = 'refused' AND text_digest ~ '^[0-9a-f]{64}$')))""",
)


def upgrade() -> None:
    """Add the columns."""
    connection = op.get_bind()
    for statement in STATEMENTS:
        connection.exec_driver_sql(statement)


def downgrade() -> None:
    """Refuse: going back would take away what people said no to."""
    raise NotImplementedError("going back is a restore, not a migration")
