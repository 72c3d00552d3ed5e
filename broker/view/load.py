"""Rules O1 and O7: helpers at the same time, meetings that are many or collide. Equal weeks make one finding."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from broker.domain.days import day_number
from broker.domain.items import Item
from broker.view.codes import is_counted
from broker.view.finding import Finding, sources_of
from broker.view.overlap import Overlap, Stretch, overlap
from broker.view.week import IsoWeek
from broker.view.weeks import WeekView

# `domain.md` leaves N open. More than three meetings a week is our default; the municipality may set another.
MEETINGS_A_WEEK = 3


def helpers_at_once(items: tuple[Item, ...], weeks: tuple[WeekView, ...], today: int) -> Iterator[Finding]:
    """Find where two or more helpers are there at once (O1); weeks with the same picture are told together."""
    alike: dict[Overlap, list[IsoWeek]] = {}
    for view in weeks:
        if view.overlap.two_or_more_minutes:
            alike.setdefault(view.overlap, []).append(view.week)
    for seen, where in alike.items():
        indices = tuple(sorted({index for stretch in seen.stretches for index in stretch.items}))
        yield _finding("O1", items, indices, seen.figures, where, seen.stretches, today)


def meeting_load(
    items: tuple[Item, ...], weeks: tuple[WeekView, ...], today: int, *, most: int = MEETINGS_A_WEEK
) -> Iterator[Finding]:
    """Find weeks with more than `most` meetings, or with two at the same time (O7)."""
    alike: dict[tuple[tuple[int, ...], int, tuple[Stretch, ...]], list[IsoWeek]] = {}
    for view in weeks:
        timed = {(meeting.item, meeting.weekday) for meeting in view.meetings if meeting.counted}
        untimed = [index for index, item in enumerate(items) if _is_untimed_meeting(item, view.week)]
        colliding = overlap(items, view.meetings).stretches
        count = len(timed) + len(untimed)
        if count > most or colliding:
            indices = tuple(sorted({index for index, _ in timed} | set(untimed)))
            alike.setdefault((indices, count, colliding), []).append(view.week)
    for (indices, count, colliding), where in alike.items():
        figures = {"meetings": count, "collisions": len(colliding), "most": most}
        yield _finding("O7", items, indices, figures, where, colliding, today)


def _is_untimed_meeting(item: Item, week: IsoWeek) -> bool:
    """Tell whether an item is a meeting on one day of this week, of which only the day is known."""
    if item.kind != "meeting" or item.visits or item.from_day is None or item.status == "cancelled":
        return False
    return item.to_day in {None, item.from_day} and IsoWeek.of(item.from_day) == week and is_counted(item)


def _finding(
    rule: str,
    items: tuple[Item, ...],
    indices: tuple[int, ...],
    figures: dict[str, int],
    weeks: list[IsoWeek],
    stretches: tuple[Stretch, ...],
    today: int,
) -> Finding:
    weekday = stretches[0].weekday if stretches else 1
    from_day = day_number(weeks[0].monday + timedelta(days=weekday - 1))
    return Finding(
        rules=(rule,),
        items=indices,
        sources=sources_of(items, indices),
        figures=figures,
        weeks=tuple(str(week) for week in weeks),
        stretches=stretches,
        from_day=from_day,
        future=from_day > today,
    )
