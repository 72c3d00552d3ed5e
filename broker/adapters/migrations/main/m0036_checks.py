"""Checks of whole logs: who began which, how far it is, what it found. A log has one under way at a time."""

from __future__ import annotations

from alembic import op

revision = "main_0036"
down_revision = "main_0035"
branch_labels = None
depends_on = None

MINE = "current_setting('borgerbro.municipality', true)"
OVERSEEN = "string_to_array(current_setting('borgerbro.municipalities', true), ',')"

STATEMENTS = (
    "CREATE SCHEMA integrity",
    # seen_at is when the node that checks was last heard of, by the database's own clock.
    """CREATE TABLE integrity.run (
        id uuid PRIMARY KEY, municipality text NOT NULL CHECK (municipality <> ''), log text NOT NULL CHECK (log <> ''),
        by text NOT NULL CHECK (by <> ''), role text NOT NULL, begun_at timestamptz NOT NULL,
        seen_at timestamptz NOT NULL DEFAULT clock_timestamp(),
        state text NOT NULL DEFAULT 'running' CHECK (state IN ('running', 'ended', 'broken_off')),
        done bigint NOT NULL DEFAULT 0, total bigint NOT NULL DEFAULT 0, ended_at timestamptz,
        size bigint, signed_size bigint, faults text[] NOT NULL DEFAULT '{}',
        found integer NOT NULL DEFAULT 0, deleted bigint NOT NULL DEFAULT 0,
        CHECK ((state = 'ended') = (size IS NOT NULL))
    )""",
    # Of two that begin at once, on whichever nodes, one is refused.
    "CREATE UNIQUE INDEX one_under_way ON integrity.run (log) WHERE state = 'running'",
    "CREATE INDEX run_of_log ON integrity.run (municipality, log, begun_at DESC)",
    """CREATE FUNCTION integrity.refuse_change() RETURNS trigger LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp AS $$
    BEGIN
        RAISE EXCEPTION 'what a check found is not changed';
    END $$""",
    "REVOKE ALL ON FUNCTION integrity.refuse_change FROM PUBLIC",
    "ALTER TABLE integrity.run ENABLE ROW LEVEL SECURITY",
    "ALTER TABLE integrity.run FORCE ROW LEVEL SECURITY",
    f"""CREATE POLICY seen ON integrity.run FOR SELECT TO borgerbro_app
        USING (municipality = {MINE} OR municipality = ANY ({OVERSEEN}))""",
    f"CREATE POLICY added ON integrity.run FOR INSERT TO borgerbro_app WITH CHECK (municipality = {MINE})",
    f"CREATE POLICY moved ON integrity.run FOR UPDATE TO borgerbro_app USING (municipality = {MINE})",
    """CREATE TRIGGER kept BEFORE UPDATE ON integrity.run FOR EACH ROW WHEN (OLD.state <> 'running')
        EXECUTE FUNCTION integrity.refuse_change()""",
    """CREATE TRIGGER kept_all BEFORE DELETE ON integrity.run FOR EACH ROW
        EXECUTE FUNCTION integrity.refuse_change()""",
    """CREATE TRIGGER kept_whole BEFORE TRUNCATE ON integrity.run FOR EACH STATEMENT
        EXECUTE FUNCTION integrity.refuse_change()""",
    "GRANT USAGE ON SCHEMA integrity TO borgerbro_app",
    "GRANT SELECT, INSERT ON integrity.run TO borgerbro_app",
    """GRANT UPDATE (seen_at, state, done, total, ended_at, size, signed_size, faults, found, deleted)
        ON integrity.run TO borgerbro_app""",
)


def upgrade() -> None:
    """Make the table and its fences."""
    connection = op.get_bind()
    for statement in STATEMENTS:
        connection.exec_driver_sql(statement)


def downgrade() -> None:
    """Refuse: going back would destroy the evidence that the logs were checked."""
    raise NotImplementedError("what checks found is never taken down by a migration")
