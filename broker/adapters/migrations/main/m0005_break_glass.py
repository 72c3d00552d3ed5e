"""Break-glass requests and what their holders said, under row-level security; added to, never changed.

A request belongs to the municipality that asks, an answer to the one that says it; both see both (`readers`).
"""

from __future__ import annotations

from alembic import op

revision = "main_0005"
down_revision = "main_0004"
branch_labels = None
depends_on = None

MINE = "current_setting('borgerbro.municipality', true)"
OWNED = "municipality text NOT NULL CHECK (municipality <> '')"
READERS = "readers text[] NOT NULL CHECK ('' <> ALL (readers))"
TABLES = ("request", "source", "answer")

STATEMENTS = (
    "CREATE SCHEMA break_glass",
    f"""CREATE TABLE break_glass.request (
        id uuid PRIMARY KEY, {OWNED}, {READERS},
        citizen text NOT NULL CHECK (citizen <> ''),
        unit text NOT NULL, caseworker text NOT NULL CHECK (caseworker <> ''),
        case_handle text NOT NULL, reason text NOT NULL, sealed_words bytea NOT NULL, requested_at timestamptz NOT NULL
    )""",
    f"""CREATE TABLE break_glass.source (
        request uuid NOT NULL REFERENCES break_glass.request, {OWNED}, {READERS},
        source text NOT NULL, unit text NOT NULL, holder text NOT NULL,
        PRIMARY KEY (request, source)
    )""",
    # A unit says yes once and no once; that a no is final is held under the citizen's state.
    f"""CREATE TABLE break_glass.answer (
        request uuid NOT NULL REFERENCES break_glass.request, {OWNED}, {READERS},
        unit text NOT NULL, said text NOT NULL CHECK (said IN ('yes', 'no')),
        by text NOT NULL CHECK (by <> ''), at timestamptz NOT NULL,
        PRIMARY KEY (request, unit, said)
    )""",
    """CREATE FUNCTION break_glass.refuse_change() RETURNS trigger LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp AS $$
    BEGIN
        RAISE EXCEPTION 'what was asked in an emergency, and what was said to it, is not changed';
    END $$""",
    "REVOKE ALL ON FUNCTION break_glass.refuse_change FROM PUBLIC",
    "GRANT USAGE ON SCHEMA break_glass TO borgerbro_app",
    "GRANT SELECT, INSERT ON ALL TABLES IN SCHEMA break_glass TO borgerbro_app",
)


def _fences(table: str) -> list[str]:
    """List who may see and add rows of a table, and what keeps them as they are."""
    name, refuse = f"break_glass.{table}", "EXECUTE FUNCTION break_glass.refuse_change()"
    seen = f"municipality = {MINE} OR {MINE} = ANY (readers)"
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
    for statement in (*STATEMENTS, *(fence for table in TABLES for fence in _fences(table))):
        connection.exec_driver_sql(statement)


def downgrade() -> None:
    """Refuse: going back would destroy evidence."""
    raise NotImplementedError("what was asked in an emergency is never taken down by a migration")
