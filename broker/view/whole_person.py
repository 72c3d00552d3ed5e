"""From an answer's items to the view of a whole person: one pure function, read from top to bottom."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from broker.domain.directory import Directory
from broker.domain.items import Item, Silent
from broker.domain.target_groups import Stated
from broker.view.activity import is_effort
from broker.view.codes import area_of, is_counted
from broker.view.excluded import Excluded, excluded
from broker.view.finding import Finding
from broker.view.findings import findings
from broker.view.gaps import Gap, employment, gaps
from broker.view.load import MEETINGS_A_WEEK
from broker.view.people import HelpingPerson, people
from broker.view.plans import Plan, plans
from broker.view.week import IsoWeek, upcoming
from broker.view.weeks import WeekView, week_view

# The view is for complex cases: several areas at work with one citizen (L2, C12).
AREAS_NEEDED = 2


@dataclass(frozen=True, slots=True, repr=False)
class View:
    """The whole-person view of one answer. Indices in it point into the items it was made from.

    `reduced` is True when fewer than two areas are seen at work: then there are no weeks and no findings, since
    looking across areas has no ground (C12). `employment` is the section on work; when empty, a gap says so.
    `excluded` names what is shown and left out of findings or of one plan, and why.
    `computed_without` names the silent sources: findings may be missing for want of them (`design.md` 6b m).
    """

    today: int
    areas: tuple[str, ...]
    reduced: bool
    plans: tuple[Plan, ...]
    people: tuple[HelpingPerson, ...]
    employment: tuple[int, ...]
    weeks: tuple[WeekView, ...]
    findings: tuple[Finding, ...]
    computed_without: tuple[str, ...]
    gaps: tuple[Gap, ...]
    excluded: tuple[Excluded, ...]


def whole_person(
    items: tuple[Item, ...],
    silent: tuple[Silent, ...],
    directory: Directory,
    today: int,
    *,
    weeks: Iterable[IsoWeek] | None = None,
    coordinator_present: bool = False,
    meetings_a_week: int = MEETINGS_A_WEEK,
    stated: Stated | None = None,
) -> View:
    """Make the view of the items kept for one asker, on a Danish day; by default for this week and the next four.

    `coordinator_present` is True when the asker is the citizen's koordinerende sagsbehandler; `stated` is what the
    asker's own case states of the citizen, on which it rests which trials they are in.
    """
    areas = areas_at_work(items, today)
    reduced = is_reduced(items, today)
    shown = () if reduced else tuple(upcoming(today) if weeks is None else weeks)
    laid_out = tuple(week_view(items, week, today) for week in shown)
    seen = (
        ()
        if reduced
        else findings(items, laid_out, today, coordinator_present=coordinator_present, meetings_a_week=meetings_a_week)
    )
    return View(
        today=today,
        areas=areas,
        reduced=reduced,
        plans=plans(items, directory, today, stated),
        people=people(items, today),
        employment=employment(items, today),
        weeks=laid_out,
        findings=seen,
        computed_without=tuple(sorted({one.source for one in silent})),
        gaps=gaps(items, silent, directory, today, stated),
        excluded=excluded(items),
    )


def is_reduced(items: tuple[Item, ...], today: int) -> bool:
    """Tell whether the items show too few areas at work for a look across them (C12)."""
    return len(areas_at_work(items, today)) < AREAS_NEEDED


def areas_at_work(items: tuple[Item, ...], today: int) -> tuple[str, ...]:
    """Name the areas that the items show at work with the citizen today, in alphabetical order."""
    named = {area_of(item) for item in items if is_counted(item) and is_effort(item, today)}
    return tuple(sorted(area for area in named if area is not None))
