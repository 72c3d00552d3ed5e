"""What an overseer finds in the log at once, however long it is: by employee, by case, and by what kind of entry it is.

A log of millions of entries has some thousand shapes: kind, unit, purpose, outcome, basis, reasons, sources, emergency
together. A search reads each shape once and goes on with those that fit, each in the order of its entries; so any
combination of them costs the same, and nothing but an index has to be kept for it while the log is written.
"""

from __future__ import annotations

from alembic import op

revision = "main_0037"
down_revision = "main_0036"
branch_labels = None
depends_on = None

SHAPED_BY = ("kind", "unit", "purpose", "outcome", "basis", "reasons", "sources", "emergency")
# Shapes are told apart by a hash that nobody makes collide, so that no shape ever hides another.
_WRITTEN = " || '|' || ".join(f"coalesce(fields ->> '{name}', '')" for name in SHAPED_BY)
SHAPE = f"substr(sha256(decode(replace({_WRITTEN}, '\\', '\\\\'), 'escape')), 1, 16)"
PLACE = "at DESC, log_id DESC, idx DESC"

STATEMENTS = (
    "SET ROLE borgerbro_log_owner",
    f"""ALTER TABLE log.index
        ADD COLUMN shape bytea GENERATED ALWAYS AS ({SHAPE}) STORED,
        ADD COLUMN case_handle text GENERATED ALWAYS AS (fields ->> 'case') STORED""",
    f"CREATE INDEX index_of_shape ON log.index (tenant, shape, {PLACE})",
    f"CREATE INDEX index_of_actor ON log.index (tenant, actor, {PLACE})",
    f"CREATE INDEX index_of_case ON log.index (tenant, case_handle, {PLACE}) WHERE case_handle IS NOT NULL",
    "RESET ROLE",
)


def upgrade() -> None:
    """Add the columns, which writes the table anew, and their indexes."""
    connection = op.get_bind()
    for statement in STATEMENTS:
        connection.exec_driver_sql(statement)


def downgrade() -> None:
    """Refuse: what is on the log is never touched to go back."""
    raise NotImplementedError("the log's tables are never taken back by a migration")
