"""`broker retention`: the nightly job that deletes what was kept long enough, and what an archive has confirmed."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import typer

from broker.cli.citizen import AS_JSON, MUNICIPALITY
from broker.cli.citizen import run as opened_for
from broker.cli.say import out, print_json

if TYPE_CHECKING:
    from broker.cli.erasing import Opened
    from broker.oversight.retention import Kept

retention = typer.Typer(no_args_is_help=True, help="How long the log is kept: delete what is due.")


@retention.callback()
def group() -> None:
    """Keep retention."""


@retention.command()
def run(
    municipality: Annotated[list[str] | None, typer.Option(help="Only these municipalities")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only count what would go")] = False,
    as_json: AS_JSON = False,
) -> None:
    """Carry out approved erasures and delete content that was kept long enough; leaves of the log stay, and proofs.

    A municipality whose registry entry does not say how long deletes nothing. Holds and archives' duties stop it.
    """
    from broker.cli.erasing import municipality_of, told
    from broker.oversight.retention import keep_retention

    async def kept(opened: Opened) -> dict[str, Kept]:
        if opened.eraser is None:
            raise RuntimeError("opened to delete")
        mine = [municipality_of(one, opened) for one in municipality or opened.desk.directory.municipalities]
        return await keep_retention(mine, opened.operator, opened.desk, opened.eraser, dry_run=dry_run)

    done = opened_for(kept, None, deleting=True)
    if as_json:
        print_json(
            {
                home: {
                    "decided": row.decided,
                    "deleted": row.deleted,
                    "erased": row.erased,
                    "waiting": [{"erasure": i, "obstacles": [told(o) for o in held]} for i, held in row.waiting],
                }
                for home, row in done.items()
            }
        )
        return
    for home, row in done.items():
        _say(home, row, dry_run=dry_run)


def _say(home: str, row: Kept, *, dry_run: bool) -> None:
    from broker.cli.erasing import say

    if not row.decided:
        out.print(f"{home}: keeps everything; its entry in the registry has no retention", markup=False)
        return
    total = sum(sum(counts.values()) for counts in row.deleted.values())
    word = "would lose their content" if dry_run else "lost their content"
    out.print(f"{home}: {total} entries {word}, {row.erased} citizens erased", markup=False)
    for log, counts in row.deleted.items():
        out.print(f"    {log}: " + ", ".join(f"{count} {kind}" for kind, count in counts.items()), markup=False)
    for erasure, obstacles in row.waiting:
        out.print(f"    erasure {erasure} waits" if obstacles else f"    erasure {erasure} is too late", markup=False)
        for one in obstacles:
            say(one)


@retention.command()
def archived(
    municipality: MUNICIPALITY,
    until: Annotated[datetime, typer.Argument(formats=["%Y-%m-%d"], help="The last day the archive has")],
    receipt: Annotated[str, typer.Argument(help="The archive's own number for what it received")],
) -> None:
    """Write down that the archive has all it must have, to a day (arkivloven); only then may it go."""
    from broker.oversight.erasure import record_archived

    async def recorded(opened: Opened) -> None:
        await record_archived(until.date(), receipt, municipality, opened.operator, opened.desk)

    opened_for(recorded, municipality)
    out.print("recorded")
