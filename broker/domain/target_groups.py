"""Target groups: whom a trial is for, and what the asking unit's own case says of the citizen that decides it. Pure.

Rules kept here:
- A trial may be for some ages, some benefits, and for those with children of some ages (C13). It is for those of whom
  the case itself states all that it asks about, in a statement that is not too old: what nobody stated is not so.
- No register is asked for it, so that whether a trial holds tells the asker nothing of children they did not state.
"""

from __future__ import annotations

from dataclasses import dataclass

# A statement holds a year, as roles do; then the unit states it anew.
YEARS = 1
Ages = tuple[int, int]


@dataclass(frozen=True, slots=True, repr=False)
class Stated:
    """What a case states of its citizen, on which day (YYYYMMDD): age, benefit (a code), and ages of children."""

    on: int
    age: int | None = None
    benefit: str | None = None
    child_ages: tuple[int, ...] = ()

    def holds(self, today: int) -> bool:
        """Tell whether it was stated already, and less than a year ago."""
        return self.on <= today < self.on + 10000 * YEARS


@dataclass(frozen=True, slots=True)
class TargetGroup:
    """Whom a trial is for: ages, and ages of children, both ends inside; benefits. None or empty asks nothing."""

    ages: Ages | None = None
    benefits: frozenset[str] = frozenset()
    child_ages: Ages | None = None

    @property
    def everybody(self) -> bool:
        """Whether nothing is asked."""
        return self.ages is None and not self.benefits and self.child_ages is None

    def covers(self, stated: Stated | None, today: int) -> bool:
        """Tell whether what a case states, if anything, puts its citizen in the group today."""
        if self.everybody:
            return True
        if stated is None or not stated.holds(today):
            return False
        of_age = self.ages is None or (stated.age is not None and _between(stated.age, self.ages))
        of_benefit = not self.benefits or stated.benefit in self.benefits
        with_child = self.child_ages is None or any(_between(age, self.child_ages) for age in stated.child_ages)
        return of_age and of_benefit and with_child


EVERYBODY = TargetGroup()


def _between(age: int, ages: Ages) -> bool:
    return ages[0] <= age <= ages[1]
