"""How each citizen wants to be told, and the code that was sent to an address before it is used; addresses sealed."""

from __future__ import annotations

from alembic import op

revision = "main_0028"
down_revision = "main_0027"
branch_labels = None
depends_on = None

MINE = "current_setting('borgerbro.municipality', true)"
ME = "current_setting('borgerbro.citizen', true)"


def _fenced(table: str) -> tuple[str, ...]:
    """Keep a table to its municipality, and to the citizen whose rows they are."""
    return (
        f"GRANT SELECT, INSERT, UPDATE, DELETE ON {table} TO borgerbro_app",
        # The eraser deletes a citizen's own, and reads no more of them than whose they are.
        f"GRANT SELECT (municipality, citizen), DELETE ON {table} TO borgerbro_eraser",
        f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY",
        f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY",
        f"""CREATE POLICY mine ON {table} TO borgerbro_app, borgerbro_eraser
            USING (municipality = {MINE}) WITH CHECK (municipality = {MINE})""",
        f"CREATE POLICY own ON {table} FOR SELECT TO borgerbro_app USING (citizen = {ME})",
    )


STATEMENTS = (
    """CREATE TABLE notices.choice (
        municipality text NOT NULL CHECK (municipality <> ''), citizen text NOT NULL CHECK (citizen <> ''),
        way text NOT NULL CHECK (way IN ('digital_post', 'email', 'least')), weekly boolean NOT NULL,
        sealed_address bytea, at timestamptz NOT NULL,
        PRIMARY KEY (municipality, citizen), CHECK ((sealed_address IS NOT NULL) = (way = 'email'))
    )""",
    # `day` and `codes` count what was sent on one day; they outlive the code.
    """CREATE TABLE notices.code (
        municipality text NOT NULL CHECK (municipality <> ''), citizen text NOT NULL CHECK (citizen <> ''),
        sealed bytea, weekly boolean NOT NULL, until_at timestamptz NOT NULL, tries integer NOT NULL,
        day date NOT NULL, codes integer NOT NULL,
        PRIMARY KEY (municipality, citizen)
    )""",
    *_fenced("notices.choice"),
    *_fenced("notices.code"),
    # What waits, from when it may be seen, and whether its recipient is told once a week; that they changed how they
    # are told is told at once. It shows no more than whoever asks may see.
    """CREATE VIEW notices.ready WITH (security_invoker = true) AS
        SELECT w.id, w.municipality, w.recipient, w.cause, w.given_up_at,
            to_timestamp(log.shown_from(w.recipient, w.unit, w.cause,
                floor(extract(epoch FROM w.made_at))::bigint)) AS shown,
            w.cause <> 'notices.chosen' AND coalesce((
                SELECT c.weekly FROM notices.choice c
                WHERE c.municipality = w.municipality AND c.citizen = w.recipient), false) AS weekly
        FROM notices.waiting w""",
    "GRANT SELECT ON notices.ready TO borgerbro_app",
)


def upgrade() -> None:
    """Make both tables with their fences, and the view."""
    connection = op.get_bind()
    for statement in STATEMENTS:
        connection.exec_driver_sql(statement)


def downgrade() -> None:
    """Refuse: going back would write to citizens in a way they did not choose."""
    raise NotImplementedError("what citizens chose is never taken down by a migration")
