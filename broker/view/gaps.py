"""What the view cannot show: sources that gave no answer, and work, which every citizen's plan must speak of.

A gap tells of what was asked for and permitted. That something is withheld is no gap and leaves no trace here (P6).
"""

from __future__ import annotations

from dataclasses import dataclass

from broker.domain.items import Item, Silent
from broker.view.activity import is_effort
from broker.view.codes import EMPLOYMENT, area_of, is_counted

SOURCE_SILENT = "source_silent"
NO_EMPLOYMENT = "no_employment"


@dataclass(frozen=True, slots=True)
class Gap:
    """A hole in the view: `source_silent` with its source and why, or `no_employment` for the area of work (C25)."""

    code: str
    source: str | None = None
    why: str | None = None
    area: str | None = None


def employment(items: tuple[Item, ...], today: int) -> tuple[int, ...]:
    """List the items that show work with a job in view: the section no view goes without (L3, C25)."""
    return tuple(
        index
        for index, item in enumerate(items)
        if area_of(item) == EMPLOYMENT and is_counted(item) and is_effort(item, today)
    )


def gaps(items: tuple[Item, ...], silent: tuple[Silent, ...], today: int) -> tuple[Gap, ...]:
    """List the holes: silent sources by name, then work if nothing about it can be shown."""
    found = [Gap(SOURCE_SILENT, source=one.source, why=one.why) for one in sorted(silent, key=lambda one: one.source)]
    if not employment(items, today):
        found.append(Gap(NO_EMPLOYMENT, area=EMPLOYMENT))
    return tuple(found)
