"""The social centre: a PostgreSQL cluster of its own; others read one view a category, and nothing else.

The address of the database, password included, is written to a file that only its owner reads.
"""

from __future__ import annotations

import asyncio
import json
import os
import re
import secrets
import sys
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import asyncpg

from demo.postgres import PostgresUnavailable, PrivatePostgres
from demo.systems.control import Control, control_routes
from demo.systems.postgres_gate import gate
from demo.systems.process import application, bound, fault, optional_socket, serve, system_arguments
from demo.systems.records import Records, RecordsUnusableError, read_json

DATABASE = "socialcenter"
READER = "udveksling_laeser"
SCHEMA = Path(__file__).with_name("social_schema.sql")
# In an order in which each list refers to earlier ones alone.
TABLES = ("borgere", "sager", "indsatser", "besoegstider", "planer", "planmaal", "udredninger",
          "foelsomme_oplysninger", "laegeerklaeringer", "ophold")  # fmt: skip


def category_of(view: str) -> str | None:
    """Give the category that a view is named for: `s01_indsatser` tells S01."""
    match = re.match(r"[a-z]\d\d(?=_)", view)
    return match[0].upper() if match else None


async def prepare(server: PrivatePostgres, password: str) -> None:
    """Make the database anew: schema, views, and the one role that may read the views."""
    administrator = await asyncpg.connect(server.dsn())
    try:
        await administrator.execute(f"DROP DATABASE IF EXISTS {DATABASE} WITH (FORCE)")
        await administrator.execute(f"DROP ROLE IF EXISTS {READER}")
        # The password is made of letters, digits, - and _ alone, so it needs no quoting.
        await administrator.execute(f"CREATE ROLE {READER} LOGIN PASSWORD '{password}'")
        await administrator.execute(f"ALTER ROLE {READER} SET default_transaction_read_only = on")
        await administrator.execute(f"CREATE DATABASE {DATABASE}")
        await administrator.execute(f"REVOKE ALL ON DATABASE {DATABASE} FROM PUBLIC")
        await administrator.execute(f"GRANT CONNECT ON DATABASE {DATABASE} TO {READER}")
    finally:
        await administrator.close()
    connection = await asyncpg.connect(server.dsn(DATABASE))
    try:
        await connection.execute(SCHEMA.read_text("utf-8"))
    finally:
        await connection.close()


async def load(dsn: str, records: Records) -> None:
    """Put the records in place of all that is there. Raises `RecordsUnusableError` and keeps the old ones."""
    connection = await asyncpg.connect(dsn)
    try:
        columns = await _columns(connection)
        async with connection.transaction():
            await connection.execute(f"TRUNCATE {', '.join(f'intern.{table}' for table in TABLES)}")
            for table in TABLES:
                await _fill(connection, table, records.rows(table), columns[table])
    finally:
        await connection.close()


async def _columns(connection: Any) -> dict[str, set[str]]:
    rows = await connection.fetch(
        "SELECT table_name, array_agg(column_name::text) AS names FROM information_schema.columns"
        " WHERE table_schema = 'intern' GROUP BY table_name"
    )
    return {row["table_name"]: set(row["names"]) for row in rows}


async def _fill(connection: Any, table: str, rows: list[dict[str, Any]], columns: set[str]) -> None:
    unknown = sorted({name for row in rows for name in row} - columns)
    if unknown:
        raise RecordsUnusableError(f"`{table}` has no {', '.join(unknown)}")
    # Table names are our own constants; the records go as one bound value.
    statement = f"INSERT INTO intern.{table} SELECT * FROM jsonb_populate_recordset(NULL::intern.{table}, $1::jsonb)"  # noqa: S608
    try:
        await connection.execute(statement, json.dumps(rows))
    except (asyncpg.IntegrityConstraintViolationError, asyncpg.DataError) as error:
        # The database's own words may hold a CPR number; its code and column do not.
        raise RecordsUnusableError(
            f"`{table}` does not fit: {type(error).__name__} {error.column_name or ''}"
        ) from None


def write_secret(path: Path, text: str) -> None:
    """Write a file that only its owner can read."""
    path.unlink(missing_ok=True)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as sink:
        sink.write(text)


async def run(server: PrivatePostgres, raw: Any, port: int, control_port: int | None) -> None:
    """Serve the database through the gate until told to end."""
    records, control = Records(raw, TABLES), Control()
    password = secrets.token_urlsafe(24)
    await prepare(server, password)
    own = server.dsn(DATABASE)
    await load(own, records)

    async def put(new: Any) -> None:
        await load(own, Records(new, TABLES))

    async def put_back() -> None:
        await load(own, records)

    listener, control_socket = bound(port), optional_socket(control_port)
    await asyncio.start_server(gate(control, server.port, category_of), sock=listener)  # type: ignore[arg-type]  # Typed as object.
    file = server.folder / "udveksling.dsn"
    address = f"127.0.0.1:{listener.getsockname()[1]}"
    write_secret(file, urlsplit(own)._replace(netloc=f"{READER}:{password}@{address}").geturl() + "\n")
    routes = application(control_routes(control, put, put_back))
    await serve({control_socket: routes} if control_socket else {}, f"ready {file}", control_socket)


def main() -> None:
    """Start the cluster, load the records, say ready, and end with the parent."""
    parser = system_arguments("An invented social centre (PostgreSQL).")
    parser.add_argument("--folder", type=Path, required=True, help="where the cluster lives")
    arguments = parser.parse_args()
    try:
        raw = read_json(arguments.records)
        with PrivatePostgres(arguments.folder) as server:
            asyncio.run(run(server, raw, arguments.port, arguments.control))
    except (RecordsUnusableError, PostgresUnavailable) as error:
        sys.exit(fault(str(error)))


if __name__ == "__main__":
    main()
