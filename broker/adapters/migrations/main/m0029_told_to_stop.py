"""What went out on which yes, and that a unit's system has received that a yes holds no more.

What goes out is written in the transaction of its outcome; it goes with its citizen's erasure, as the letters do. That
a stop was received is history like the yes itself. Both keep from a citizen what the law keeps back: the log's
functions know the new kind of entry, and are taken from the files in `audit/sql`, which a new house is laid from.
"""

from __future__ import annotations

from alembic import op

from audit.postgres import schema_statements

revision = "main_0029"
down_revision = "main_0028"
branch_labels = None
depends_on = None

MINE = "current_setting('borgerbro.municipality', true)"
REFUSE = "EXECUTE FUNCTION consents.refuse_change()"
MADE_ANEW = ("FUNCTION log.kept_back(", "FUNCTION log.kept_under(", "FUNCTION log.shown_from(")

TABLES = (
    """CREATE TABLE consents.handed_out (
        line uuid PRIMARY KEY REFERENCES consents.line, municipality text NOT NULL CHECK (municipality <> ''),
        unit text NOT NULL CHECK (unit <> ''), consent uuid NOT NULL REFERENCES consents.consent,
        at timestamptz NOT NULL
    )""",
    """CREATE TABLE consents.stop_received (
        consent uuid NOT NULL REFERENCES consents.consent, step integer NOT NULL CHECK (step >= 0),
        municipality text NOT NULL CHECK (municipality <> ''), at timestamptz NOT NULL,
        by text NOT NULL CHECK (by <> ''), PRIMARY KEY (consent, step)
    )""",
    "CREATE INDEX ON consents.handed_out (municipality, unit)",
    "CREATE INDEX ON consents.handed_out (consent)",
    "GRANT SELECT, INSERT ON consents.handed_out, consents.stop_received TO borgerbro_app",
    # The eraser deletes what went out about a citizen, and reads no more of it than on which line.
    "GRANT SELECT (line, municipality), DELETE ON consents.handed_out TO borgerbro_eraser",
    f"""CREATE POLICY erased ON consents.handed_out TO borgerbro_eraser
        USING (municipality = {MINE}) WITH CHECK (false)""",
    f"CREATE TRIGGER kept BEFORE UPDATE ON consents.handed_out FOR EACH ROW {REFUSE}",
    f"CREATE TRIGGER kept BEFORE UPDATE OR DELETE ON consents.stop_received FOR EACH ROW {REFUSE}",
)


def _fences(table: str, of: str, named: str) -> tuple[str, ...]:
    """Let whoever sees the yes see what became of it, and its municipality alone add to it."""
    name = f"consents.{table}"
    return (
        f"ALTER TABLE {name} ENABLE ROW LEVEL SECURITY",
        f"ALTER TABLE {name} FORCE ROW LEVEL SECURITY",
        f"""CREATE POLICY seen ON {name} FOR SELECT TO borgerbro_app
            USING (EXISTS (SELECT FROM consents.{of} o WHERE o.id = {table}.{named}))""",  # noqa: S608 - our own words
        f"CREATE POLICY added ON {name} FOR INSERT TO borgerbro_app WITH CHECK (municipality = {MINE})",
        f"CREATE TRIGGER kept_whole BEFORE TRUNCATE ON {name} FOR EACH STATEMENT {REFUSE}",
    )


def upgrade() -> None:
    """Make the tables and their fences, and the log's functions anew."""
    connection = op.get_bind()
    anew = schema_statements(script="deferral.sql")
    made = [one for one in anew if any(name in one for name in MADE_ANEW)]
    fences = (*_fences("handed_out", "line", "line"), *_fences("stop_received", "consent", "consent"))
    for statement in (*TABLES, *fences, "SET ROLE borgerbro_log_owner", *made, "RESET ROLE"):
        connection.exec_driver_sql(statement)


def downgrade() -> None:
    """Refuse: going back would forget who was told."""
    raise NotImplementedError("who was told is never taken down by a migration")
