"""Citizens' questions about lines of the log, and the answers, under row-level security; added to, never changed."""

from __future__ import annotations

from alembic import op

revision = "main_0019"
down_revision = "main_0018"
branch_labels = None
depends_on = None

MINE = "current_setting('borgerbro.municipality', true)"
OVERSEEN = "string_to_array(current_setting('borgerbro.municipalities', true), ',')"
CITIZEN = "current_setting('borgerbro.citizen', true)"
OWNED = "municipality text NOT NULL CHECK (municipality <> ''), citizen text NOT NULL CHECK (citizen <> '')"

STATEMENTS = (
    "CREATE SCHEMA inquiries",
    # `number` counts those before it about the same line; so one may ask again, but not twice at once.
    f"""CREATE TABLE inquiries.inquiry (
        id uuid PRIMARY KEY, {OWNED}, log text NOT NULL, line bigint NOT NULL, number integer NOT NULL,
        sealed_text bytea NOT NULL, sent_at timestamptz NOT NULL,
        UNIQUE (citizen, log, line, number), UNIQUE (id, municipality, citizen)
    )""",
    "CREATE INDEX ON inquiries.inquiry (municipality, sent_at)",
    f"""CREATE TABLE inquiries.step (
        inquiry uuid NOT NULL, {OWNED}, state text NOT NULL CHECK (state IN ('read', 'answered')),
        by text NOT NULL CHECK (by <> ''), at timestamptz NOT NULL, sealed_text bytea,
        PRIMARY KEY (inquiry, state),
        FOREIGN KEY (inquiry, municipality, citizen) REFERENCES inquiries.inquiry (id, municipality, citizen),
        CHECK ((sealed_text IS NOT NULL) = (state = 'answered'))
    )""",
    """CREATE FUNCTION inquiries.refuse_change() RETURNS trigger LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp AS $$
    BEGIN
        RAISE EXCEPTION 'what a citizen asked, and what was answered, is not changed';
    END $$""",
    "REVOKE ALL ON FUNCTION inquiries.refuse_change FROM PUBLIC",
    "GRANT USAGE ON SCHEMA inquiries TO borgerbro_app",
    "GRANT SELECT, INSERT ON ALL TABLES IN SCHEMA inquiries TO borgerbro_app",
)


def _fences(table: str, may_add: str) -> list[str]:
    """List who may see and add rows of a table, and what keeps them as they are."""
    name, refuse = f"inquiries.{table}", "EXECUTE FUNCTION inquiries.refuse_change()"
    seen = f"municipality = ANY ({OVERSEEN}) OR municipality = {MINE} OR citizen = {CITIZEN}"
    return [
        f"ALTER TABLE {name} ENABLE ROW LEVEL SECURITY",
        f"ALTER TABLE {name} FORCE ROW LEVEL SECURITY",
        f"CREATE POLICY seen ON {name} FOR SELECT TO borgerbro_app USING ({seen})",
        f"CREATE POLICY added ON {name} FOR INSERT TO borgerbro_app WITH CHECK ({may_add})",
        f"CREATE TRIGGER kept BEFORE UPDATE OR DELETE ON {name} FOR EACH ROW {refuse}",
        f"CREATE TRIGGER kept_whole BEFORE TRUNCATE ON {name} FOR EACH STATEMENT {refuse}",
    ]


def upgrade() -> None:
    """Make the tables and their fences: a citizen asks as themself, a municipality answers as itself."""
    connection = op.get_bind()
    fences = [*_fences("inquiry", f"citizen = {CITIZEN}"), *_fences("step", f"municipality = {MINE}")]
    for statement in (*STATEMENTS, *fences):
        connection.exec_driver_sql(statement)


def downgrade() -> None:
    """Refuse: going back would destroy what citizens asked."""
    raise NotImplementedError("what citizens asked is never taken down by a migration")
