"""`python -m tests.swarm`: play withdrawals, blocks and asks over four nodes, judge the evidence, and tell."""

from __future__ import annotations

import argparse
import asyncio
import json
import pickle
import sys
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from broker import telemetry
from demo.world.children import WorldBroken
from demo.world.passing import passing_folder
from tests.swarm.evidence import Evidence
from tests.swarm.judge import Judgement, judge
from tests.swarm.play import Plan, engines, play

MOST_LINES = 20


def main() -> int:
    """Play once and tell; 1 where the judge found a fault, 2 where it could not be played."""
    parser = argparse.ArgumentParser(prog="python -m tests.swarm", description=__doc__)
    parser.add_argument("--tries", type=int, default=10_000, help="asks, withdrawals and blocks together")
    parser.add_argument("--citizens", type=int, default=12, help="2 to 99")
    parser.add_argument(
        "--seed", type=int, default=0, help="what chance begins with; processes add chance of their own"
    )
    parser.add_argument("--json", action="store_true", help="print the figures and every fault as JSON")
    parser.add_argument("--evidence", type=Path, help="keep the evidence in this file (pickle)")
    options = parser.parse_args()
    telemetry.set_up("warning")
    plan = Plan(
        options.tries, citizens=options.citizens, seed=options.seed, engines=engines(), hands=2, pause=(0.3, 6.0)
    )
    try:
        with passing_folder("swarm") as folder:
            evidence = asyncio.run(_play(folder, plan))
    except WorldBroken as error:
        print(f"swarm: {error}", file=sys.stderr)
        return 2
    if options.evidence:
        options.evidence.write_bytes(pickle.dumps(evidence))
    judgement = judge(evidence)
    _tell(plan, evidence, judgement, as_json=options.json)
    return 1 if judgement.faults else 0


async def _play(folder: Path, plan: Plan) -> Evidence:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), disable=not sys.stderr.isatty()) as progress:
        task = progress.add_task("tries", total=plan.tries)
        return await play(folder, plan, lambda left: progress.update(task, completed=plan.tries - left), durable=True)


def _tell(plan: Plan, evidence: Evidence, judgement: Judgement, *, as_json: bool) -> None:
    faults = [f"{fault.kind}: {fault.line}" for fault in judgement.faults]
    if as_json:
        told = {"seed": plan.seed, "citizens": plan.citizens, "engines": plan.engines, "seconds": evidence.seconds}
        print(json.dumps({**told, "figures": judgement.figures, "faults": faults}, indent=2))
        return
    table = Table(title=f"{plan.citizens} citizens, {len(plan.engines)} nodes, {evidence.seconds:.0f} seconds")
    table.add_column("what")
    table.add_column("count", justify="right")
    for name, count in judgement.figures.items():
        table.add_row(name, str(count))
    console = Console()
    console.print(table)
    for line in faults[:MOST_LINES]:
        console.print(line, style="red", markup=False)


if __name__ == "__main__":
    sys.exit(main())
