"""`python3 run.py soak`: try for long what the tests try shortly, and tell what was counted.

Each trial has its share of the time. 1 where a promise was broken, with what broke and the seed that chance began with.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.table import Table

from demo.postgres import PostgresUnavailable
from tests.proof_pairs import build, pairs
from tests.soak.crashes import crashes
from tests.soak.disk_calls import every_call, strace
from tests.soak.honest import honest
from tests.soak.restore import restores

# Gives what was counted; raises AssertionError where a promise was broken. `goes_on` is asked before each try.
Trial = Callable[[Path, int, Callable[[int], bool]], Counter[str]]


def disk(folder: Path, _: int, goes_on: Callable[[int], bool]) -> Counter[str]:
    """Let each call on the disk fail, for the checkpointer's file and for the witness's, once through at least."""
    counted: Counter[str] = Counter()
    if strace() is None:
        counted["not tried: strace is not here"] = 1
        return counted
    while counted["times through"] == 0 or goes_on(counted["times through"]):
        for program in ((), ("witness",)):
            said = Counter(every_call(folder, program))
            counted["calls that failed"] += said.total()
            counted["of them, signed all the same"] += said["signed"]
        counted["times through"] += 1
    return counted


def proofs(folder: Path, _: int, goes_on: Callable[[int], bool]) -> Counter[str]:
    """Let Go's sumdb code judge every proof of every tree up to 1,024 entries, once through at least."""
    try:
        program = build(folder)
    except (OSError, subprocess.CalledProcessError):
        return Counter({"not tried: Go or its module is not here": 1})
    counted: Counter[str] = Counter()
    while counted["times through"] == 0 or goes_on(counted["times through"]):
        counted["proofs taken, each refused with a bit changed"] += pairs(program, 1024)
        counted["times through"] += 1
    return counted


TRIALS: Mapping[str, tuple[str, Trial]] = {
    "disk": ("every call on the disk fails", disk),
    "crashes": ("the database falls under load", lambda f, s, g: asyncio.run(crashes(f, s, g))),
    "proofs": ("every proof of every small tree, judged by Go", proofs),
    "restore": ("both disks lost under load, and restored", lambda f, s, g: asyncio.run(restores(f, s, g))),
    "honest": ("a log that nobody bends", lambda f, s, g: asyncio.run(honest(f, s, g))),
}


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a trial: its counts, or what broke."""

    name: str
    counted: Mapping[str, int]
    broke: str = ""


def main() -> int:
    """Try, and tell; 1 where something broke, 2 where it could not be tried."""
    options = _options()
    names = options.only or list(TRIALS)
    say = Console(stderr=True)
    outcomes = []
    for name in names:
        share = options.minutes * 60 / len(names)
        try:
            outcomes.append(_try(name, options.seed, share, say))
        except PostgresUnavailable as error:
            print(f"soak: {error}", file=sys.stderr)  # noqa: T201 - A command line tool.
            return 2
    _tell(outcomes, options)
    return 1 if any(outcome.broke for outcome in outcomes) else 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="run.py soak", description="Try for long what the tests try shortly.",
        epilog="\n".join(f"  {name:<8} {does}" for name, (does, _) in TRIALS.items()),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # fmt: skip
    parser.add_argument("--minutes", type=float, default=15.0, help="how long, all trials together (15)")
    parser.add_argument("--only", choices=TRIALS, action="append", metavar="TRIAL", help="this trial; may be repeated")
    parser.add_argument(
        "--seed", type=int, default=0, help="what chance begins with; processes add chance of their own"
    )
    parser.add_argument("--json", action="store_true", help="print what was counted as JSON")
    return parser.parse_args()


def _try(name: str, seed: int, seconds: float, say: Console) -> Outcome:
    does, trial = TRIALS[name]
    folder = Path(tempfile.mkdtemp(prefix=f"borgerbro-soak-{name}-"))
    # Root's PostgreSQL is another user, who must pass through; what is secret in here is so by itself.
    folder.chmod(0o711)
    began = time.monotonic()
    with say.status(f"{does} …") as status:

        def goes_on(tries: int) -> bool:
            passed = time.monotonic() - began
            status.update(f"{does}: {tries} tries, {passed:.0f} of {seconds:.0f} s")
            return passed < seconds

        try:
            return Outcome(name, *_counted(trial, folder, seed, goes_on))
        finally:
            shutil.rmtree(folder, ignore_errors=True)


def _counted(trial: Trial, folder: Path, seed: int, goes_on: Callable[[int], bool]) -> tuple[Mapping[str, int], str]:
    try:
        return trial(folder, seed, goes_on), ""
    except AssertionError as error:
        return {}, str(error) or "a promise was broken"


def _tell(outcomes: list[Outcome], options: argparse.Namespace) -> None:
    if options.json:
        rows = [{"trial": one.name, "counted": dict(one.counted), "broke": one.broke or None} for one in outcomes]
        print(json.dumps({"seed": options.seed, "minutes": options.minutes, "trials": rows}, indent=2))  # noqa: T201 - A command line tool.
        return
    table = Table("trial", "what", "count", title=f"seed {options.seed}, {options.minutes:g} minutes")
    for one in outcomes:
        table.add_section()
        for what, count in one.counted.items():
            table.add_row(one.name, what, f"{count:,}")
        if one.broke:
            table.add_row(one.name, f"[bold red]{one.broke}", "")
    Console().print(table)


if __name__ == "__main__":
    sys.exit(main())
