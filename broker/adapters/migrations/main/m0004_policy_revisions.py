"""The revisions of rules and tables that decisions rest on: added to, never changed."""

from __future__ import annotations

from alembic import op

revision = "main_0004"
down_revision = "main_0003"
branch_labels = None
depends_on = None

STATEMENTS = (
    "CREATE SCHEMA policy",
    """CREATE TABLE policy.revisions (
        revision text PRIMARY KEY,
        content bytea NOT NULL,
        first_seen timestamptz NOT NULL DEFAULT now(),
        CONSTRAINT named_by_its_hash CHECK (revision = 'sha256:' || encode(sha256(content), 'hex'))
    )""",
    """CREATE FUNCTION policy.refuse_change() RETURNS trigger LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp AS $$
    BEGIN
        RAISE EXCEPTION 'a revision on record is not changed';
    END $$""",
    """CREATE TRIGGER kept BEFORE UPDATE OR DELETE ON policy.revisions
        FOR EACH ROW EXECUTE FUNCTION policy.refuse_change()""",
    """CREATE TRIGGER kept_whole BEFORE TRUNCATE ON policy.revisions
        FOR EACH STATEMENT EXECUTE FUNCTION policy.refuse_change()""",
    "REVOKE ALL ON FUNCTION policy.refuse_change FROM PUBLIC",
    "GRANT USAGE ON SCHEMA policy TO borgerbro_app, borgerbro_reader",
    "GRANT SELECT ON policy.revisions TO borgerbro_app, borgerbro_reader",
    "GRANT INSERT (revision, content) ON policy.revisions TO borgerbro_app",
)


def upgrade() -> None:
    """Make the table and its fences."""
    connection = op.get_bind()
    for statement in STATEMENTS:
        connection.exec_driver_sql(statement)


def downgrade() -> None:
    """Refuse: without the revisions no decision on record could be replayed."""
    raise NotImplementedError("the revisions that decisions rest on are never taken down by a migration")
