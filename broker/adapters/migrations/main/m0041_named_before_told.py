"""Letters of a breach that wait lie apart from those let go: they can be taken back, run out, and go with an erasure.

What waited before this is to be prepared again: its batch says nothing of by which count it was made, and a letter may
be kept back from its citizen by law.
"""

from __future__ import annotations

from alembic import op

revision = "main_0041"
down_revision = "main_0040"
branch_labels = None
depends_on = None

MINE = "current_setting('borgerbro.municipality', true)"
OVERSEEN = "string_to_array(current_setting('borgerbro.municipalities', true), ',')"
CITIZEN = "current_setting('borgerbro.citizen', true)"
HOME = f"municipality = ANY ({OVERSEEN}) OR municipality = {MINE}"

STATEMENTS = (
    "DROP TABLE breaches.waiting_number",
    # The owner too is under the tables' fences, and would find nothing to take away.
    "ALTER TABLE breaches.letter NO FORCE ROW LEVEL SECURITY",
    "ALTER TABLE breaches.release NO FORCE ROW LEVEL SECURITY",
    "ALTER TABLE breaches.letter DISABLE TRIGGER kept",
    "DELETE FROM breaches.letter l WHERE NOT EXISTS (SELECT FROM breaches.release r WHERE r.batch = l.batch)",
    "ALTER TABLE breaches.letter ENABLE TRIGGER kept",
    "ALTER TABLE breaches.letter FORCE ROW LEVEL SECURITY",
    "ALTER TABLE breaches.release FORCE ROW LEVEL SECURITY",
    "ALTER TABLE breaches.batch ADD COLUMN count integer NOT NULL DEFAULT 0",
    "ALTER TABLE breaches.batch ADD COLUMN named integer NOT NULL DEFAULT 0 CHECK (named >= 0)",
    "ALTER TABLE breaches.release ADD COLUMN withdrawn boolean NOT NULL DEFAULT false",
    """CREATE TABLE breaches.waiting (
        letter uuid PRIMARY KEY, batch uuid NOT NULL, breach uuid NOT NULL,
        municipality text NOT NULL CHECK (municipality <> ''), citizen text NOT NULL CHECK (citizen <> ''),
        sealed_number bytea NOT NULL, ends_at timestamptz NOT NULL, UNIQUE (breach, citizen),
        FOREIGN KEY (batch, breach, municipality) REFERENCES breaches.batch (id, breach, municipality)
    )""",
    "CREATE INDEX ON breaches.waiting (batch)",
    "CREATE INDEX ON breaches.waiting (municipality, ends_at)",
    "CREATE INDEX ON breaches.batch (by, at)",
    "GRANT SELECT, INSERT, DELETE ON breaches.waiting TO borgerbro_app",
    "ALTER TABLE breaches.waiting ENABLE ROW LEVEL SECURITY",
    "ALTER TABLE breaches.waiting FORCE ROW LEVEL SECURITY",
    f"""CREATE POLICY mine ON breaches.waiting TO borgerbro_app
        USING (municipality = {MINE} OR municipality = ANY ({OVERSEEN})) WITH CHECK (municipality = {MINE})""",
    # The eraser deletes a letter that waits, and reads no more of it than to whom.
    "GRANT USAGE ON SCHEMA breaches TO borgerbro_eraser",
    "GRANT SELECT (municipality, citizen), DELETE ON breaches.waiting TO borgerbro_eraser",
    f"""CREATE POLICY erased ON breaches.waiting TO borgerbro_eraser
        USING (municipality = {MINE}) WITH CHECK (false)""",
    # A letter is there once it was let go; by it alone its citizen sees the batch, and when it went.
    f"ALTER POLICY seen ON breaches.letter USING ({HOME} OR citizen = {CITIZEN})",
    f"""ALTER POLICY seen ON breaches.batch USING ({HOME} OR EXISTS (
        SELECT FROM breaches.letter l WHERE l.batch = batch.id AND l.citizen = {CITIZEN}))""",
    f"""ALTER POLICY seen ON breaches.release USING ({HOME} OR EXISTS (
        SELECT FROM breaches.letter l WHERE l.batch = release.batch AND l.citizen = {CITIZEN}))""",
)


def upgrade() -> None:
    """Make the table, end what waited, and tie what a citizen sees to their own letter."""
    connection = op.get_bind()
    for statement in STATEMENTS:
        connection.exec_driver_sql(statement)


def downgrade() -> None:
    """Refuse: going back would bind citizens to letters that were taken back."""
    raise NotImplementedError("who waits for a letter is never laid out by a migration")
