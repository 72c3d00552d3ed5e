"""The weeks of a view: who comes when, which meetings there are, and how much of it falls together."""

from __future__ import annotations

from dataclasses import dataclass

from broker.domain.items import Item
from broker.view.overlap import Overlap, overlap
from broker.view.week import IsoWeek, Presence, presences

_VISITS = frozenset({"intervention", "visit"})
_MEETINGS = frozenset({"meeting"})


@dataclass(frozen=True, slots=True, repr=False)
class WeekView:
    """One week: visits and meetings in order of time, and the overlap of the visits that count."""

    week: IsoWeek
    visits: tuple[Presence, ...]
    meetings: tuple[Presence, ...]
    overlap: Overlap


def week_view(items: tuple[Item, ...], week: IsoWeek, today: int) -> WeekView:
    """Lay out one week."""
    visits = presences(items, _VISITS, week, today)
    return WeekView(week, visits, presences(items, _MEETINGS, week, today), overlap(items, visits))
