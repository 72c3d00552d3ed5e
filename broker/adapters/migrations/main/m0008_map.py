"""The map of each log, from which a citizen can see that nothing is missing (`audit/sql/map.sql`)."""

from __future__ import annotations

from alembic import op

from audit.postgres import schema_statements

revision = "main_0008"
down_revision = "main_0007"
branch_labels = None
depends_on = None

HASHES_ALONE, KEYS = ("map", "map_tile"), ("map_entry", "map_leaf")
READERS = "borgerbro_checkpointer, borgerbro_reader"
FENCES = (
    "SET ROLE borgerbro_log_owner",
    *(f"ALTER TABLE log.{name} ENABLE ROW LEVEL SECURITY" for name in (*HASHES_ALONE, *KEYS)),
    *(f"CREATE POLICY anyone ON log.{name} FOR SELECT USING (true)" for name in HASHES_ALONE),
    *(f"CREATE POLICY whole ON log.{name} FOR SELECT TO {READERS} USING (true)" for name in KEYS),
    *(f"GRANT SELECT ON log.{name} TO borgerbro_reader" for name in (*HASHES_ALONE, *KEYS)),
    "GRANT EXECUTE ON FUNCTION log.kept_under, log.map_entries, log.map_bucket TO borgerbro_reader",
    "RESET ROLE",
)


def upgrade() -> None:
    """Make the map's tables and functions."""
    connection = op.get_bind()
    for statement in (*schema_statements(script="map.sql"), *FENCES):
        connection.exec_driver_sql(statement)


def downgrade() -> None:
    """Refuse: going back would destroy what completeness is proved by."""
    raise NotImplementedError("the map is never taken down by a migration")
