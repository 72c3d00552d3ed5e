"""`python -m audit export` and `prove`: a log as files for others' tools, and the proof of one entry."""

import argparse
import asyncio
import sys
from pathlib import Path
from typing import Any

import asyncpg

from audit.command import FROM_FILE, PLACE, ProgressBar, database_address, print_json, source_of
from audit.export import copy_log, export_log
from audit.proof import Proof
from audit.prove import prove, prove_from


def add_to(commands: Any) -> None:
    """Add the commands to `python -m audit`."""
    export = commands.add_parser("export", help="write a log as tiles, entry bundles and checkpoint")
    where = export.add_mutually_exclusive_group(required=True)
    where.add_argument("--database", metavar=PLACE, type=database_address, help=f"PostgreSQL; {FROM_FILE}")
    where.add_argument("--url", help="a log that is served over HTTP; nothing of it is checked on the way")
    export.add_argument("--origin", help="the log; needed with --database")
    export.add_argument("folder", metavar="DIR", type=Path)
    export.add_argument("--json", action="store_true")
    export.set_defaults(run=_export)
    prove_one = commands.add_parser("prove", help="print a tlog-proof of one entry under the last checkpoint")
    source = prove_one.add_mutually_exclusive_group(required=True)
    source.add_argument("--database", metavar=PLACE, type=database_address, help=f"PostgreSQL; {FROM_FILE}")
    source.add_argument("--url", help="a log that is served over HTTP")
    source.add_argument("--export", metavar="DIR", type=Path, help="a folder of tiles as served or exported")
    prove_one.add_argument("--origin", help="the log; needed with --database")
    prove_one.add_argument("--json", action="store_true")
    prove_one.add_argument("index", metavar="INDEX", type=int)
    prove_one.set_defaults(run=_prove)


def _export(given: argparse.Namespace) -> int:
    if given.url:
        with source_of(given) as source, ProgressBar() as bar:
            origin, size = copy_log(source, given.folder, bar.show)
    else:
        origin, size = given.origin, asyncio.run(_export_from_database(given))
    if given.json:
        print_json({"origin": origin, "size": size, "folder": str(given.folder)})
    else:
        sys.stdout.write(f"{origin}: {size} entries written to {given.folder}\n")
    return 0


async def _export_from_database(given: argparse.Namespace) -> int:
    connection = await asyncpg.connect(given.database)
    try:
        return await export_log(connection, given.origin or "", given.folder)
    finally:
        await connection.close()


def _prove(given: argparse.Namespace) -> int:
    if given.database:
        proof = asyncio.run(_prove_in_database(given))
    else:
        with source_of(given) as source:
            proof = prove_from(source, given.index)
    if given.json:
        print_json({"index": proof.index, "proof": proof.to_text()})
    else:
        sys.stdout.write(proof.to_text())
    return 0


async def _prove_in_database(given: argparse.Namespace) -> Proof:
    connection = await asyncpg.connect(given.database)
    try:
        return await prove(connection, given.origin or "", given.index)
    finally:
        await connection.close()
