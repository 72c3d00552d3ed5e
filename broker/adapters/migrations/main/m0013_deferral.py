"""Entries that the law keeps back from their own citizen for a time: two persons, a ground, an end (`deferral.sql`).

Whether a row is kept back at a moment is told by row-level security, so that no page can forget it.
"""

from __future__ import annotations

from alembic import op

from audit.postgres import schema_statements

revision = "main_0013"
down_revision = "main_0012"
branch_labels = None
depends_on = None

MINE = "current_setting('borgerbro.municipality', true)"
OVERSEEN = "string_to_array(current_setting('borgerbro.municipalities', true), ',')"
CITIZEN = "current_setting('borgerbro.citizen', true)"
# All but the secret.
SHOWN = "id, tenant, citizen, unit, ground, asked_by, asked_at, until_at, approved_by, from_at, ended_by, ended_at"
SEEN = (
    "SET ROLE borgerbro_log_owner",
    # Hashes of the tree are for anyone, and under row-level security like every table of the log.
    "ALTER TABLE log.node ENABLE ROW LEVEL SECURITY",
    "CREATE POLICY anyone ON log.node FOR SELECT USING (true)",
    f"CREATE POLICY seen ON log.deferral FOR SELECT USING (tenant = {MINE} OR tenant = ANY ({OVERSEEN}))",
    f"GRANT SELECT ({SHOWN}) ON log.deferral TO borgerbro_app",
    f"""ALTER POLICY seen ON log.index USING (
        tenant = {MINE} OR tenant = ANY ({OVERSEEN})
        OR (citizen = {CITIZEN} AND NOT log.kept_back(citizen, unit, kind, at)))""",
    "RESET ROLE",
)


def upgrade() -> None:
    """Make the table, its functions, and the policy that keeps rows back."""
    connection = op.get_bind()
    for statement in (*schema_statements(script="deferral.sql"), *SEEN):
        connection.exec_driver_sql(statement)


def downgrade() -> None:
    """Refuse: going back would show what the law keeps back."""
    raise NotImplementedError("what the law keeps back is never shown by a migration")
