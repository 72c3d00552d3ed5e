"""Notices that wait to be sent, each added with the change that causes it; the number sealed, gone once it is sent."""

from __future__ import annotations

from alembic import op

revision = "main_0018"
down_revision = "main_0017"
branch_labels = None
depends_on = None

MINE = "current_setting('borgerbro.municipality', true)"

STATEMENTS = (
    "CREATE SCHEMA notices",
    """CREATE TABLE notices.waiting (
        id uuid PRIMARY KEY, municipality text NOT NULL CHECK (municipality <> ''),
        recipient text NOT NULL CHECK (recipient <> ''), cause text NOT NULL CHECK (cause <> ''),
        unit text NOT NULL,
        sealed_number bytea NOT NULL, made_at timestamptz NOT NULL,
        tries integer NOT NULL DEFAULT 0, next_at timestamptz NOT NULL, given_up_at timestamptz
    )""",
    "CREATE INDEX ON notices.waiting (municipality, next_at) WHERE given_up_at IS NULL",
    "CREATE INDEX ON notices.waiting (municipality, recipient)",
    "GRANT USAGE ON SCHEMA notices TO borgerbro_app, borgerbro_eraser",
    "GRANT SELECT, DELETE ON notices.waiting TO borgerbro_app",
    """GRANT INSERT (id, municipality, recipient, cause, unit, sealed_number, made_at, next_at)
        ON notices.waiting TO borgerbro_app""",
    "GRANT UPDATE (tries, next_at, given_up_at) ON notices.waiting TO borgerbro_app",
    # The eraser deletes a citizen's own, and reads no more of them than whose they are.
    "GRANT SELECT (municipality, recipient), DELETE ON notices.waiting TO borgerbro_eraser",
    "ALTER TABLE notices.waiting ENABLE ROW LEVEL SECURITY",
    "ALTER TABLE notices.waiting FORCE ROW LEVEL SECURITY",
    f"""CREATE POLICY mine ON notices.waiting TO borgerbro_app, borgerbro_eraser
        USING (municipality = {MINE}) WITH CHECK (municipality = {MINE})""",
)


def upgrade() -> None:
    """Make the table and its fence."""
    connection = op.get_bind()
    for statement in STATEMENTS:
        connection.exec_driver_sql(statement)


def downgrade() -> None:
    """Refuse: going back would leave citizens untold."""
    raise NotImplementedError("what somebody is still to be told is never taken down by a migration")
