"""Rules O4 and O5: an assessment or a medical statement is about to be made twice. Metadata only: topic and day."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations

from broker.domain.items import Item
from broker.view.activity import ASSESSMENT_DAYS, NOT_BEGUN, STATEMENT_DAYS, days_between, is_open
from broker.view.codes import is_counted
from broker.view.finding import Finding, sources_of


def duplicate_assessments(items: tuple[Item, ...], today: int) -> Iterator[Finding]:
    """Find pairs of assessments of one topic within 365 days, where at least one is not finished (O4).

    Days are counted from the end of the earlier one (or its start, if no end is told) to the start of the later.
    One that is ordered without a date counts as ordered today.
    """
    for one, other in combinations(_of_kind(items, "assessment"), 2):
        pair = sorted(_assessment_days(items[index], today) for index in (one, other))
        gap = 0 if pair[1][0] <= pair[0][1] else days_between(pair[0][1], pair[1][0])
        topics = _common_topics(items[one], items[other])
        still_open = [index for index in (one, other) if is_open(items[index], today)]
        if topics and still_open and gap <= ASSESSMENT_DAYS:
            yield Finding(
                rules=("O4",),
                items=(one, other),
                sources=sources_of(items, (one, other)),
                figures={"assessments": 2, "open": len(still_open), "days_between": gap},
                codes=topics,
            )


def duplicate_statements(items: tuple[Item, ...], today: int) -> Iterator[Finding]:
    """Find medical statements of overlapping topic within 180 days of one another (O5), linked ones as one list.

    Only what can still be helped counts: one is asked for, or the later is not older than 180 days.
    """
    linked: dict[int, set[int]] = {}
    for one, other in combinations(_of_kind(items, "statement"), 2):
        if _repeats(items[one], items[other], today):
            together = linked.get(one, {one}) | linked.get(other, {other})
            linked.update(dict.fromkeys(together, together))
    for group in sorted({tuple(sorted(together)) for together in linked.values()}):
        days = [items[index].from_day or today for index in group]
        repeated = combinations(group, 2)
        yield Finding(
            rules=("O5",),
            items=group,
            sources=sources_of(items, group),
            figures={
                "statements": len(group),
                "requested": sum(_is_requested(items[index], today) for index in group),
                "first_day": min(days),
                "last_day": max(days),
            },
            codes=tuple(sorted({topic for a, b in repeated for topic in _common_topics(items[a], items[b])})),
        )


def _of_kind(items: tuple[Item, ...], kind: str) -> list[int]:
    return [
        index
        for index, item in enumerate(items)
        if item.kind == kind and item.status != "cancelled" and is_counted(item)
    ]


def _assessment_days(item: Item, today: int) -> tuple[int, int]:
    """Give the days an assessment takes; one that is still open lasts at least until today."""
    first = item.from_day or item.to_day or today
    last = item.to_day or first
    return first, max(first, last, today) if is_open(item, today) else max(first, last)


def _repeats(one: Item, other: Item, today: int) -> bool:
    days = [item.from_day or today for item in (one, other)]
    recent = (
        any(_is_requested(item, today) for item in (one, other)) or days_between(max(days), today) <= STATEMENT_DAYS
    )
    return recent and days_between(*days) <= STATEMENT_DAYS and bool(_common_topics(one, other))


def _is_requested(item: Item, today: int) -> bool:
    return item.status in NOT_BEGUN or (item.from_day or today) > today


def _common_topics(one: Item, other: Item) -> tuple[str, ...]:
    """List the topics two items share, if they are about the same person."""
    if one.subject != other.subject:
        return ()
    return tuple(sorted(_topics(one) & _topics(other)))


def _topics(item: Item) -> frozenset[str]:
    return frozenset(topic.strip() for topic in (item.topic or "").split(",") if topic.strip())
