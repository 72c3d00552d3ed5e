"""`python3 run.py bench`: set up, measure in interleaved rounds, tell, and take everything away again."""

from __future__ import annotations

import argparse
import asyncio
import json
import shutil
import sys
import tempfile
from pathlib import Path

from rich.console import Console

from bench.figures import Figures
from bench.measure import measure
from bench.plan import FULL, QUICK, Plan
from bench.profile import profile
from bench.report import show, told
from bench.scene import staged
from broker import telemetry
from demo.world.children import Nurseries, WorldBroken
from demo.world.databases import remove_clusters
from demo.world.world import World


def main() -> int:
    """Measure once and print; 2 when nothing can be measured here."""
    parser = argparse.ArgumentParser(
        prog="run.py bench", description="Measure what an ask costs, beside a floor and the bare source."
    )
    parser.add_argument("--quick", action="store_true", help="short rounds: shows that it works, too short to quote")
    parser.add_argument("--json", action="store_true", help="print every figure as JSON")
    parser.add_argument("--profile", action="store_true", help="show where an ask's time goes, and nothing else")
    options = parser.parse_args()
    # What the doors say as they open is no figure.
    telemetry.set_up("warning")
    folder = Path(tempfile.mkdtemp(prefix="borgerbro-bench-"))
    # Root's PostgreSQL is another user, who must pass through; what is secret in here is so by itself.
    folder.chmod(0o711)
    try:
        figures = asyncio.run(_run(folder, QUICK if options.quick else FULL, only_profile=options.profile))
    except WorldBroken as error:
        print(f"bench: {error}", file=sys.stderr)
        return 2
    finally:
        remove_clusters(folder)
        shutil.rmtree(folder, ignore_errors=True)
    if options.json:
        print(json.dumps(told(figures), indent=2))
    else:
        show(figures)
    return 0


async def _run(folder: Path, plan: Plan, *, only_profile: bool) -> Figures:
    nurseries = Nurseries.open(folder)
    with Console(stderr=True).status("starting") as status:
        async with (
            World(folder, say=status.update, nurseries=nurseries, durable=True) as world,
            staged(world, nurseries) as scene,
        ):
            figures = Figures(plan, ()) if only_profile else await measure(scene, plan, status.update)
            status.update("looking where the time goes")
            figures.facts["profile"] = await profile(scene, plan.watching)
            return figures


if __name__ == "__main__":
    sys.exit(main())
