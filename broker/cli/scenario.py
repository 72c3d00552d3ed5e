"""`broker scenario FILE…`: play worked cases against the real broker and real department systems."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from broker.cli.say import WRONG_USE, err, fail, out, print_json
from broker.cli.stopping import STOPPED, run_until_stopped


def scenario(
    files: Annotated[list[Path], typer.Argument(help="Scenario files (scenarios/README.md)")],
    as_json: Annotated[bool, typer.Option("--json", help="Print every step's full answer as JSON")] = False,
    keep: Annotated[bool, typer.Option("--keep", help="Leave the last scenario's world up until Ctrl-C")] = False,
) -> None:
    """Play scenario files and hold them to what they expect; exit 0 only if every expectation held."""
    from demo.scenario.file import read_scenarios
    from demo.world.children import Nurseries, WorldBroken
    from demo.world.passing import passing_folder

    scenarios, broken = read_scenarios(files)
    if not scenarios:
        fail("\n".join(broken.values()), code=WRONG_USE)
    try:
        with passing_folder("scenario") as folder:
            # Before anything else, because they take longest: the other imports run beside them.
            nurseries = Nurseries.open(folder)
            held = run_until_stopped(_play(scenarios, broken, folder, nurseries, as_json=as_json, keep=keep))
    except WorldBroken as error:
        fail(str(error), code=WRONG_USE)
    except KeyboardInterrupt:
        raise typer.Exit(STOPPED) from None
    raise typer.Exit(0 if held else 1)


async def _play(
    scenarios: list[Any], broken: dict[str, str], folder: Path, nurseries: Any, *, as_json: bool, keep: bool
) -> bool:
    from demo.scenario.output import output_of
    from demo.scenario.show import Show
    from demo.scenario.theatre import play_files
    from demo.world.world import World

    show = Show(out)
    with err.status("starting") as status:
        async with World(folder, say=status.update, nurseries=nurseries) as world:

            def announce(one: Any) -> None:
                status.update(f"playing {one.file.name}")
                if not as_json:
                    show.title(one.title, one.about, one.law)

            bill = await play_files(scenarios, world, announce, lambda _: None if as_json else show.step(_))
            bill.broken.update(broken)
            status.stop()
            if as_json:
                print_json(output_of(bill.performances, bill.broken))
            else:
                show.total(bill.performances, bill.broken)
            if keep:
                await _stay(world)
    return bill.all_held


async def _stay(world: Any) -> None:
    """Say where everything is, and wait for Ctrl-C."""
    import asyncio

    err.print(f"\nthe broker is at {world.address}, log-in at {world.provider}; state in {world.files.folder}")
    err.print("Ctrl-C ends it")
    await asyncio.Event().wait()
