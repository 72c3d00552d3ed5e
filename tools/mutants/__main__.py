"""`python3 run.py mutants`: damage the rules in every small way there is, and count who notices."""

from __future__ import annotations

import argparse
import json
import re
import sys
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from typing import Any

from broker.policy_lint import parsed
from tools.mutants.damage import Mutant, mutants
from tools.mutants.equal import equal_mutants
from tools.mutants.jury import Jury
from tools.mutants.record import POLICIES, Tried, files_of_rules, keep, row_of, text_of

AT_ONCE = 2
SEEDS = 500
FEWEST, SHARE = 150, 0.98
PART = re.compile("[1-9][0-9]*/[1-9][0-9]*")
_WIDTH = 30
_jury: list[Jury] = []


def main(arguments: Sequence[str]) -> int:
    """Try every mutant; 1 when too many survive, or one that the list calls equal was noticed or is no more."""
    parser = _parser()
    options = parser.parse_args(arguments)
    if options.part and (options.keep or not PART.fullmatch(options.part)):
        parser.error("--part is written as 1/12, and nothing is kept of a part")
    in_part, equal = bool(options.only or options.part), equal_mutants()
    chosen = _chosen(_made(options.only), options.part)
    texts = {mutant.file: text_of(mutant.file) for mutant in chosen}
    tried = _try(chosen, options.seeds)
    report = _report(tried, equal, in_part=in_part)
    if options.keep:
        keep(tried, equal, texts)
    _print(report, as_json=options.json)
    enough = report["share"] >= SHARE and (report["mutants"] >= FEWEST or in_part)
    return 0 if enough and not report["stale"] else 1


def _report(tried: Sequence[Tried], equal: Mapping[str, str], *, in_part: bool) -> dict[str, Any]:
    """Count who noticed what; of a part it cannot be said which of the equal ones are no more."""
    row = row_of(tried, equal)
    lines = {mutant.name: mutant.line for mutant, who in tried if who == "survived"}
    noticed_after_all = set(equal) & {mutant.name for mutant, verdict in tried if verdict != "survived"}
    gone = set() if in_part else set(equal) - {mutant.name for mutant, _ in tried}
    return row | {
        "share": round(row["noticed"] / row["mutants"], 4) if row["mutants"] else 0.0,
        "survived": [f"line {lines[name]} of {name}" for name in row["survived"]],
        "stale": sorted(noticed_after_all | gone),
    }


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="run.py mutants",
        description="Damage the rules one line at a time; the tests of the rules must notice.",
        epilog=f"Ends with 0 when at least {FEWEST} were tried and {SHARE:.0%} of them noticed.",
    )
    parser.add_argument("--only", metavar="FILE", help="one file of policies/, such as consent.rego")
    parser.add_argument("--part", metavar="I/N", help="every N-th mutant from the I-th on, as 1/4")
    parser.add_argument("--seeds", type=int, default=SEEDS, metavar="N", help=f"random questions to ask ({SEEDS})")
    parser.add_argument("--keep", action="store_true", help="write down what docs/mutants.md is made from (no --part)")
    parser.add_argument("--json", action="store_true", help="print the report as JSON")
    return parser


def _made(only: str | None) -> list[Mutant]:
    files = [POLICIES / name for name in files_of_rules() if only in (None, name)]
    return [mutant for file in files for mutant in mutants(parsed(file.name, file.read_text("utf-8")))]


def _chosen(made: list[Mutant], part: str | None) -> list[Mutant]:
    place, _, count = (part or "1/1").partition("/")
    return made[int(place) - 1 :: int(count)]


def _try(made: Sequence[Mutant], seeds: int) -> list[Tried]:
    began = time.monotonic()
    with ProcessPoolExecutor(AT_ONCE, initializer=_sit, initargs=(seeds,)) as pool:
        tried: list[Tried] = []
        for outcome in pool.map(_judge, made, chunksize=4):
            tried.append(outcome)
            _tell(len(tried), len(made), time.monotonic() - began)
    return tried


def _sit(seeds: int) -> None:
    _jury.append(Jury(seeds))


def _judge(mutant: Mutant) -> Tried:
    return mutant, _jury[0].try_one(mutant)


def _tell(done: int, count: int, seconds: float) -> None:
    """Move the bar on a terminal; elsewhere say now and then how far it is."""
    filled = _WIDTH * done // count
    if sys.stderr.isatty():
        bar = f"[{'#' * filled}{'.' * (_WIDTH - filled)}]"
        print(f"\r\033[K{bar} {done}/{count}, {seconds:.0f} s", end="" if done < count else "\n", file=sys.stderr)
    elif done % 100 == 0:
        print(f"{done}/{count}, {seconds:.0f} s", file=sys.stderr, flush=True)


def _print(report: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        print(json.dumps(report, indent=2))
        return
    told = ", ".join(f"{who} {count}" for who, count in report["by"].items())
    print(f"{report['noticed']} of {report['mutants']} mutants noticed ({report['share']:.1%}); by: {told}")
    print(f"besides: {report['no_rules']} that are no rules at all, {report['equal']} that change nothing")
    for what in ("survived", "stale"):
        for line in report[what]:
            print(f"{what}: {line}")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
