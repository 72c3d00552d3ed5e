"""`python3 run.py oversight-proof`: play years with hidden snoopers, and tell what reviews found of them.

python3 run.py oversight-proof                 three years of a municipality of 100 000; minutes each
python3 run.py oversight-proof --quick         small years, to see that it works: too small to quote
python3 run.py oversight-proof --seeds 1 2 3   other years
python3 run.py oversight-proof --json          every figure
python3 run.py oversight-proof --page          also docs/supervision-proof.md and docs/supervision-proof.json
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable
from dataclasses import replace

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from bench.year.almanac import DAYS
from bench.year.arms import Arm, ByChance
from bench.year.page import write_page
from bench.year.ranked import BY_LOG, BY_REGISTERS, AskedOfRegisters, ByRanking, KnownFromTheLog, rules_tried
from bench.year.size import FULL, QUICK, Size
from bench.year.telling import ARMS, Figures, figures, head_of_kinds, rows_of_arms, rows_of_kinds
from bench.year.trial import BUDGET, Tally, play
from bench.year.year import Played, Year

SEEDS = (11, 12, 13)


def main() -> int:
    """Play, tell, and write what was asked for."""
    options = _options()
    size = QUICK if options.quick else FULL
    size = replace(size, days=min(DAYS, options.days or size.days))
    years = [(seed, *_year(seed, size, options)) for seed in options.seeds]
    told = figures(size, options.reviews, options.eye, years) | {"rules": rules_tried()}
    if options.json:
        print(json.dumps(told, indent=2))
    else:
        _show(told)
    if options.page:
        write_page(told)
    return 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="run.py oversight-proof", description="Hide snoopers in invented years, and see what reviews find."
    )
    parser.add_argument("--quick", action="store_true", help="small years: shows that it works, too small to quote")
    parser.add_argument("--seeds", type=int, nargs="+", default=SEEDS, metavar="N", help="the years to play")
    parser.add_argument("--days", type=int, metavar="N", help="play so many days, of at most a year")
    parser.add_argument("--reviews", type=int, default=BUDGET, help="accesses of a day that are reviewed")
    parser.add_argument("--eye", type=float, default=1.0, help="how often a review of a snooper's access finds them")
    parser.add_argument("--json", action="store_true", help="print every figure as JSON")
    parser.add_argument("--page", action="store_true", help="also write docs/supervision-proof.md and .json anew")
    return parser.parse_args()


def arms_of(year: Year, seed: int) -> list[Arm]:
    """Give what is compared in one year, each with what it is allowed to know."""
    asked, known = AskedOfRegisters(year.registers), KnownFromTheLog(year.registers)
    return [ByChance(seed), ByRanking(BY_REGISTERS, asked), ByRanking(BY_LOG, known)]


def _year(seed: int, size: Size, options: argparse.Namespace) -> tuple[Figures, list[Tally]]:
    """Play one year under a bar; give how much was played, and the tallies."""
    year = Year(seed, size)
    counted = {"accesses": 0, "snoopers_accesses": 0}
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True)) as progress:
        task = progress.add_task(f"year {seed}, days", total=size.days)

        def told(played: Played) -> None:
            counted["accesses"] += len(played.accesses)
            counted["snoopers_accesses"] += len(played.key.snoopers)
            progress.advance(task)

        arms = arms_of(year, seed)
        tallies = list(play(year, arms, options.eye, seed, options.reviews, told))
    return counted, tallies


def _show(told: Figures) -> None:
    console = Console()
    _table(console.print, "What reviews found", ARMS, rows_of_arms(told))
    _table(console.print, "By kind", _short(head_of_kinds(told)), [_short(row) for row in rows_of_kinds(told)])


def _short(row: list[str]) -> list[str]:
    """Leave out what a kind does: the page tells."""
    return row[:2] + row[3:]


def _table(
    tell: Callable[[Table], None], title: str, heads: tuple[str, ...] | list[str], rows: list[list[str]]
) -> None:
    table = Table(*heads, title=title, title_justify="left")
    for row in rows:
        table.add_row(*row)
    tell(table)


if __name__ == "__main__":
    sys.exit(main())
