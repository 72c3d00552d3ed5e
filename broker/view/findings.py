"""All findings O1 to O9 over the items of one answer, and rules O8 and O9 themselves."""

from __future__ import annotations

from collections.abc import Iterator

from broker.domain.items import Item
from broker.view.activity import is_coming, period
from broker.view.assessments import duplicate_assessments, duplicate_statements
from broker.view.codes import is_counted
from broker.view.finding import Finding, acts_of, sources_of, start_fields
from broker.view.load import MEETINGS_A_WEEK, helpers_at_once, meeting_load
from broker.view.needs import demands_against_limits, same_need
from broker.view.people import COORDINATOR, HelpingPerson, people
from broker.view.weeks import WeekView

MANY_PLANS = 2
MANY_CONTACTS = 3


def findings(
    items: tuple[Item, ...],
    weeks: tuple[WeekView, ...],
    today: int,
    *,
    coordinator_present: bool = False,
    meetings_a_week: int = MEETINGS_A_WEEK,
) -> tuple[Finding, ...]:
    """Find what is worth a talk, in the order of the rules, then of days."""
    found = [
        *helpers_at_once(items, weeks, today),
        *same_need(items, today),
        *demands_against_limits(items, today),
        *duplicate_assessments(items, today),
        *duplicate_statements(items, today),
        *meeting_load(items, weeks, today, most=meetings_a_week),
        *many_plans(items, today),
        *many_contacts(items, today, coordinator_present=coordinator_present),
    ]
    return tuple(sorted(found, key=lambda finding: finding.order))


def many_plans(items: tuple[Item, ...], today: int) -> Iterator[Finding]:
    """Find two or more written plans in force at once, on the first such day from today on (O8)."""
    written = [
        index for index, item in enumerate(items) if item.kind == "plan" and is_counted(item) and is_coming(item, today)
    ]
    for day in _starts(items, written, today):
        held = tuple(index for index in written if _holds(items[index], day, today))
        if len(held) >= MANY_PLANS:
            from_day, future = start_fields(day, today)
            yield Finding(
                rules=("O8",),
                items=held,
                sources=sources_of(items, held),
                figures={"plans": len(held)},
                codes=tuple(sorted(items[index].plan_type or "" for index in held)),
                acts=tuple(sorted(frozenset[str]().union(*(acts_of(items[index]) for index in held)))),
                from_day=from_day,
                future=future,
            )
            return


def many_contacts(items: tuple[Item, ...], today: int, *, coordinator_present: bool) -> Iterator[Finding]:
    """Find three or more people around a citizen on one day, with nobody to coordinate them (O9)."""
    rows = people(items, today)
    if coordinator_present or any(row.role == COORDINATOR for row in rows):
        return
    weighed = {support.item for row in rows for support in row.supports if not support.outside_trial}
    for day in _starts(items, sorted(weighed), today):
        held = {index for index in weighed if _holds(items[index], day, today)}
        count = _distinct(rows, held)
        if count >= MANY_CONTACTS:
            indices = tuple(sorted(held))
            from_day, future = start_fields(day, today)
            yield Finding(
                rules=("O9",),
                items=indices,
                sources=sources_of(items, indices),
                figures={"people": count, "coordinators": 0},
                from_day=from_day,
                future=future,
            )
            return


def _distinct(rows: tuple[HelpingPerson, ...], held: set[int]) -> int:
    """Count the people behind these items; one with two roles is one, one without a name is one for each item."""
    here = [row for row in rows if any(support.item in held for support in row.supports)]
    named = {row.name for row in here if row.name is not None}
    return len(named) + sum(row.name is None for row in here)


def _starts(items: tuple[Item, ...], indices: list[int], today: int) -> list[int]:
    return sorted({max(today, period(items[index], today)[0]) for index in indices})


def _holds(item: Item, day: int, today: int) -> bool:
    first, last = period(item, today)
    return first <= day <= last
