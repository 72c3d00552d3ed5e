"""Letters to the citizens whom a breach touches: prepared, let go by a second person, and read by their citizen."""

from __future__ import annotations

from alembic import op

revision = "main_0039"
down_revision = "main_0038"
branch_labels = None
depends_on = None

MINE = "current_setting('borgerbro.municipality', true)"
OVERSEEN = "string_to_array(current_setting('borgerbro.municipalities', true), ',')"
CITIZEN = "current_setting('borgerbro.citizen', true)"
HOME = f"municipality = ANY ({OVERSEEN}) OR municipality = {MINE}"
OWNED = "municipality text NOT NULL CHECK (municipality <> '')"
NAMED = "by text NOT NULL CHECK (by <> ''), at timestamptz NOT NULL"

STATEMENTS = (
    f"""CREATE TABLE breaches.batch (
        id uuid PRIMARY KEY, breach uuid NOT NULL, {OWNED}, nature text NOT NULL CHECK (nature <> ''),
        advice text NOT NULL CHECK (advice <> ''), {NAMED}, UNIQUE (id, breach, municipality),
        FOREIGN KEY (breach, municipality) REFERENCES breaches.breach (id, municipality)
    )""",
    f"""CREATE TABLE breaches.letter (
        id uuid PRIMARY KEY, batch uuid NOT NULL, breach uuid NOT NULL, {OWNED},
        citizen text NOT NULL CHECK (citizen <> ''), UNIQUE (breach, citizen), UNIQUE (id, municipality),
        FOREIGN KEY (batch, breach, municipality) REFERENCES breaches.batch (id, breach, municipality)
    )""",
    "CREATE INDEX ON breaches.letter (batch)",
    "CREATE INDEX ON breaches.letter (citizen)",
    f"CREATE TABLE breaches.release (batch uuid PRIMARY KEY REFERENCES breaches.batch, {OWNED}, {NAMED})",
    f"""CREATE TABLE breaches.waiting_number (
        letter uuid PRIMARY KEY, {OWNED}, sealed_number bytea NOT NULL,
        FOREIGN KEY (letter, municipality) REFERENCES breaches.letter (id, municipality)
    )""",
    "GRANT SELECT, INSERT ON breaches.batch, breaches.letter, breaches.release TO borgerbro_app",
    "GRANT SELECT, INSERT, DELETE ON breaches.waiting_number TO borgerbro_app",
    "ALTER TABLE breaches.waiting_number ENABLE ROW LEVEL SECURITY",
    "ALTER TABLE breaches.waiting_number FORCE ROW LEVEL SECURITY",
    f"""CREATE POLICY mine ON breaches.waiting_number TO borgerbro_app
        USING (municipality = {MINE}) WITH CHECK (municipality = {MINE})""",
    # A citizen sees a letter to them once it was let go, and of which breach, with none of its words.
    f"""CREATE POLICY told ON breaches.breach FOR SELECT TO borgerbro_app USING (EXISTS (
        SELECT FROM breaches.letter l WHERE l.breach = breach.id AND l.citizen = {CITIZEN}))""",  # noqa: S608 - our own
    # A letter of a breach goes at once, in Digital Post, however often somebody wants to be told of all else.
    """CREATE OR REPLACE VIEW notices.ready WITH (security_invoker = true) AS
        SELECT w.id, w.municipality, w.recipient, w.cause, w.given_up_at,
            to_timestamp(log.shown_from(w.recipient, w.unit, w.cause,
                floor(extract(epoch FROM w.made_at))::bigint)) AS shown,
            w.cause NOT IN ('notices.chosen', 'breach.told') AND coalesce((
                SELECT c.weekly FROM notices.choice c
                WHERE c.municipality = w.municipality AND c.citizen = w.recipient), false) AS weekly
        FROM notices.waiting w""",
)


def _fences(table: str, also: str) -> list[str]:
    """List who may see and add rows of a table, and what keeps them as they are."""
    name, refuse = f"breaches.{table}", "EXECUTE FUNCTION breaches.refuse_change()"
    return [
        f"ALTER TABLE {name} ENABLE ROW LEVEL SECURITY",
        f"ALTER TABLE {name} FORCE ROW LEVEL SECURITY",
        f"CREATE POLICY seen ON {name} FOR SELECT TO borgerbro_app USING ({HOME} OR {also})",
        f"CREATE POLICY added ON {name} FOR INSERT TO borgerbro_app WITH CHECK (municipality = {MINE})",
        f"CREATE TRIGGER kept BEFORE UPDATE OR DELETE ON {name} FOR EACH ROW {refuse}",
        f"CREATE TRIGGER kept_whole BEFORE TRUNCATE ON {name} FOR EACH STATEMENT {refuse}",
    ]


def upgrade() -> None:
    """Make the tables and their fences; what a batch says and that it was let go names nobody."""
    connection = op.get_bind()
    anybody = f"{CITIZEN} <> ''"
    released = "EXISTS (SELECT FROM breaches.release r WHERE r.batch = letter.batch)"
    fences = (
        *_fences("batch", anybody),
        *_fences("release", anybody),
        *_fences("letter", f"(citizen = {CITIZEN} AND {released})"),
    )
    for statement in (*STATEMENTS, *fences):
        connection.exec_driver_sql(statement)


def downgrade() -> None:
    """Refuse: going back would forget who was told of a breach."""
    raise NotImplementedError("who was told of a breach is never taken down by a migration")
