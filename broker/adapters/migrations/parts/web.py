"""The first shape of the web's own tables: what was used once, how much was asked, who is logged in.

They hold hashes and sealed bytes and no citizen that could be read, so they belong to no municipality and have no
row-level security. Unlogged tables are empty after a crash; who reads them knows that.
"""

from __future__ import annotations

from typing import Any

STATEMENTS = (
    "CREATE SCHEMA web",
    """CREATE UNLOGGED TABLE web.replay (
        key bytea PRIMARY KEY, keep_until timestamptz NOT NULL
    )""",
    "CREATE INDEX replay_by_end ON web.replay (keep_until)",
    """CREATE UNLOGGED TABLE web.replay_since (
        one boolean PRIMARY KEY CHECK (one), since timestamptz NOT NULL
    )""",
    # Nothing was ever used before the table was there, so the memory is whole from the beginning.
    "INSERT INTO web.replay_since VALUES (true, 'epoch')",
    # Rows that change with every ask: room on the page lets PostgreSQL change them in place.
    """CREATE UNLOGGED TABLE web.ceiling (
        name bytea PRIMARY KEY, ends_at timestamptz NOT NULL, asks integer NOT NULL
    ) WITH (fillfactor = 50)""",
    """CREATE TABLE web.session (
        key bytea PRIMARY KEY, sealed bytea NOT NULL, owner bytea NOT NULL,
        idle_at timestamptz NOT NULL, ends_at timestamptz NOT NULL
    )""",
    "CREATE INDEX session_by_owner ON web.session (owner)",
    "GRANT USAGE ON SCHEMA web TO borgerbro_app",
    "GRANT SELECT, INSERT, DELETE ON web.replay TO borgerbro_app",
    "GRANT SELECT, INSERT ON web.replay_since TO borgerbro_app",
    "GRANT SELECT, INSERT, UPDATE, DELETE ON web.ceiling, web.session TO borgerbro_app",
)


def upgrade(op: Any) -> None:
    """Create the tables; `op` is Alembic's."""
    connection = op.get_bind()
    for statement in STATEMENTS:
        connection.exec_driver_sql(statement)
