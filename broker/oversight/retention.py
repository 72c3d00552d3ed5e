"""What has been kept long enough goes, and what was approved for erasure with it: the nightly job (P9)."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from broker.domain.catalogue import CATALOGUE
from broker.domain.erasure import NotErasable, Obstacle
from broker.domain.errors import Conflict
from broker.domain.identity import OfficerLogin
from broker.oversight.erasure import Desk
from broker.ports import Eraser

KINDS = tuple(event.name for event in CATALOGUE)


@dataclass(frozen=True, slots=True)
class Kept:
    """What one municipality's run did: content deleted by log and kind, erasures carried out, and those that wait.

    `decided` is False where the registry does not say how long things are kept: then nothing was deleted.
    """

    decided: bool
    deleted: dict[str, dict[str, int]]
    erased: int
    waiting: tuple[tuple[str, tuple[Obstacle, ...]], ...]


async def keep_retention(
    municipalities: Collection[str], operator: OfficerLogin, desk: Desk, eraser: Eraser, *, dry_run: bool
) -> dict[str, Kept]:
    """Carry out what was approved, then delete what is due, municipality by municipality; a dry run only counts."""
    actor = await desk.handles.officer(operator)
    done = {}
    for municipality in sorted(municipalities):
        retention = desk.directory.municipalities[municipality].retention
        if retention is None:
            done[municipality] = Kept(False, {}, 0, ())
            continue
        at = desk.clock.now()
        erased, waiting = 0, []
        for asked in () if dry_run else await eraser.approved(municipality):
            try:
                await eraser.carry_out(asked.id, municipality, retention, actor, at)
                erased += 1
            except NotErasable as held:
                waiting.append((asked.id, held.obstacles))
            except Conflict:
                waiting.append((asked.id, ()))  # Its time ran out; it must be asked for again.
        deleted = await eraser.delete_due(municipality, retention, KINDS, actor, at, dry_run=dry_run)
        done[municipality] = Kept(True, deleted, erased, tuple(waiting))
    return done
