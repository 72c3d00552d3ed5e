"""`python3 run.py shape`: run the shape of production, break it under load, tell what callers saw."""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from rich.console import Console

from broker import telemetry
from demo.postgres import PostgresUnavailable, PrivatePostgres
from demo.world.children import Nurseries, WorldBroken
from demo.world.passing import passing_folder
from deploy.shape.afterwards import Findings, look_back
from deploy.shape.load import Load
from deploy.shape.show import as_json, show
from deploy.shape.stage import callers, staged_shape
from deploy.shape.story import FULL, QUICK, Plan, Story, play

WIDTH = 120


def main() -> int:
    """Tell one story; 1 when something did not hold afterwards, 2 when the shape cannot run here."""
    parser = argparse.ArgumentParser(
        prog="run.py shape",
        description="Two nodes behind a proxy with TLS, OPA, PostgreSQL with a synchronous replica, as processes on "
        "loopback: a node is killed under load, then the replica; both come back. Shows what callers saw.",
    )
    parser.add_argument("--quick", action="store_true", help="the same story, shorter and with fewer asks")
    parser.add_argument("--json", action="store_true", help="print everything as JSON")
    options = parser.parse_args()
    telemetry.set_up("error")
    console = Console(stderr=True)
    try:
        with passing_folder("shape") as folder, console.status("starting") as status:
            try:
                story, findings, missing = asyncio.run(tell(folder, QUICK if options.quick else FULL, status.update))
            finally:
                PrivatePostgres(folder / "replica").remove()
    except (WorldBroken, PostgresUnavailable) as error:
        console.print(f"shape: {error}", markup=False)
        return 2
    if options.json:
        sys.stdout.write(json.dumps(as_json(story, findings, missing), indent=2) + "\n")
    else:
        show(story, findings, missing, Console(width=WIDTH))
    return 0 if findings.held else 1


async def tell(folder: Path, plan: Plan, say: Callable[[str], Any]) -> tuple[Story, Findings, list[str]]:
    """Start everything, play the story, look back at it, and end everything."""
    async with staged_shape(folder, Nurseries.open(folder)) as shape, callers(shape) as asking:
        load = Load(asking, shape.ask)
        await load.warm()
        story = await play(shape, load, plan, say)
        return story, await look_back(shape, load.told), shape.missing


if __name__ == "__main__":
    sys.exit(main())
