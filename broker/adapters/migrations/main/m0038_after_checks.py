"""After-checks of break-glass: three requests of one caseworker, and what was done with each after-check.

A request is its own after-check, so nothing of it is copied; the overseers of the municipality that asked may read it.
Of an erased citizen's sample or after-check nothing can be written: it is closed without words.
"""

from __future__ import annotations

from alembic import op

revision = "main_0038"
down_revision = "main_0037"
branch_labels = None
depends_on = None

MINE = "current_setting('borgerbro.municipality', true)"
OVERSEEN = "string_to_array(current_setting('borgerbro.municipalities', true), ',')"
OWNED = "municipality text NOT NULL CHECK (municipality <> '')"

STATEMENTS = (
    f"""CREATE POLICY overseen ON break_glass.request FOR SELECT TO borgerbro_app
        USING (municipality = ANY ({OVERSEEN}))""",
    "CREATE INDEX ON break_glass.request (municipality, requested_at DESC, id)",
    "CREATE INDEX ON break_glass.request (municipality, caseworker, requested_at)",
    f"""CREATE TABLE break_glass.repeated (
        id uuid PRIMARY KEY, {OWNED}, unit text NOT NULL, caseworker text NOT NULL CHECK (caseworker <> ''),
        opened_at timestamptz NOT NULL
    )""",
    # A request counts once.
    f"""CREATE TABLE break_glass.repeated_use (
        repeated uuid NOT NULL REFERENCES break_glass.repeated, request uuid PRIMARY KEY REFERENCES break_glass.request,
        {OWNED}
    )""",
    "CREATE INDEX ON break_glass.repeated_use (repeated)",
    # `about` is a request or three of them; `under` are the citizens whose keys the words lie under.
    f"""CREATE TABLE break_glass.step (
        about uuid NOT NULL, number integer NOT NULL CHECK (number > 0), {OWNED},
        state text NOT NULL CHECK (state IN ('explained', 'closed', 'reopened')),
        by text NOT NULL CHECK (by <> ''), at timestamptz NOT NULL, under text[] NOT NULL, sealed_text bytea,
        PRIMARY KEY (about, number), CHECK (state = 'closed' OR sealed_text IS NOT NULL),
        CHECK ((sealed_text IS NULL) = (cardinality(under) = 0))
    )""",
    # It shows no more than whoever asks may see.
    """CREATE VIEW break_glass.after_check WITH (security_invoker = true) AS
        SELECT one.*,
            coalesce((SELECT s.state FROM break_glass.step s WHERE s.about = one.id ORDER BY s.number DESC LIMIT 1),
                'open') AS state,
            coalesce((SELECT max(s.at) FROM break_glass.step s WHERE s.about = one.id AND s.state = 'reopened'),
                one.opened_at) AS since
        FROM (
            SELECT id, 'use' AS kind, municipality, unit, caseworker, requested_at AS opened_at FROM break_glass.request
            UNION ALL
            SELECT id, 'repeated', municipality, unit, caseworker, opened_at FROM break_glass.repeated
        ) one""",
    "GRANT SELECT ON break_glass.after_check TO borgerbro_app",
    "GRANT SELECT, INSERT ON break_glass.repeated, break_glass.repeated_use, break_glass.step TO borgerbro_app",
    "ALTER TABLE samples.step ALTER COLUMN sealed_text DROP NOT NULL",
    "ALTER TABLE samples.step ADD CHECK (state = 'closed' OR sealed_text IS NOT NULL)",
)


def _fences(table: str) -> list[str]:
    """List who may see and add rows of a table, and what keeps them as they are."""
    name, refuse = f"break_glass.{table}", "EXECUTE FUNCTION break_glass.refuse_change()"
    seen = f"municipality = ANY ({OVERSEEN}) OR municipality = {MINE}"
    return [
        f"ALTER TABLE {name} ENABLE ROW LEVEL SECURITY",
        f"ALTER TABLE {name} FORCE ROW LEVEL SECURITY",
        f"CREATE POLICY seen ON {name} FOR SELECT TO borgerbro_app USING ({seen})",
        f"CREATE POLICY added ON {name} FOR INSERT TO borgerbro_app WITH CHECK (municipality = {MINE})",
        f"CREATE TRIGGER kept BEFORE UPDATE OR DELETE ON {name} FOR EACH ROW {refuse}",
        f"CREATE TRIGGER kept_whole BEFORE TRUNCATE ON {name} FOR EACH STATEMENT {refuse}",
    ]


def upgrade() -> None:
    """Make the tables and their fences."""
    connection = op.get_bind()
    fences = [fence for table in ("repeated", "repeated_use", "step") for fence in _fences(table)]
    for statement in (*STATEMENTS, *fences):
        connection.exec_driver_sql(statement)


def downgrade() -> None:
    """Refuse: going back would destroy the evidence that somebody looked."""
    raise NotImplementedError("what was said of break-glass is never taken down by a migration")
