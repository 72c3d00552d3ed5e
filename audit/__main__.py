"""`python -m audit`: verify, export and prove, for auditors, citizens and journalists; witness, for neighbours.

Exit codes: 0 all is well, 1 something is wrong with a log or a proof, 2 the check could not be done.
"""

import argparse
import asyncio
import json
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, Self

import asyncpg

from audit import export, keys_command, witness_command
from audit.bundle_command import check_bundle
from audit.entry import Leaf
from audit.errors import LogError, NotVerified, TreeMismatch
from audit.note import VerifyKey
from audit.proof import Proof
from audit.prove import prove
from audit.verify import Report
from audit.verify_map import verify_maps
from audit.verify_postgres import stray_rows, verify_logs

SECONDS_BEFORE_PROGRESS = 1.0

PLACE = "DSN|@FILE"
FROM_FILE = "@FILE reads the address from a file, so that its password does not show among the machine's processes"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and give its exit code."""
    given = _parser().parse_args(arguments)
    try:
        code: int = given.run(given)
    except (LogError, OSError, UnicodeError, asyncpg.PostgresError, asyncpg.InterfaceError, ValueError) as error:
        sys.stderr.write(f"audit: {_reason(error)}\n")
        return 1 if isinstance(error, NotVerified | TreeMismatch) else 2
    return code


def _reason(error: Exception) -> str:
    """Say what went wrong; a driver's own words may repeat an address with its password, so they are left out."""
    if isinstance(error, LogError):
        return str(error)
    if isinstance(error, OSError) and error.filename:
        return f"{error.filename}: {error.strerror}"
    return f"the log cannot be read ({type(error).__name__})"


def _address(text: str) -> str:
    """Take a database's address, or read it from the file that `@` names."""
    if not text.startswith("@"):
        return text
    try:
        return Path(text[1:]).read_text("utf-8").strip()
    except OSError as error:
        raise argparse.ArgumentTypeError(f"{text[1:]}: {error.strerror}") from None


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m audit", description="Check a transparency log.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    verify = commands.add_parser("verify", help="hash everything again and compare with what was signed")
    source = verify.add_mutually_exclusive_group(required=True)
    source.add_argument(
        "--database", metavar=PLACE, type=_address, help=f"check the rows in this database; {FROM_FILE}"
    )
    source.add_argument("--export", metavar="DIR", type=Path, help="check a folder of tiles as served or exported")
    source.add_argument("--bundle", metavar="FILE", type=Path, help="check that a citizen's list is whole")
    source.add_argument("--proof", metavar="FILE", type=Path, help="check a proof file as `prove` prints it")
    verify.add_argument("--origin", help="the one log to check (default: all)")
    verify.add_argument(
        "--checkpoint",
        metavar="FILE",
        type=Path,
        action="append",
        default=[],
        help="a signed checkpoint kept elsewhere; needs --origin; may be repeated",
    )
    _add_keys(verify)
    _add_deletion_keys(verify)
    verify.add_argument("--json", action="store_true", help="write one JSON object for machines")
    verify.add_argument("--map", action="store_true", help="with --database: build every citizen's list anew too")
    verify.set_defaults(run=_verify)
    _add_export_and_prove(commands)
    witness_command.add_to(commands)
    keys_command.add_to(commands)
    return parser


def _add_export_and_prove(commands: Any) -> None:
    out = commands.add_parser("export", help="write a log as tiles, entry bundles and checkpoint")
    out.add_argument("--database", metavar=PLACE, type=_address, required=True, help=f"PostgreSQL; {FROM_FILE}")
    out.add_argument("--origin", required=True)
    out.add_argument("folder", metavar="DIR", type=Path)
    out.add_argument("--json", action="store_true")
    out.set_defaults(run=_export)
    prove = commands.add_parser("prove", help="print a tlog-proof of one entry under the last checkpoint")
    prove.add_argument("--database", metavar=PLACE, type=_address, required=True, help=f"PostgreSQL; {FROM_FILE}")
    prove.add_argument("--origin", required=True)
    prove.add_argument("--json", action="store_true")
    prove.add_argument("index", metavar="INDEX", type=int)
    prove.set_defaults(run=_prove)


def _add_keys(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--vkey", action="append", default=[], help="the log's public key; may be repeated")
    parser.add_argument("--vkey-file", type=Path, action="append", default=[], help="a file with such keys, one a line")


def _add_deletion_keys(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--deletion-vkey-file",
        type=Path,
        action="append",
        default=[],
        help="a file with public keys that may sign what was lawfully deleted, one a line; with --database",
    )


def _keys(given: argparse.Namespace) -> list[VerifyKey]:
    return [*map(VerifyKey.from_text, given.vkey), *_keys_in(given.vkey_file)]


def _keys_in(paths: Sequence[Path]) -> list[VerifyKey]:
    lines = [line for path in paths for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]
    return [VerifyKey.from_text(line) for line in lines]


def _verify(given: argparse.Namespace) -> int:
    keys = _keys(given)
    if given.checkpoint and not given.origin:
        raise LogError("--checkpoint needs --origin")
    if given.proof:
        return _verify_proof(given, keys)
    if given.bundle:
        return check_bundle(given.bundle, keys, as_json=given.json)
    stray: list[str] = []
    if given.export:
        reports = [export.verify_export(given.export, origin=given.origin, keys=keys)]
    else:
        reports, stray = asyncio.run(_verify_database(given, keys))
    if given.json:
        _print_json({"logs": [_as_json(report) for report in reports], "stray": stray})
    else:
        _print_reports(reports, stray)
    return 0 if reports and not stray and all(report.intact for report in reports) else 1


async def _verify_database(given: argparse.Namespace, keys: list[VerifyKey]) -> tuple[list[Report], list[str]]:
    elsewhere = [path.read_text(encoding="utf-8") for path in given.checkpoint]
    connection = await asyncpg.connect(given.database)
    try:
        with _ProgressBar() as bar:
            reports = await verify_logs(
                connection,
                origin=given.origin,
                keys=keys,
                deletion_keys=_keys_in(given.deletion_vkey_file),
                kept_elsewhere=elsewhere,
                progress=bar.show,
            )
        if given.map:
            found = await verify_maps(connection, given.origin)
            reports = [replace(one, faults=(*one.faults, *found.get(one.origin, ()))) for one in reports]
        return reports, await stray_rows(connection) if given.origin is None else []
    finally:
        await connection.close()


def _verify_proof(given: argparse.Namespace, keys: list[VerifyKey]) -> int:
    if not keys or not given.origin:
        raise LogError("--proof needs --origin and --vkey: a proof says nothing without the log's key")
    proof = Proof.from_text(given.proof.read_text(encoding="utf-8"))
    if proof.extra is None:
        raise LogError("the proof file does not carry its entry")
    checkpoint = proof.verify(proof.extra, given.origin, keys)
    leaf = Leaf.from_bytes(proof.extra)
    if given.json:
        _print_json(
            {
                "origin": checkpoint.origin,
                "index": proof.index,
                "size": checkpoint.size,
                "kind": leaf.kind,
                "eid": leaf.eid.hex(),
            }
        )
    else:
        sys.stdout.write(f"{checkpoint.origin}: entry {proof.index} of {checkpoint.size} is on the log\n")
    return 0


def _export(given: argparse.Namespace) -> int:
    async def run() -> int:
        connection = await asyncpg.connect(given.database)
        try:
            return await export.export_log(connection, given.origin, given.folder)
        finally:
            await connection.close()

    size = asyncio.run(run())
    if given.json:
        _print_json({"origin": given.origin, "size": size, "folder": str(given.folder)})
    else:
        sys.stdout.write(f"{given.origin}: {size} entries written to {given.folder}\n")
    return 0


def _prove(given: argparse.Namespace) -> int:
    async def run() -> Proof:
        connection = await asyncpg.connect(given.database)
        try:
            return await prove(connection, given.origin, given.index)
        finally:
            await connection.close()

    proof = asyncio.run(run())
    if given.json:
        _print_json({"origin": given.origin, "index": proof.index, "proof": proof.to_text()})
    else:
        sys.stdout.write(proof.to_text())
    return 0


def _as_json(report: Report) -> dict[str, Any]:
    return {
        "origin": report.origin,
        "intact": report.intact,
        "size": report.size,
        "root": report.root.hex(),
        "signed_size": report.signed_size,
        "signatures_checked": report.signatures_checked,
        "faults": [asdict(fault) for fault in report.faults],
        "deleted": [{"entry": entry, "entries": count} for entry, count in report.deleted],
    }


def _print_reports(reports: list[Report], stray: list[str]) -> None:
    for report in reports:
        for fault in report.faults:
            sys.stdout.write(f"{report.origin}: {fault}\n")
        for entry, count in report.deleted:
            whose = "1 entry" if count == 1 else f"{count} entries"
            sys.stdout.write(f"{report.origin}: entry {entry}: bodies of {whose} lawfully deleted\n")
        sys.stdout.write(f"{report.origin}: {_summary(report)}\n")
    for table in stray:
        sys.stdout.write(f"log.{table}: rows of a log that has no head\n")
    if not reports:
        sys.stdout.write("there is no log here\n")


def _summary(report: Report) -> str:
    count = len(report.faults)
    verdict = "intact" if report.intact else f"NOT INTACT, {count} fault{'s' * (count > 1)}"
    root = f"root {report.root.hex()[:16]}…" if report.root else "no root"
    signed = "no checkpoint" if report.signed_size is None else f"checkpoint of {report.signed_size}"
    signature = "signature checked" if report.signatures_checked else "signature not checked (no --vkey)"
    return f"{verdict}: {report.size} {'entry' if report.size == 1 else 'entries'}, {root}, {signed}, {signature}"


def _print_json(value: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(value, indent=2) + "\n")


class _ProgressBar:
    """Shows how far a check has come, on a terminal, once it has taken a second."""

    def __init__(self) -> None:
        self._started = time.monotonic()
        self._bar: Any = None
        self._tasks: dict[str, Any] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._bar is not None:
            self._bar.stop()

    def show(self, origin: str, done: int, total: int) -> None:
        """Hear how many entries of a log are checked."""
        if self._bar is None:
            if not sys.stderr.isatty() or time.monotonic() - self._started < SECONDS_BEFORE_PROGRESS:
                return
            # Imported here: most runs are over before a bar is wanted.
            from rich.console import Console  # noqa: PLC0415
            from rich.progress import Progress  # noqa: PLC0415

            self._bar = Progress(console=Console(stderr=True))
            self._bar.start()
        if origin not in self._tasks:
            self._tasks[origin] = self._bar.add_task(origin, total=total)
        self._bar.update(self._tasks[origin], completed=done)


if __name__ == "__main__":
    sys.exit(main())
