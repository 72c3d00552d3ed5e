"""Rows of law as values: what a release may rest on, with its days, its two bases and its rules of form. Pure.

Rules kept here (`design.md` 6.1):
- The ground for disclosure (`paragraph`) and the ground in the GDPR (`gdpr_basis`) are two things, and both are said.
- Of one legal basis several rows may follow each other; a yes is judged by the row that holds on the day.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

# Kinds of unit that a row may name; the registry knows the same (`registry.schema.json`).
UNIT_KINDS = (
    "jobcentre", "benefits", "social_centre", "family_centre", "health_centre", "school", "citizen_service", "other",
)  # fmt: skip
# Whether a yes must be written: never, unless circumstances speak against it (SUL § 44), always.
FREE, WAIVABLE, REQUIRED = "free", "waivable", "required"
WRITTEN = frozenset({FREE, WAIVABLE, REQUIRED})


@dataclass(frozen=True, slots=True)
class LawRow:
    """A row of law: a statute, or the law a consent rests on (`written` and `years` are its form). Days inclusive.

    `purposes` gives the categories it reaches for each; `years` of None means that the law sets no end.
    `counts_meetings` says that each day something goes out on it is remembered; `verified`, that the table names who
    held the row against the law.
    """

    id: str
    paragraph: str
    gdpr_basis: str
    from_day: int
    to_day: int
    from_units: frozenset[str]
    to_units: frozenset[str]
    purposes: Mapping[str, frozenset[str]] = field(default_factory=dict)
    written: str = FREE
    years: int | None = None
    counts_meetings: bool = False
    verified: bool = False

    def carries(self, purpose: str, category: str, kinds: tuple[str, str], day: int) -> bool:
        """Tell whether the row holds for a category from one kind of unit to another on a day."""
        giving, receiving = kinds
        return (
            category in self.purposes.get(purpose, ())
            and giving in self.from_units
            and receiving in self.to_units
            and self.from_day <= day <= self.to_day
        )


def row_of(rows: Iterable[LawRow], purpose: str, category: str, kinds: tuple[str, str], day: int) -> LawRow | None:
    """Find the one row that a yes rests on, or None where no law carries it."""
    return next((row for row in rows if row.carries(purpose, category, kinds, day)), None)
