"""`python -m audit verify`: a log in a database, a folder or at an address, or a proof in a file."""

import argparse
import asyncio
import sys
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import asyncpg

from audit.bundle_command import check_bundle
from audit.command import (
    FROM_FILE,
    PLACE,
    ProgressBar,
    ProgressLines,
    add_keys,
    database_address,
    keys_in,
    keys_of,
    print_json,
    source_of,
)
from audit.entry import Leaf
from audit.errors import LogError, Malformed, NotVerified
from audit.evidence_command import check_evidence
from audit.faults import Fault
from audit.kept_state import Kept, StateFile
from audit.merkle import Frontier
from audit.note import VerifyKey
from audit.policy import Policy, read_policy
from audit.proof import Proof
from audit.verify import Report
from audit.verify_map import verify_maps
from audit.verify_postgres import check_logs, stray_rows
from audit.verify_tiles import Checked, verify_tiles

STATE = (
    "remember here what was verified: the next run checks only what is new, holds it against what was, and goes on "
    "where one was broken off"
)

# Enough to see what kind of thing is wrong, and where it begins.
MOST_IN_BRIEF = 50
LONGEST_IN_BRIEF = 300


def add_to(commands: Any) -> None:
    """Add the command to `python -m audit`."""
    verify = commands.add_parser("verify", help="hash everything again and compare with what was signed")
    source = verify.add_mutually_exclusive_group(required=True)
    source.add_argument(
        "--database", metavar=PLACE, type=database_address, help=f"check the rows in this database; {FROM_FILE}"
    )
    source.add_argument("--url", help="check a log that is served over HTTP, such as https://host/log/city/2026")
    source.add_argument("--export", metavar="DIR", type=Path, help="check a folder of tiles as served or exported")
    source.add_argument("--bundle", metavar="FILE", type=Path, help="check that a citizen's list is whole")
    source.add_argument("--evidence", metavar="FILE", type=Path, help="check the evidence package of one entry")
    source.add_argument("--proof", metavar="FILE", type=Path, help="check a proof file as `prove` prints it")
    verify.add_argument("--origin", help="the one log to check (default: all; for --url its address without scheme)")
    verify.add_argument("--state", metavar="FILE", type=Path, help=STATE)
    verify.add_argument(
        "--checkpoint",
        metavar="FILE",
        type=Path,
        action="append",
        default=[],
        help="a signed checkpoint kept elsewhere; needs --origin; may be repeated",
    )
    verify.add_argument(
        "--policy", metavar="FILE", type=Path, help="the log's and witnesses' keys and quorum (C2SP tlog-policy)"
    )
    add_keys(verify)
    verify.add_argument(
        "--deletion-vkey-file",
        type=Path,
        action="append",
        default=[],
        help="a file with public keys that may sign what was lawfully deleted, one a line; with --database",
    )
    verify.add_argument("--deletion-vkey", action="append", default=[], help="such a key itself; may be repeated")
    verify.add_argument(
        "--progress", action="store_true", help="with --database: say on standard error how far it is: progress N OF"
    )
    verify.add_argument("--json", action="store_true", help="write one JSON object for machines")
    verify.add_argument("--brief", action="store_true", help="with --json: counts, and the first faults of a log alone")
    verify.add_argument("--map", action="store_true", help="with --database: build every citizen's list anew too")
    verify.set_defaults(run=_verify)


def _verify(given: argparse.Namespace) -> int:
    keys = keys_of(given)
    policy = read_policy(given.policy) if given.policy else None
    if policy:
        keys += [log.key for log in policy.logs]
    if given.checkpoint and not (given.origin and given.database):
        raise LogError("--checkpoint needs --database and --origin")
    if given.proof:
        return _verify_proof(given, keys, policy)
    if given.evidence:
        return check_evidence(given.evidence, keys, policy, as_json=given.json)
    if given.bundle:
        return check_bundle(given.bundle, keys, policy, as_json=given.json)
    return _verify_logs(given, keys, policy, StateFile(given.state) if given.state else None)


def _verify_logs(
    given: argparse.Namespace, keys: list[VerifyKey], policy: Policy | None, state: StateFile | None
) -> int:
    stray: list[str] = []
    if given.database:
        checks, stray = asyncio.run(_verify_database(given, keys, state))
    else:
        checks = [_verify_files(given, keys, state)]
    reports = [_held_to(policy, checked) for checked in checks]
    if state:
        _keep(state, checks, reports)
    if given.json:
        written = _in_brief if given.brief else _as_json
        print_json({"logs": [written(report) for report in reports], "stray": stray})
    else:
        _print_reports(reports, stray)
    return 0 if reports and not stray and all(report.intact for report in reports) else 1


def _verify_files(given: argparse.Namespace, keys: list[VerifyKey], state: StateFile | None) -> Checked:
    """Check a folder or an address; what was reached is noted on the way, so that a broken run is not lost."""
    origin = given.origin
    if given.url and origin is None:
        origin = given.url.partition("://")[2].rstrip("/")

    def reached(name: str, tree: Frontier) -> None:
        if state:
            state.keep(name, replace(state.of(name), reached=tree))

    with ProgressBar() as bar, source_of(given) as source:
        return verify_tiles(
            source,
            origin=origin,
            keys=keys,
            known=state.of if state else lambda _: Kept(),
            progress=bar.show,
            reached=reached,
        )


async def _verify_database(
    given: argparse.Namespace, keys: list[VerifyKey], state: StateFile | None
) -> tuple[list[Checked], list[str]]:
    elsewhere = [path.read_text(encoding="utf-8") for path in given.checkpoint]
    connection = await asyncpg.connect(given.database)
    try:
        with ProgressBar() as bar:
            checks = await check_logs(
                connection,
                origin=given.origin,
                keys=keys,
                deletion_keys=[*map(VerifyKey.from_text, given.deletion_vkey), *keys_in(given.deletion_vkey_file)],
                kept_elsewhere=elsewhere,
                known=state.of if state else lambda _: Kept(),
                progress=ProgressLines().show if given.progress else bar.show,
            )
        if given.map:
            found = await verify_maps(connection, given.origin)
            checks = [_with_faults(checked, found.get(checked.report.origin, ())) for checked in checks]
        return checks, await stray_rows(connection) if given.origin is None else []
    finally:
        await connection.close()


def _with_faults(checked: Checked, faults: Sequence[Fault]) -> Checked:
    return replace(checked, report=replace(checked.report, faults=(*checked.report.faults, *faults)))


def _held_to(policy: Policy | None, checked: Checked) -> Report:
    """Hold the newest checkpoint against the quorum of witnesses, where a policy asks for one."""
    report = checked.report
    if policy is None:
        return report
    try:
        policy.open(checked.note or "", report.origin)
    except (Malformed, NotVerified) as error:
        return replace(report, faults=(*report.faults, Fault("checkpoint", str(error))))
    return report


def _keep(state: StateFile, checks: list[Checked], reports: list[Report]) -> None:
    """Remember what was verified; where something is wrong, what was before, and not how far this run came."""
    for checked, report in zip(checks, reports, strict=True):
        if report.intact and checked.kept:
            state.keep(report.origin, checked.kept)
        elif report.origin:
            state.keep(report.origin, replace(state.of(report.origin), reached=Frontier()))


def _verify_proof(given: argparse.Namespace, keys: list[VerifyKey], policy: Policy | None) -> int:
    if not keys or not given.origin:
        raise LogError("--proof needs --origin and --vkey or --policy: a proof says nothing without the log's key")
    proof = Proof.from_text(given.proof.read_text(encoding="utf-8"))
    if proof.extra is None:
        raise LogError("the proof file does not carry its entry")
    checkpoint = proof.verify(proof.extra, given.origin, keys)
    if policy:
        policy.open(proof.checkpoint, given.origin)
    leaf = Leaf.from_bytes(proof.extra)
    if given.json:
        print_json(
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


def _as_json(report: Report) -> dict[str, Any]:
    return {
        "origin": report.origin,
        "intact": report.intact,
        "size": report.size,
        "checked_from": report.checked_from,
        "root": report.root.hex(),
        "signed_size": report.signed_size,
        "signatures_checked": report.signatures_checked,
        "found": report.found,
        "faults": [asdict(fault) for fault in report.faults],
        "deleted": [{"entry": one.entry, "entries": one.count, "spans": one.spans} for one in report.deleted],
    }


def _in_brief(report: Report) -> dict[str, Any]:
    """Write a report that has an end, however much is wrong and however much was deleted."""
    return _as_json(replace(report, faults=(), deleted=())) | {
        "found": report.found,
        "intact": report.intact,
        "faults": [str(fault)[:LONGEST_IN_BRIEF] for fault in report.faults[:MOST_IN_BRIEF]],
        "deleted": sum(one.count for one in report.deleted),
    }


def _print_reports(reports: list[Report], stray: list[str]) -> None:
    for report in reports:
        for fault in report.faults:
            sys.stdout.write(f"{report.origin}: {fault}\n")
        if report.unnamed:
            sys.stdout.write(f"{report.origin}: and {report.unnamed} faults more\n")
        for one in report.deleted:
            sys.stdout.write(f"{report.origin}: content of {one}\n")
        sys.stdout.write(f"{report.origin}: {_summary(report)}\n")
    for table in stray:
        sys.stdout.write(f"log.{table}: rows of a log that has no head\n")
    if not reports:
        sys.stdout.write("there is no log here\n")


def _summary(report: Report) -> str:
    count = report.found
    verdict = "intact" if report.intact else f"NOT INTACT, {count} fault{'s' * (count > 1)}"
    since = f" ({report.checked_from} of them verified before)" if report.checked_from else ""
    root = f"root {report.root.hex()[:16]}…" if report.root else "no root"
    signed = "no checkpoint" if report.signed_size is None else f"checkpoint of {report.signed_size}"
    signature = "signature checked" if report.signatures_checked else "signature not checked (no --vkey)"
    entries = f"{report.size} {'entry' if report.size == 1 else 'entries'}{since}"
    return f"{verdict}: {entries}, {root}, {signed}, {signature}"
