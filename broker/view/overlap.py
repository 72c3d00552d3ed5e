"""Rule O1: how much of a week two or more helpers are there at once, in minutes and in stretches.

Rules kept here:
- A helper is a person. Two items done by the same named person at the same time are one helper (C29).
- `excess_minutes` is the sum less the union. It is a figure for data; pages speak of who comes when (`design.md` 6b p).
- Visits that only touch (08:00 to 08:00) do not overlap.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

from broker.domain.items import Item
from broker.domain.personal import Personal
from broker.view.week import DAY_MINUTES, Presence

Who = frozenset[Personal[str]] | int


@dataclass(frozen=True, slots=True, order=True)
class Stretch:
    """A stretch of one weekday in which the same two or more helpers are there; `items` are their visits' items."""

    weekday: int
    start_minute: int
    end_minute: int
    helpers: int
    items: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Overlap:
    """The figures of one week in minutes, and the stretches behind them in order of time."""

    total_minutes: int
    union_minutes: int
    excess_minutes: int
    two_or_more_minutes: int
    three_or_more_minutes: int
    stretches: tuple[Stretch, ...] = ()

    @property
    def figures(self) -> dict[str, int]:
        """The figures by name, as findings and the wire carry them."""
        return {
            "total_minutes": self.total_minutes,
            "union_minutes": self.union_minutes,
            "excess_minutes": self.excess_minutes,
            "two_or_more_minutes": self.two_or_more_minutes,
            "three_or_more_minutes": self.three_or_more_minutes,
        }


def overlap(items: tuple[Item, ...], presences: tuple[Presence, ...]) -> Overlap:
    """Measure one week's visits against one another."""
    present = [
        (presence.span, presence.item, helper_of(items, presence.item)) for presence in presences if presence.counted
    ]
    cuts = sorted({edge for span, _, _ in present for edge in span})
    total = union = two = three = 0
    stretches: list[Stretch] = []
    for start, end in pairwise(cuts):
        here = [(item, helper) for span, item, helper in present if span[0] <= start and end <= span[1]]
        helpers = len({helper for _, helper in here})
        minutes = end - start
        total += helpers * minutes
        union += minutes if helpers else 0
        two += minutes if helpers > 1 else 0
        three += minutes if helpers > 2 else 0
        if helpers > 1:
            _extend(stretches, start, end, helpers, tuple(sorted({item for item, _ in here})))
    return Overlap(total, union, total - union, two, three, tuple(stretches))


def helper_of(items: tuple[Item, ...], index: int) -> Who:
    """Tell who comes: the named helpers of an item, or the item itself where no name may be known."""
    names = frozenset(
        person.name for person in items[index].people if person.role == "helper" and person.name is not None
    )
    return names or index


def _extend(stretches: list[Stretch], start: int, end: int, helpers: int, present: tuple[int, ...]) -> None:
    """Add a stretch, or lengthen the last one when the same items go on in it on the same day."""
    weekday, first = start // DAY_MINUTES + 1, start % DAY_MINUTES
    last = first + end - start
    if stretches:
        before = stretches[-1]
        if (before.weekday, before.end_minute, before.items) == (weekday, first, present):
            stretches[-1] = Stretch(weekday, before.start_minute, last, helpers, present)
            return
    stretches.append(Stretch(weekday, first, last, helpers, present))
