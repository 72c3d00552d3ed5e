"""What the view cannot show: sources that gave no answer, and work, which every citizen's plan must speak of.

A gap tells of what was asked for and permitted. That something is withheld is no gap and leaves no trace here (P6).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from broker.domain.directory import Directory
from broker.domain.items import Item, Silent
from broker.domain.target_groups import Stated
from broker.view.activity import days_between, is_effort
from broker.view.codes import EMPLOYMENT, area_of, is_counted

SOURCE_SILENT = "source_silent"
NO_EMPLOYMENT = "no_employment"
FEW_CONTACTS = "few_contacts"


@dataclass(frozen=True, slots=True)
class Gap:
    """A hole in the view: `source_silent` with its source and why, `no_employment` for the area of work (C25).

    Or `few_contacts` where the follow-up seen falls short of what a trial must keep up in total: `held` of `needed`.
    """

    code: str
    source: str | None = None
    why: str | None = None
    area: str | None = None
    held: int | None = None
    needed: int | None = None


def employment(items: tuple[Item, ...], today: int) -> tuple[int, ...]:
    """List the items that show work with a job in view: the section no view goes without (L3, C25)."""
    return tuple(
        index
        for index, item in enumerate(items)
        if area_of(item) == EMPLOYMENT and is_counted(item) and is_effort(item, today)
    )


def gaps(
    items: tuple[Item, ...],
    silent: tuple[Silent, ...],
    directory: Directory,
    today: int,
    stated: Stated | None = None,
) -> tuple[Gap, ...]:
    """List the holes: silent sources by name, work if nothing about it can be shown, follow-up that falls short."""
    found = [Gap(SOURCE_SILENT, source=one.source, why=one.why) for one in sorted(silent, key=lambda one: one.source)]
    if not employment(items, today):
        found.append(Gap(NO_EMPLOYMENT, area=EMPLOYMENT))
    return tuple(found) + tuple(_few_contacts(items, directory, today, stated))


def _few_contacts(items: tuple[Item, ...], directory: Directory, today: int, stated: Stated | None) -> Iterator[Gap]:
    """Count the talks held, over all areas that are seen, against what each trial in force must reach (L3, C26)."""
    homes = {directory.sources[item.source].municipality for item in items if item.source in directory.sources}
    held_on = [item.from_day for item in items if item.kind == "meeting" and is_counted(item) and item.from_day]
    for _, trial in sorted(directory.trials.items()):
        if trial.municipality in homes and trial.is_for(stated, today) and trial.contacts:
            held = sum(day <= today and days_between(day, today) < trial.contact_days for day in held_on)
            if held < trial.contacts:
                yield Gap(FEW_CONTACTS, held=held, needed=trial.contacts)
