"""What each sign of the ranking looks at, in one access seen beside what is remembered and what registers answer.

Each gives how strongly it speaks: nought where it does not, one where it does, up to two for what grows by degrees.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeAlias

from broker.domain.accesses import Access
from broker.domain.relations import Relation

REFUSED, EVALUATED = "refused", "evaluated"
DAYS_OF_HABIT = 10
ACCESSES_OF_HABIT = 60
STRONGEST = 2.0
HOUR_SECONDS = 3600
KIN_REASONS = frozenset({"SELF_OR_RELATED"})
VIP_REASONS = frozenset({"VIP_NO_GROUNDS"})
RELATION_REASONS = frozenset({"NO_CASE_RELATION", "CASE_MISMATCH"})
DELEGATION_REASONS = frozenset({"NO_DELEGATION", "DELEGATION_EXPIRED", "OUTSIDE_DELEGATION"})

Bounds: TypeAlias = Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Sighting:
    """An access with everything a sign may look at; counts have this access in them."""

    access: Access
    relation: Relation
    asked: int
    free_time: bool  # a night, a weekend or a public holiday
    hour_share: float
    unit_known: bool  # enough of the unit's work was seen to know its hours
    an_hour: int
    today: int
    day_above: float
    worker_days: int
    pair_looks: float
    pair_days: int
    pair_above: float
    alone: bool
    crowd: int
    on_case: int
    unit_share: float
    purpose_share: float
    worker_accesses: int
    refused_today: int
    used_today: bool
    unrelated_at: int
    unrelated_above: float
    foreign: bool
    delegated: bool
    let_in_later: bool  # refused, and let in the same day, then named on a case

    @property
    def named(self) -> bool | None:
        """Whether who looked was named on a case of the citizen then."""
        return self.relation.named_at(self.access.at)


Test: TypeAlias = Callable[[Sighting, Bounds], float]


def _spoken(said: object) -> float:
    return 1.0 if said else 0.0


def _beyond(value: float, bound: float) -> float:
    """Speak from a bound on, and the louder the further beyond it."""
    return min(STRONGEST, value / bound) if value >= bound else 0.0


def _many_today(seen: Sighting, bounds: Bounds) -> float:
    unusual = seen.today >= bounds["citizens"] and seen.worker_days >= DAYS_OF_HABIT
    return _beyond(seen.day_above, bounds["spreads"]) if unusual else 0.0


def _more_than_usual(seen: Sighting, bounds: Bounds) -> float:
    return _beyond(seen.pair_above, bounds["spreads"]) if seen.pair_looks >= bounds["looks"] else 0.0


def _again_alone(seen: Sighting, bounds: Bounds) -> float:
    return _beyond(seen.pair_days, bounds["days"]) if seen.alone and not seen.named else 0.0


def _brief(seen: Sighting, bounds: Bounds) -> float:
    begun, ended = seen.relation.named_from, seen.relation.named_to
    return _spoken(begun and ended and ended <= seen.asked and ended - begun < bounds["hours"] * HOUR_SECONDS)


def _ended(seen: Sighting, _: Bounds) -> float:
    begun, ended = seen.relation.named_from, seen.relation.named_to
    return _spoken(begun and ended and ended <= seen.access.at)


def _came_after(seen: Sighting, _: Bounds) -> float:
    begun, first = seen.relation.named_from or 0, seen.unrelated_at
    return _spoken(begun and (begun > seen.access.at or (first and first < begun <= seen.access.at)))


def _outside_hours(seen: Sighting, _: Bounds) -> float:
    return _spoken(seen.free_time)


def _stranger_to_unit(seen: Sighting, bounds: Bounds) -> float:
    return _spoken(seen.worker_accesses >= ACCESSES_OF_HABIT and seen.unit_share < bounds["share"])


def _strange_purpose(seen: Sighting, bounds: Bounds) -> float:
    return _spoken(seen.worker_accesses >= ACCESSES_OF_HABIT and seen.purpose_share < bounds["share"])


def _reason(codes: frozenset[str]) -> Test:
    return lambda seen, _: _spoken(codes.intersection(seen.access.reasons))


TESTS: Mapping[str, Test] = {
    "no_case": lambda seen, _: _spoken(seen.named is False),
    "case_ended": _ended,
    "case_after": _came_after,
    "case_brief": _brief,
    "colleague": lambda seen, _: _spoken(seen.relation.colleague),
    "same_surname": lambda seen, _: _spoken(seen.relation.same_surname),
    "same_address": lambda seen, _: _spoken(seen.relation.same_address),
    "family": lambda seen, _: _spoken(seen.relation.family),
    "kin_refused": _reason(KIN_REASONS),
    "vip": lambda seen, _: _spoken(seen.relation.vip),
    "vip_refused": _reason(VIP_REASONS),
    "no_case_refused": _reason(RELATION_REASONS),
    "recorder_gains": lambda seen, _: _spoken(seen.relation.recorder_gains),
    "many_an_hour": lambda seen, bounds: _beyond(seen.an_hour, bounds["citizens"]),
    "many_today": _many_today,
    "many_unrelated": lambda seen, bounds: _beyond(seen.unrelated_above, bounds["spreads"]) if not seen.named else 0.0,
    "again_alone": _again_alone,
    "more_than_usual": _more_than_usual,
    "first_alone": lambda seen, _: _spoken(seen.alone and seen.pair_days <= 1 and seen.named is False),
    "crowd": lambda seen, bounds: _beyond(seen.crowd, bounds["caseworkers"]) if not seen.named else 0.0,
    "one_case_for_many": lambda seen, bounds: _beyond(seen.on_case, bounds["citizens"]),
    "outside_hours": _outside_hours,
    "foreign": lambda seen, _: _spoken(seen.foreign),
    "delegation_refused": _reason(DELEGATION_REASONS),
    "emergency": lambda seen, _: _spoken(seen.access.emergency),
    "denied_tries": lambda seen, bounds: (
        _beyond(seen.refused_today, bounds["citizens"]) if seen.access.outcome == REFUSED else 0.0
    ),
    "asked_only": lambda seen, _: _spoken(seen.access.outcome == EVALUATED and not seen.used_today),
    "strange_unit": _stranger_to_unit,
    "strange_purpose": _strange_purpose,
}

EXPLAINS: Mapping[str, Callable[[Sighting], bool]] = {
    "own_case": lambda seen: seen.named is True,
    "covering": lambda seen: bool(seen.relation.covering and seen.relation.team is not False),
    "team": lambda seen: seen.relation.team is True,
    "unit_works_then": lambda seen: seen.unit_known and seen.hour_share >= 0.25,
    "on_duty": lambda seen: seen.relation.covering is True,
    "let_in_later": lambda seen: seen.let_in_later,
    "delegated": lambda seen: seen.delegated,
}
