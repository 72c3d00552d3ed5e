"""A trial: a year is played once, and every arm has its share of each day reviewed on the next working morning.

Who reviews an access of a snooper's finds them, unless the eye is weaker: the ranking is what is tried here, not the
leader who explains. A snooper who was found looks no more, in that arm.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import count

from bench.year.almanac import is_working_day, midnight
from bench.year.arms import Arm
from bench.year.chance import chance
from bench.year.year import Played, Year
from broker.domain.accesses import Access

BUDGET = 20
MORNING = 8 * 3600


@dataclass(frozen=True, slots=True)
class Hunted:
    """One snooper in one arm: first access, and the day found, counted from the first of January; None if never."""

    kind: str
    live: bool
    accesses: int
    first: int
    found: int | None

    @property
    def took(self) -> int | None:
        """Give the days from the first access to the morning of the review."""
        return None if self.found is None else self.found - self.first


@dataclass(slots=True)
class Tally:
    """What one arm came to in one year."""

    name: str
    hunted: list[Hunted] = field(default_factory=list)
    reviews: int = 0
    days: int = 0
    honest: dict[str, int] = field(default_factory=dict)  # Why the honest accesses were made that were reviewed.

    @property
    def false_alarms(self) -> float:
        """Give how many of a day's honest accesses were reviewed."""
        return sum(self.honest.values()) / self.days if self.days else 0.0


@dataclass(slots=True)
class _Review:
    """An arm at work: whom it has found, and when."""

    arm: Arm
    tally: Tally
    found: dict[int, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Reviewer:
    """Who reviews: how often they see through a snooper's access, and how many accesses of a day they can take."""

    eye: float
    seed: int
    budget: int

    def sees(self, access: Access) -> bool:
        """Tell whether a review of this access finds its snooper; always the same of the same access."""
        return chance(self.seed, "eye", access.entry).random() < self.eye


def play(
    year: Year, arms: Sequence[Arm], eye: float, seed: int, budget: int, told: Callable[[Played], None]
) -> Iterator[Tally]:
    """Play a year through for all arms at once, and yield what each came to; `told` hears of each day."""
    reviews = [_Review(arm, Tally(arm.name)) for arm in arms]
    first: dict[int, int] = {}
    counts: dict[int, int] = {}
    key: dict[int, int] = {}
    for played in year.days():
        key |= played.key.snoopers
        for number in played.key.snoopers.values():
            first.setdefault(number, played.day)
            counts[number] = counts.get(number, 0) + 1
        for review in reviews:
            _review(review, played, key, Reviewer(eye, seed, budget))
        told(played)
    for review in reviews:
        review.tally.hunted = [
            Hunted(one.kind.name, one.kind.live, counts[one.number], first[one.number], review.found.get(one.number))
            for one in year.snoopers if one.number in first
        ]  # fmt: skip
        yield review.tally


def _review(review: _Review, played: Played, key: dict[int, int], reviewer: Reviewer) -> None:
    """Let one arm have its share of a day reviewed; what found snoopers would have done since is not on its log."""
    found, tally = review.found, review.tally
    morning = next(day for day in count(played.day + 1) if is_working_day(day))
    seen = [one for one in played.accesses if found.get(key.get(one.entry, -1), morning) > played.day]
    why = {one.entry: reason for one, reason in zip(played.accesses, played.key.why, strict=True)}
    tally.days += 1
    for access in review.arm.choose(seen, midnight(morning) + MORNING, reviewer.budget)[: reviewer.budget]:
        tally.reviews += 1
        number = key.get(access.entry)
        if number is None:
            # A ranking may show an access of some days ago again.
            reason = why.get(access.entry, "of days before")
            tally.honest[reason] = tally.honest.get(reason, 0) + 1
        elif reviewer.sees(access):
            found.setdefault(number, morning)
