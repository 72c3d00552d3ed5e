"""`python3 run.py defences`: switch each defence off in a copy of the tree and see that its tests fail."""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from collections.abc import Callable, Sequence

from tools.defences.table import Defence, TableUnusable, read_table
from tools.defences.trial import BITTEN, Copies, NotGreen, Outcome, must_be_green, try_all
from tools.places import ROOT

AT_ONCE = 2
_WIDTH = 30


def main(arguments: Sequence[str]) -> int:
    """Try the chosen defences; 1 when one survives or a trial is broken, 2 when nothing can be tried."""
    options = _parser().parse_args(arguments)
    try:
        defences = _chosen(read_table(ROOT), options)
        if not defences:
            print("no defence is concerned" if options.changed else "no defence is called so", file=sys.stderr)
            return 0 if options.changed else 2
        outcomes = _try(defences, options)
    except (TableUnusable, NotGreen) as reason:
        print(f"defences: {reason}", file=sys.stderr)
        return 2
    if options.json:
        print(json.dumps([_row(outcome) for outcome in outcomes], indent=2))
    else:
        _print_end(outcomes)
    return 0 if all(outcome.verdict == BITTEN for outcome in outcomes) else 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="run.py defences",
        description="Switch each defence of tests/defences off in a copy of the tree; its tests must then fail.",
        epilog="Ends with 0 when every defence was bitten, 1 when one survived, 2 when nothing could be tried.",
    )
    parser.add_argument("--only", action="append", metavar="NAME", help="a defence or a promise (P4); may be repeated")
    parser.add_argument(
        "--changed", nargs="?", const="HEAD", metavar="REV", help="those whose file or tests differ from REV (HEAD)"
    )
    parser.add_argument("--part", metavar="I/N", help="every N-th defence from the I-th on, as 1/4")
    parser.add_argument("--list", action="store_true", help="try nothing; name what would be tried")
    parser.add_argument("--no-green", action="store_true", help="leave out the run without edits that comes first")
    parser.add_argument("--json", action="store_true", help="print the outcomes as JSON")
    return parser


def _chosen(defences: list[Defence], options: argparse.Namespace) -> list[Defence]:
    if options.only:
        defences = [row for row in defences if {row.name, row.promise} & set(options.only)]
    if options.changed:
        listing = ["git", "-c", f"safe.directory={ROOT}", "diff", "--name-only", options.changed]
        told = subprocess.run(listing, cwd=ROOT, capture_output=True, text=True, check=False)
        if told.returncode:
            raise TableUnusable(f"git knows no revision {options.changed}")
        changed = set(told.stdout.splitlines())
        defences = [row for row in defences if changed & {*row.files, *row.tested_in}]
    if options.part:
        place, _, count = options.part.partition("/")
        if not place.isdecimal() or not count.isdecimal() or not 1 <= int(place) <= int(count):
            raise TableUnusable("--part is written as 1/4")
        defences = defences[int(place) - 1 :: int(count)]
    return defences


def _try(defences: Sequence[Defence], options: argparse.Namespace) -> list[Outcome]:
    if options.list:
        print("\n".join(f"{defence.promise:<4} {defence.name}" for defence in defences))
        return []
    with Copies(AT_ONCE) as copies:
        if not options.no_green:
            print("the tests without any edit …", file=sys.stderr, flush=True)
            must_be_green(copies, defences)
        return try_all(copies, defences, _teller(len(defences)), AT_ONCE)


def _teller(count: int) -> Callable[[Outcome], None]:
    """Make what tells of each outcome: a line where there is something to say, and a bar on a terminal."""
    began, done, on_terminal = time.monotonic(), 0, sys.stderr.isatty()

    def tell(outcome: Outcome) -> None:
        nonlocal done
        done += 1
        line = f"{outcome.verdict:<8} {outcome.defence.promise:<4} {outcome.defence.name} ({outcome.seconds:.1f} s)"
        notes = "".join(f"\n    {note}" for note in outcome.notes)
        filled = _WIDTH * done // count
        bar = f"[{'#' * filled}{'.' * (_WIDTH - filled)}] {done}/{count}, {time.monotonic() - began:.0f} s"
        if on_terminal:
            print(f"\r\033[K{line}{notes}\n{bar}", end="" if done < count else "\n", file=sys.stderr, flush=True)
        else:
            print(f"{done}/{count} {line}{notes}", file=sys.stderr, flush=True)

    return tell


def _print_end(outcomes: Sequence[Outcome]) -> None:
    if not outcomes:
        return
    bitten = sum(outcome.verdict == BITTEN for outcome in outcomes)
    for promise in dict.fromkeys(outcome.defence.promise for outcome in outcomes):
        rows = [outcome for outcome in outcomes if outcome.defence.promise == promise]
        print(f"{promise:<4} {sum(row.verdict == BITTEN for row in rows)} of {len(rows)} bitten")
    print(f"{bitten} of {len(outcomes)} defences: switched off, their tests fail")
    for outcome in outcomes:
        if outcome.verdict != BITTEN:
            print(f"{outcome.verdict} {outcome.defence.name}: {outcome.defence.says}")


def _row(outcome: Outcome) -> dict[str, object]:
    return {
        "name": outcome.defence.name,
        "promise": outcome.defence.promise,
        "verdict": outcome.verdict,
        "seconds": round(outcome.seconds, 1),
        "tests": list(outcome.defence.tests),
        "notes": list(outcome.notes),
    }


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
