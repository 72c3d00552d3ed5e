"""`broker demo`: two invented municipalities on this machine, with pages and a guided tour; or every scenario, once."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from broker.cli.say import WRONG_USE, err, fail, out
from broker.cli.stopping import STOPPED, run_until_stopped

FOLDER = Path(".borgerbro")


def demo(
    once: Annotated[bool, typer.Option("--once", help="Play every scenario and end; exit 0 only if all held")] = False,
    reset: Annotated[bool, typer.Option("--reset", help="Delete what earlier runs left, then start")] = False,
    tour: Annotated[bool, typer.Option("--tour", help="Give the tour without waiting for Enter")] = False,
    port: Annotated[int, typer.Option(min=0, max=65535, help="The broker's port; 0 chooses one")] = 8080,
    folder: Annotated[Path, typer.Option(help="Where all state of the demo stands")] = FOLDER,
) -> None:
    """Start the live demo, give the tour, and stay up until Ctrl-C."""
    from demo.tour.folder import prepare
    from demo.world.children import Nurseries, WorldBroken

    if once:
        _play_all()
    try:
        prepare(folder.absolute(), anew=reset)
        # First of all, because they take longest: the other imports run beside them.
        nurseries = Nurseries.open(folder.absolute())
        run_until_stopped(_live(folder.absolute(), port, nurseries, tour=tour))
    except WorldBroken as error:
        fail(str(error), code=WRONG_USE)
    except OSError as error:
        fail(f"{error.filename or folder}: {error.strerror}", code=WRONG_USE)
    except KeyboardInterrupt:
        err.print("\nstopped; nothing is left running", markup=False)
        raise typer.Exit(STOPPED) from None


def _play_all() -> None:
    from broker.cli.scenario import scenario
    from demo.tour.house import SCENARIOS

    scenario(sorted(SCENARIOS.glob("*.yaml")), as_json=False, keep=False)


async def _live(folder: Path, port: int, nurseries: Any, *, tour: bool) -> None:
    import asyncio
    import sys

    from demo.tour.guide import lead_tour, no_pause, until_enter
    from demo.tour.house import demo_world

    status = err.status("starting")
    status.start()
    try:
        async with demo_world(folder, port, status.update, nurseries) as (world, scenario):
            status.stop()
            _tell(world, scenario)
            if tour or sys.stdin.isatty():
                await lead_tour(world, out, no_pause if tour else until_enter)
            err.print("\nCtrl-C ends the demo", markup=False)
            await asyncio.Event().wait()
    finally:
        status.stop()


def _tell(world: Any, scenario: Any) -> None:
    """Print where everything is, and who can log in."""
    from broker.consents.desk_powers import DESK_ROLE

    people = ", ".join(row["name"] for row in scenario.cast.people.values())
    at_work = scenario.cast.caseworkers.values()
    desk = [row["name"] for row in at_work if any(role["name"] == DESK_ROLE for role in row["roles"])]
    caseworkers = ", ".join(row["name"] for row in at_work if row["name"] not in desk)
    home = Path.cwd()
    folder = world.files.folder.relative_to(home) if world.files.folder.is_relative_to(home) else world.files.folder
    rows = (
        ("the broker", world.address),
        ("citizens", f"{world.address}/mine        log in as {people}"),
        ("caseworkers", f"{world.address}/case        log in as {caseworkers}"),
        ("the desk", f"{world.address}/desk        log in as {', '.join(desk) or 'nobody here'}"),
        ("DPO", f"{world.address}/dpo         log in as a municipality's DPO"),
        ("reference", f"{world.address}/reference"),
        ("ask yourself", f".venv/bin/python -m broker ask {folder}/ask.json --as {folder}/lene.json"),
        ("all state", str(folder)),
    )
    out.print()
    for name, value in rows:
        out.print(f"  {name:<14}{value}", markup=False)
    out.print("  Everybody is invented. Log-ins take no password: one chooses who to be.", markup=False)
