"""Samples of accesses: draws committed and carried out, the samples and their steps; added to, never changed."""

from __future__ import annotations

from alembic import op

revision = "main_0027"
down_revision = "main_0026"
branch_labels = None
depends_on = None

MINE = "current_setting('borgerbro.municipality', true)"
OVERSEEN = "string_to_array(current_setting('borgerbro.municipalities', true), ',')"
OWNED = "municipality text NOT NULL CHECK (municipality <> '')"

STATEMENTS = (
    "CREATE SCHEMA samples",
    # One draw a period: who could draw again until it suits them would choose.
    f"""CREATE TABLE samples.round (
        id uuid PRIMARY KEY, {OWNED}, log text NOT NULL, line bigint NOT NULL, seeded_at timestamptz NOT NULL,
        since bigint NOT NULL, until bigint NOT NULL CHECK (until > since),
        per_unit integer NOT NULL CHECK (per_unit > 0), commitment text NOT NULL, rules text NOT NULL,
        keeper text NOT NULL, sealed_seed bytea NOT NULL,
        UNIQUE (municipality, since), UNIQUE (id, municipality)
    )""",
    f"""CREATE TABLE samples.drawn (
        round uuid PRIMARY KEY, {OWNED}, at timestamptz NOT NULL, log text NOT NULL, line bigint NOT NULL,
        accesses jsonb NOT NULL, FOREIGN KEY (round, municipality) REFERENCES samples.round (id, municipality)
    )""",
    f"""CREATE TABLE samples.sample (
        id uuid PRIMARY KEY, round uuid NOT NULL, {OWNED}, unit text NOT NULL, log text NOT NULL, line bigint NOT NULL,
        at timestamptz NOT NULL, citizen text NOT NULL CHECK (citizen <> ''), actor text NOT NULL CHECK (actor <> ''),
        how text NOT NULL CHECK (how IN ('random', 'ranked')), signs text[] NOT NULL, explained text[] NOT NULL,
        opened_at timestamptz NOT NULL,
        UNIQUE (round, log, line), UNIQUE (id, municipality),
        FOREIGN KEY (round, municipality) REFERENCES samples.round (id, municipality)
    )""",
    "CREATE INDEX ON samples.sample (municipality, opened_at DESC, id)",
    f"""CREATE TABLE samples.step (
        sample uuid NOT NULL, number integer NOT NULL CHECK (number > 0), {OWNED},
        state text NOT NULL CHECK (state IN ('explained', 'closed', 'reopened')),
        by text NOT NULL CHECK (by <> ''), at timestamptz NOT NULL, sealed_text bytea NOT NULL,
        PRIMARY KEY (sample, number), FOREIGN KEY (sample, municipality) REFERENCES samples.sample (id, municipality)
    )""",
    """CREATE FUNCTION samples.refuse_change() RETURNS trigger LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp AS $$
    BEGIN
        RAISE EXCEPTION 'what was drawn, and what was said of it, is not changed';
    END $$""",
    "REVOKE ALL ON FUNCTION samples.refuse_change FROM PUBLIC",
    "GRANT USAGE ON SCHEMA samples TO borgerbro_app",
    "GRANT SELECT, INSERT ON ALL TABLES IN SCHEMA samples TO borgerbro_app",
)


def _fences(table: str) -> list[str]:
    """List who may see and add rows of a table, and what keeps them as they are."""
    name, refuse = f"samples.{table}", "EXECUTE FUNCTION samples.refuse_change()"
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
    fences = [fence for table in ("round", "drawn", "sample", "step") for fence in _fences(table)]
    for statement in (*STATEMENTS, *fences):
        connection.exec_driver_sql(statement)


def downgrade() -> None:
    """Refuse: going back would destroy the evidence that somebody looked."""
    raise NotImplementedError("what was drawn is never taken down by a migration")
