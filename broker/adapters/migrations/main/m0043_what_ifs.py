"""What-if: whose questions of which month were tried by which rules, how far it is, and what may be told of it."""

from __future__ import annotations

from alembic import op

revision = "main_0043"
down_revision = "main_0042"
branch_labels = None
depends_on = None

MINE = "current_setting('borgerbro.municipality', true)"
OVERSEEN = "string_to_array(current_setting('borgerbro.municipalities', true), ',')"

STATEMENTS = (
    "CREATE SCHEMA what_if",
    # seen_at is when the node that tries was last heard of, by the database's own clock.
    """CREATE TABLE what_if.run (
        id uuid PRIMARY KEY, municipality text NOT NULL CHECK (municipality <> ''),
        month text NOT NULL CHECK (month ~ '^[0-9]{4}-[0-9]{2}$'), candidate text NOT NULL CHECK (candidate <> ''),
        rules text NOT NULL CHECK (rules ~ '^sha256:[0-9a-f]{64}$'), by text NOT NULL CHECK (by <> ''),
        role text NOT NULL, begun_at timestamptz NOT NULL, seen_at timestamptz NOT NULL DEFAULT clock_timestamp(),
        state text NOT NULL DEFAULT 'running' CHECK (state IN ('running', 'ended', 'broken_off')),
        share smallint NOT NULL DEFAULT 0 CHECK (share BETWEEN 0 AND 100), done bigint NOT NULL DEFAULT 0,
        ended_at timestamptz, why text NOT NULL DEFAULT '', result text,
        CHECK ((state = 'ended') = (result IS NOT NULL)), CHECK ((state = 'broken_off') = (why <> ''))
    )""",
    # Of two that begin at once, on whichever nodes, one is refused; a month is tried once by the same rules.
    "CREATE UNIQUE INDEX one_under_way ON what_if.run (municipality) WHERE state = 'running'",
    "CREATE UNIQUE INDEX tried_once ON what_if.run (municipality, month, rules) WHERE state = 'ended'",
    "CREATE INDEX run_of_municipality ON what_if.run (municipality, begun_at DESC)",
    """CREATE FUNCTION what_if.refuse_change() RETURNS trigger LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp AS $$
    BEGIN
        RAISE EXCEPTION 'what came of a run is not changed';
    END $$""",
    "REVOKE ALL ON FUNCTION what_if.refuse_change FROM PUBLIC",
    "ALTER TABLE what_if.run ENABLE ROW LEVEL SECURITY",
    "ALTER TABLE what_if.run FORCE ROW LEVEL SECURITY",
    f"""CREATE POLICY seen ON what_if.run FOR SELECT TO borgerbro_app
        USING (municipality = {MINE} OR municipality = ANY ({OVERSEEN}))""",
    f"CREATE POLICY added ON what_if.run FOR INSERT TO borgerbro_app WITH CHECK (municipality = {MINE})",
    f"CREATE POLICY moved ON what_if.run FOR UPDATE TO borgerbro_app USING (municipality = {MINE})",
    """CREATE TRIGGER kept BEFORE UPDATE ON what_if.run FOR EACH ROW WHEN (OLD.state <> 'running')
        EXECUTE FUNCTION what_if.refuse_change()""",
    """CREATE TRIGGER kept_all BEFORE DELETE ON what_if.run FOR EACH ROW EXECUTE FUNCTION what_if.refuse_change()""",
    """CREATE TRIGGER kept_whole BEFORE TRUNCATE ON what_if.run FOR EACH STATEMENT
        EXECUTE FUNCTION what_if.refuse_change()""",
    "GRANT USAGE ON SCHEMA what_if TO borgerbro_app",
    "GRANT SELECT, INSERT ON what_if.run TO borgerbro_app",
    "GRANT UPDATE (seen_at, state, done, share, ended_at, why, result) ON what_if.run TO borgerbro_app",
)


def upgrade() -> None:
    """Make the table and its fences."""
    connection = op.get_bind()
    for statement in STATEMENTS:
        connection.exec_driver_sql(statement)


def downgrade() -> None:
    """Refuse: going back would let a month be tried twice by the same rules."""
    raise NotImplementedError("what was tried is never taken down by a migration")
