"""A citizen's own view: who helps them with what, their weeks, and what falls together. Pure.

Whoever has help in one area alone sees it too: that a look across areas needs several holds for helpers (C12), not for
the one it is about (GDPR art. 15).
"""

from __future__ import annotations

from dataclasses import dataclass

from broker.domain.items import Item
from broker.view.activity import is_coming
from broker.view.finding import Finding
from broker.view.findings import findings
from broker.view.people import HelpingPerson, people
from broker.view.week import upcoming
from broker.view.weeks import WeekView, week_view

# Helpers at once, and meetings: what a week shows. The others are about what the help is.
OF_TIME = frozenset({"O1", "O7"})


@dataclass(frozen=True, slots=True, repr=False)
class OwnView:
    """What a citizen sees of their own help. Indices point into the items it was made from.

    `topics` are the items that go on or come, by need where they have one, else by category.
    """

    today: int
    people: tuple[HelpingPerson, ...]
    topics: tuple[tuple[str, tuple[int, ...]], ...]
    weeks: tuple[WeekView, ...]
    of_time: tuple[Finding, ...]
    of_help: tuple[Finding, ...]


def own_view(items: tuple[Item, ...], today: int) -> OwnView:
    """Make the view of this week and the next four. That nobody coordinates is the municipality's to see, not said."""
    weeks = tuple(week_view(items, week, today) for week in upcoming(today))
    seen = findings(items, weeks, today, coordinator_present=True)
    topics: dict[str, list[int]] = {}
    for index, item in enumerate(items):
        if is_coming(item, today):
            topics.setdefault(f"need:{item.need}" if item.need else f"category:{item.category}", []).append(index)
    return OwnView(
        today=today,
        people=people(items, today),
        topics=tuple((name, tuple(held)) for name, held in sorted(topics.items(), reverse=True)),
        weeks=weeks,
        of_time=tuple(one for one in seen if OF_TIME & set(one.rules)),
        of_help=tuple(one for one in seen if not OF_TIME & set(one.rules)),
    )
