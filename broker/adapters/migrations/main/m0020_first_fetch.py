"""Which unit has fetched something about whom from another unit: the first time, its citizen is written to."""

from __future__ import annotations

from alembic import op

revision = "main_0020"
down_revision = "main_0019"
branch_labels = None
depends_on = None

MINE = "current_setting('borgerbro.municipality', true)"

STATEMENTS = (
    """CREATE TABLE notices.first_fetch (
        municipality text NOT NULL CHECK (municipality <> ''), unit text NOT NULL CHECK (unit <> ''),
        recipient text NOT NULL CHECK (recipient <> ''), at timestamptz NOT NULL,
        PRIMARY KEY (municipality, recipient, unit)
    )""",
    "GRANT SELECT, INSERT ON notices.first_fetch TO borgerbro_app",
    # The eraser deletes a citizen's own, and reads no more of them than whose they are.
    "GRANT SELECT (municipality, recipient), DELETE ON notices.first_fetch TO borgerbro_eraser",
    "ALTER TABLE notices.first_fetch ENABLE ROW LEVEL SECURITY",
    "ALTER TABLE notices.first_fetch FORCE ROW LEVEL SECURITY",
    f"""CREATE POLICY mine ON notices.first_fetch TO borgerbro_app, borgerbro_eraser
        USING (municipality = {MINE}) WITH CHECK (municipality = {MINE})""",
)


def upgrade() -> None:
    """Make the table and its fence."""
    connection = op.get_bind()
    for statement in STATEMENTS:
        connection.exec_driver_sql(statement)


def downgrade() -> None:
    """Refuse: going back would write to citizens a second time."""
    raise NotImplementedError("who was told is never taken down by a migration")
