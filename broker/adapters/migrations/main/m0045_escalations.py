"""An after-check that is late is escalated, once each time it was opened; the list tells which are."""

from __future__ import annotations

from alembic import op

revision = "main_0045"
down_revision = "main_0044"
branch_labels = None
depends_on = None

MINE = "current_setting('borgerbro.municipality', true)"
OVERSEEN = "string_to_array(current_setting('borgerbro.municipalities', true), ',')"
REFUSE = "EXECUTE FUNCTION break_glass.refuse_change()"

STATEMENTS = (
    # `about` is a request or three of them; `opening` the step that opened it again, or 0: of two nodes, one writes it.
    """CREATE TABLE break_glass.escalation (
        about uuid NOT NULL, opening integer NOT NULL CHECK (opening >= 0),
        municipality text NOT NULL CHECK (municipality <> ''), by text NOT NULL CHECK (by <> ''),
        at timestamptz NOT NULL, PRIMARY KEY (about, opening)
    )""",
    "ALTER TABLE break_glass.escalation ENABLE ROW LEVEL SECURITY",
    "ALTER TABLE break_glass.escalation FORCE ROW LEVEL SECURITY",
    f"""CREATE POLICY seen ON break_glass.escalation FOR SELECT TO borgerbro_app
        USING (municipality = ANY ({OVERSEEN}) OR municipality = {MINE})""",
    f"""CREATE POLICY added ON break_glass.escalation FOR INSERT TO borgerbro_app
        WITH CHECK (municipality = {MINE})""",
    f"CREATE TRIGGER kept BEFORE UPDATE OR DELETE ON break_glass.escalation FOR EACH ROW {REFUSE}",
    f"CREATE TRIGGER kept_whole BEFORE TRUNCATE ON break_glass.escalation FOR EACH STATEMENT {REFUSE}",
    "GRANT SELECT, INSERT ON break_glass.escalation TO borgerbro_app",
    # As m0038 made it, and two columns more.
    """CREATE OR REPLACE VIEW break_glass.after_check WITH (security_invoker = true) AS
        SELECT one.*,
            coalesce((SELECT s.state FROM break_glass.step s WHERE s.about = one.id ORDER BY s.number DESC LIMIT 1),
                'open') AS state,
            coalesce((SELECT max(s.at) FROM break_glass.step s WHERE s.about = one.id AND s.state = 'reopened'),
                one.opened_at) AS since,
            again.opening,
            EXISTS (SELECT FROM break_glass.escalation e WHERE e.about = one.id AND e.opening = again.opening)
                AS escalated
        FROM (
            SELECT id, 'use' AS kind, municipality, unit, caseworker, requested_at AS opened_at FROM break_glass.request
            UNION ALL
            SELECT id, 'repeated', municipality, unit, caseworker, opened_at FROM break_glass.repeated
        ) one
        CROSS JOIN LATERAL (SELECT coalesce(max(s.number), 0) AS opening FROM break_glass.step s
            WHERE s.about = one.id AND s.state = 'reopened') again""",
)


def upgrade() -> None:
    """Make the table and its fences, and let the list tell."""
    connection = op.get_bind()
    for statement in STATEMENTS:
        connection.exec_driver_sql(statement)


def downgrade() -> None:
    """Refuse: going back would destroy the evidence of what nobody looked into in time."""
    raise NotImplementedError("what was escalated is never taken down by a migration")
