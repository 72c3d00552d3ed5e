"""Who may speak for a grown-up, in what and when: guardians, attorneys, assistants (`domain.md` 2.3, 4.3).

The same rule as `policies/person.rego` keeps, for those who are asked for a yes. Which kind may do what is a row of
`policies/tables/settings.json`; a kind without a row may do nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from broker.domain.facts import RegisterRepresentative, Representative, Subject

# Deprived of legal capacity (værgemålsloven § 6), under guardianship (§ 5), a power of attorney for the time when one
# can no longer decide (fremtidsfuldmagt), an ordinary one, and somebody who only comes along (FVL § 8).
GUARDIAN_6, GUARDIAN_5 = "guardian_6", "guardian_5"
FUTURE_POWER, POWER_OF_ATTORNEY, ASSISTANT = "future_power", "power_of_attorney", "assistant"
KINDS = frozenset({GUARDIAN_6, GUARDIAN_5, FUTURE_POWER, POWER_OF_ATTORNEY, ASSISTANT})
GUARDIANS = frozenset({GUARDIAN_6, GUARDIAN_5})

PERSONAL, ECONOMIC, DATA_SHARING = "personal", "economic", "data_sharing"
SCOPES = frozenset({PERSONAL, ECONOMIC, DATA_SHARING})


@dataclass(frozen=True, slots=True)
class RepresentativeKind:
    """What one kind may do: speak at all, speak in the person's stead, and what its paper must name for that."""

    speaks: bool
    silences: bool
    must_name: frozenset[str]


Kinds = Mapping[str, RepresentativeKind]


def speakers(subject: Subject, area: str, today: int, kinds: Kinds) -> tuple[Representative, ...]:
    """Give those who may say yes for a grown-up in one area today."""
    return tuple(row for row in subject.representatives if _speaks(row, area, today, kinds))


def silenced(speaking: Iterable[Representative], kinds: Kinds) -> bool:
    """Tell whether any of those who may speak do so in the person's stead."""
    return any(kinds[row.kind].silences for row in speaking)


def areas_of(rows: Iterable[RegisterRepresentative], today: int, kinds: Kinds) -> frozenset[str]:
    """Name the areas of somebody's life in which any of these rows of a register may speak today."""
    return frozenset(area for row in rows for area in (PERSONAL, ECONOMIC) if _speaks(row, area, today, kinds))


def _speaks(row: Representative | RegisterRepresentative, area: str, today: int, kinds: Kinds) -> bool:
    kind = kinds.get(row.kind)
    if kind is None or not kind.speaks or not row.from_day <= today <= row.to_day:
        return False
    return area in row.scope and kind.must_name <= frozenset(row.scope)
