"""`python3 run.py bench`: set up, measure in interleaved rounds, tell, and take everything away again."""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
from collections.abc import Callable
from pathlib import Path

from rich.console import Console

from bench.chart import chart
from bench.figures import Figures
from bench.measure import measure
from bench.memory import remember
from bench.page import write_page
from bench.plan import FULL, QUICK, Plan
from bench.profile import profile
from bench.report import show, told
from bench.scene import Scene, staged
from broker import telemetry
from demo.world.children import Nurseries, WorldBroken
from demo.world.passing import passing_folder
from demo.world.world import World

ALL_ASKS = 100_000


def main() -> int:
    """Measure once and tell; 2 when nothing can be measured here."""
    options = _options()
    # What the doors say as they open is no figure.
    telemetry.set_up("warning")
    try:
        with passing_folder("bench") as folder:
            figures = asyncio.run(_run(folder, options))
    except WorldBroken as error:
        print(f"bench: {error}", file=sys.stderr)
        return 2
    _tell(figures, options)
    return 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="run.py bench", description="Measure what an ask costs, beside a floor and the bare source."
    )
    parser.add_argument("--quick", action="store_true", help="short rounds: shows that it works, too short to quote")
    parser.add_argument("--json", action="store_true", help="print every figure as JSON")
    parser.add_argument("--out", type=Path, metavar="FOLDER", help="also write bench.json and bench.svg there")
    parser.add_argument("--page", action="store_true", help="also write docs/performance.md and its picture anew")
    parser.add_argument("--profile", action="store_true", help="show where an ask's time goes, and nothing else")
    memory = f"see whether memory grows over so many asks ({ALL_ASKS}), and nothing else"
    parser.add_argument("--memory", type=int, metavar="ASKS", nargs="?", const=ALL_ASKS, help=memory)
    parser.add_argument("--minutes", type=float, default=60.0, help="with --memory: end after so long")
    return parser.parse_args()


def _tell(figures: Figures, options: argparse.Namespace) -> None:
    found = told(figures)
    if options.json:
        print(json.dumps(found, indent=2))
    else:
        show(figures)
    if options.page:
        write_page(found)
    if options.out:
        options.out.mkdir(parents=True, exist_ok=True)
        (options.out / "bench.json").write_text(json.dumps(found, indent=1) + "\n", "utf-8")
        (options.out / "bench.svg").write_text(chart(figures), "utf-8")


async def _run(folder: Path, options: argparse.Namespace) -> Figures:
    nurseries = Nurseries.open(folder)
    plan = QUICK if options.quick else FULL
    with Console(stderr=True).status("starting") as status:
        async with (
            World(folder, say=status.update, nurseries=nurseries, durable=True) as world,
            staged(world, nurseries) as scene,
        ):
            return await _measured(scene, plan, options, status.update)


async def _measured(scene: Scene, plan: Plan, options: argparse.Namespace, say: Callable[[str], None]) -> Figures:
    if options.memory:
        figures = Figures(plan, ())
        figures.facts["memory"] = await remember(scene, options.memory, options.minutes, say)
        return figures
    figures = Figures(plan, ()) if options.profile else await measure(scene, plan, say)
    say("looking where the time goes")
    figures.facts["profile"] = await profile(scene, plan.watching)
    return figures


if __name__ == "__main__":
    sys.exit(main())
