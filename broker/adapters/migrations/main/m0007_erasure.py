"""Erasure: who asked for it, who approved it, what holds it up; and a role that deletes what is on record as deleted.

The broker's own role may ask and approve, never delete; the eraser may delete, never ask or approve. That two persons
asked and approved, the table itself holds.
"""

from __future__ import annotations

from alembic import op

from audit.postgres import deletion_statements

revision = "main_0007"
down_revision = "main_0006"
branch_labels = None
depends_on = None

MINE = "current_setting('borgerbro.municipality', true)"
OWNED = "municipality text NOT NULL CHECK (municipality <> '')"
TABLES = ("request", "hold", "archived")
# What tells whether a citizen's keys may go, and which cases are theirs.
LOOKED_AT = ("consents.request", "consents.request_line", "consents.request_state", "consents.consent", "consents.line",
             "consents.line_state", "break_glass.request")  # fmt: skip

STATEMENTS = (
    *deletion_statements(),
    "SET ROLE borgerbro_log_owner",
    f"CREATE POLICY erased ON log.index FOR SELECT TO borgerbro_eraser USING (tenant = {MINE})",
    "RESET ROLE",
    "CREATE SCHEMA erasure",
    # citizen is a random handle; cases are handles too, set when the deletion is written, until their keys are gone.
    f"""CREATE TABLE erasure.request (
        id uuid PRIMARY KEY, {OWNED},
        citizen text NOT NULL CHECK (citizen <> ''), ground text NOT NULL CHECK (ground <> ''),
        requested_by text NOT NULL CHECK (requested_by <> ''), requested_at timestamptz NOT NULL,
        expires_at timestamptz NOT NULL,
        approved_by text CHECK (approved_by <> requested_by), approved_at timestamptz,
        written_at timestamptz, cases text[] NOT NULL DEFAULT '{{}}',
        CHECK ((approved_by IS NULL) = (approved_at IS NULL)), CHECK (written_at IS NULL OR approved_at IS NOT NULL)
    )""",
    # Of one citizen, or of everybody where it names none.
    f"""CREATE TABLE erasure.hold (
        id uuid PRIMARY KEY, {OWNED}, citizen text CHECK (citizen <> ''), ground text NOT NULL CHECK (ground <> ''),
        set_by text NOT NULL CHECK (set_by <> ''), set_at timestamptz NOT NULL,
        lifted_by text CHECK (lifted_by <> ''), lifted_at timestamptz,
        CHECK ((lifted_by IS NULL) = (lifted_at IS NULL))
    )""",
    f"""CREATE TABLE erasure.archived (
        {OWNED}, until_day integer NOT NULL CHECK (until_day > 0), receipt text NOT NULL CHECK (receipt <> ''),
        recorded_by text NOT NULL CHECK (recorded_by <> ''), recorded_at timestamptz NOT NULL,
        PRIMARY KEY (municipality, until_day)
    )""",
    "CREATE INDEX ON erasure.hold (municipality) WHERE lifted_at IS NULL",
    "GRANT USAGE ON SCHEMA erasure TO borgerbro_app, borgerbro_eraser",
    "GRANT SELECT ON ALL TABLES IN SCHEMA erasure TO borgerbro_app, borgerbro_eraser",
    """GRANT INSERT (id, municipality, citizen, ground, requested_by, requested_at, expires_at)
        ON erasure.request TO borgerbro_app""",
    "GRANT UPDATE (approved_by, approved_at) ON erasure.request TO borgerbro_app",
    "GRANT UPDATE (written_at, cases), DELETE ON erasure.request TO borgerbro_eraser",
    "GRANT INSERT (id, municipality, citizen, ground, set_by, set_at) ON erasure.hold TO borgerbro_app",
    "GRANT UPDATE (lifted_by, lifted_at) ON erasure.hold TO borgerbro_app",
    "GRANT INSERT ON erasure.archived TO borgerbro_app",
    "GRANT USAGE ON SCHEMA consents, break_glass TO borgerbro_eraser",
    *(f"GRANT SELECT ON {name} TO borgerbro_eraser" for name in LOOKED_AT),
    *(
        f"CREATE POLICY looked_at ON {name} FOR SELECT TO borgerbro_eraser USING (municipality = {MINE})"
        for name in LOOKED_AT
    ),
)


def _fences(table: str) -> list[str]:
    """List who may see and change rows of a table: a municipality's own, once they are not final."""
    name, mine = f"erasure.{table}", f"municipality = {MINE}"
    return [
        f"ALTER TABLE {name} ENABLE ROW LEVEL SECURITY",
        f"ALTER TABLE {name} FORCE ROW LEVEL SECURITY",
        f"CREATE POLICY mine ON {name} TO borgerbro_app, borgerbro_eraser USING ({mine}) WITH CHECK ({mine})",
    ]


def upgrade() -> None:
    """Make the role's rights, the tables and their fences."""
    connection = op.get_bind()
    for statement in (*STATEMENTS, *(fence for table in TABLES for fence in _fences(table))):
        connection.exec_driver_sql(statement)


def downgrade() -> None:
    """Refuse: going back would forget who approved what, and what holds it up."""
    raise NotImplementedError("what was erased, and on whose word, is never taken down by a migration")
