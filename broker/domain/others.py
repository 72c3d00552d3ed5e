"""Seeing for another: what a holder of custody, a guardian or an attorney is shown, and the event that says so.

Rules kept here:
- Of a child under 18 the one who has custody sees it; not where the child has protection, or may have, and not where
  somebody else has custody too and the child lives elsewhere (`domain.md` 4.5 c). From 15 what the young person answers
  alone is theirs alone (SUL § 17, stk. 3).
- Of a grown-up whoever may speak for them today sees what lies in the areas they speak in.
- Of the log only answers are shown, each whole or not at all: one that names anything hidden is not there.
- What is left out leaves no word behind, and nothing shown here is proof that it is all.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from broker.domain.directory import Directory
from broker.domain.events import AuditEvent
from broker.domain.facts import RegisterPerson
from broker.domain.own_look import has_custody_and_place
from broker.domain.personal import Personal
from broker.domain.representation import areas_of

ADULT_AGE, YOUNG_AGE = 18, 15
ALONE = "alone"
CHILD, REPRESENTED = "child", "represented"
SHOWN, REFUSED = "shown", "refused"


@dataclass(frozen=True, slots=True, kw_only=True)
class SeenForAnother(AuditEvent):
    """Somebody saw what is shared about another and who looked, as one who may; or tried to. Durable before it is."""

    code: ClassVar[int] = 105
    name: ClassVar[str] = "own.seen_for_another"

    look: str
    aim: str
    outcome: str
    shared: int
    entries: int

    def index(self) -> dict[str, Any]:
        """Add the look, which ties all its entries, and what it came to."""
        return AuditEvent.index(self) | {"ask": self.look, "outcome": self.outcome}


def seen_of_child(child: RegisterPerson, holder: Personal[str], directory: Directory, today: int) -> frozenset[str]:
    """Give the categories about a child that somebody may see; none where they may see nothing."""
    if child.born is None or not has_custody_and_place(child, holder, today):
        return frozenset()
    age = (today - child.born) // 10000
    if age >= ADULT_AGE:
        return frozenset()
    known = directory.categories
    return frozenset(code for code in known if age < YOUNG_AGE or known[code].young_person != ALONE)


def seen_of_adult(person: RegisterPerson, holder: Personal[str], directory: Directory, today: int) -> frozenset[str]:
    """Give the categories about a grown-up that somebody may see who speaks for them; unknown protection protects."""
    if not person.known or person.born is None or person.dead_on is not None or person.protected is not False:
        return frozenset()
    if (today - person.born) // 10000 < ADULT_AGE:
        return frozenset()
    rows = [row for row in person.representatives if row.cpr == holder]
    areas = areas_of(rows, today, directory.representation)
    return frozenset(code for code, row in directory.categories.items() if row.area in areas)
