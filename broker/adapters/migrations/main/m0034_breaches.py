"""Breach files and what is written into them; added to, never changed (GDPR art. 33, stk. 5)."""

from __future__ import annotations

from alembic import op

revision = "main_0034"
down_revision = "main_0033"
branch_labels = None
depends_on = None

MINE = "current_setting('borgerbro.municipality', true)"
OVERSEEN = "string_to_array(current_setting('borgerbro.municipalities', true), ',')"
OWNED = "municipality text NOT NULL CHECK (municipality <> '')"

STATEMENTS = (
    "CREATE SCHEMA breaches",
    f"""CREATE TABLE breaches.breach (
        id uuid PRIMARY KEY, {OWNED}, keeper text NOT NULL CHECK (keeper <> ''), known_at timestamptz NOT NULL,
        opened_at timestamptz NOT NULL, UNIQUE (id, municipality), CHECK (known_at <= opened_at)
    )""",
    "CREATE INDEX ON breaches.breach (municipality, known_at DESC, id DESC)",
    f"""CREATE TABLE breaches.note (
        breach uuid NOT NULL, number integer NOT NULL CHECK (number > 0), {OWNED},
        kind text NOT NULL CHECK (kind <> ''), by text NOT NULL CHECK (by <> ''), at timestamptz NOT NULL,
        sealed_text bytea, more jsonb NOT NULL,
        PRIMARY KEY (breach, number), FOREIGN KEY (breach, municipality) REFERENCES breaches.breach (id, municipality)
    )""",
    """CREATE FUNCTION breaches.refuse_change() RETURNS trigger LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp AS $$
    BEGIN
        RAISE EXCEPTION 'what was written of a breach is not changed';
    END $$""",
    "REVOKE ALL ON FUNCTION breaches.refuse_change FROM PUBLIC",
    "GRANT USAGE ON SCHEMA breaches TO borgerbro_app",
    "GRANT SELECT, INSERT ON ALL TABLES IN SCHEMA breaches TO borgerbro_app",
)


def _fences(table: str) -> list[str]:
    """List who may see and add rows of a table, and what keeps them as they are."""
    name, refuse = f"breaches.{table}", "EXECUTE FUNCTION breaches.refuse_change()"
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
    """Make the tables and their fences: a municipality adds to its own, an overseer reads those of theirs."""
    connection = op.get_bind()
    for statement in (*STATEMENTS, *_fences("breach"), *_fences("note")):
        connection.exec_driver_sql(statement)


def downgrade() -> None:
    """Refuse: going back would destroy the register of breaches."""
    raise NotImplementedError("the register of breaches is never taken down by a migration")
