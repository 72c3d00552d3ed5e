"""Searches of the log that an overseer keeps for themself, in a municipality: sealed, and nobody else's to see."""

from __future__ import annotations

from alembic import op

revision = "main_0040"
down_revision = "main_0039"
branch_labels = None
depends_on = None

OVERSEEN = "string_to_array(current_setting('borgerbro.municipalities', true), ',')"
MINE = "current_setting('borgerbro.municipality', true)"

STATEMENTS = (
    "CREATE SCHEMA searches",
    """CREATE TABLE searches.saved (
        id uuid PRIMARY KEY, municipality text NOT NULL CHECK (municipality <> ''),
        officer text NOT NULL CHECK (officer <> ''), at timestamptz NOT NULL, sealed bytea NOT NULL
    )""",
    "CREATE INDEX ON searches.saved (municipality, officer)",
    "ALTER TABLE searches.saved ENABLE ROW LEVEL SECURITY",
    "ALTER TABLE searches.saved FORCE ROW LEVEL SECURITY",
    f"""CREATE POLICY seen ON searches.saved FOR SELECT TO borgerbro_app
        USING (municipality = ANY ({OVERSEEN}) OR municipality = {MINE})""",
    f"CREATE POLICY added ON searches.saved FOR INSERT TO borgerbro_app WITH CHECK (municipality = {MINE})",
    f"CREATE POLICY removed ON searches.saved FOR DELETE TO borgerbro_app USING (municipality = {MINE})",
    "GRANT USAGE ON SCHEMA searches TO borgerbro_app",
    "GRANT SELECT, INSERT, DELETE ON searches.saved TO borgerbro_app",
)


def upgrade() -> None:
    """Make the table and its fences."""
    connection = op.get_bind()
    for statement in STATEMENTS:
        connection.exec_driver_sql(statement)


def downgrade() -> None:
    """Refuse, as every migration does."""
    raise NotImplementedError("migrations go one way")
