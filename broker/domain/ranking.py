"""Which accesses of a day deserve a look first, and by which signs: pure, day by day, in bounded memory.

Rules kept here:
- What is ranked is an access. The reader is told which signs spoke, and what explains those that were left out.
- A sign that speaks of everything says nothing: each weighs as much as it is seldom, in the log and in who looked.
- What was shown rests for a time, and nobody stands twice on one day's list of reviews.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from itertools import groupby

from broker.domain.accesses import Access
from broker.domain.days import DANISH_TIME, day_number
from broker.domain.habits import Pair, Past, Spread, day_of_moment
from broker.domain.relations import Relation, Relations
from broker.domain.sightings import EVALUATED, EXPLAINS, REFUSED, TESTS, Sighting
from broker.domain.signs import RankingRules, Sign
from broker.domain.working_days import is_working_day

# How many accesses the expected share of a sign counts for, beside those that were seen: of all, and of one employee.
PRIOR, OWN_PRIOR = 2000, 50
KNOWN_UNIT = 500
RESTED, REST_OF_AN_EMPLOYEE, FRESHLY_SHOWN = 0.1, 10, 0.4
YOUNG_CASE_DAYS, AGAIN_DAYS = 2, 7
HOUR_SECONDS = 3600


@dataclass(frozen=True, slots=True)
class Ranked:
    """An access in its place: the signs that spoke, the weightiest first, and (sign, explanation) of those left out."""

    access: Access
    score: float
    spoke: tuple[str, ...]
    explained: tuple[tuple[str, str], ...] = ()


@dataclass(slots=True)
class _Today:
    """What is counted within one day."""

    day: int
    asked: int
    weekday: int
    working: bool
    citizens: dict[str, set[str]] = field(default_factory=dict)
    refused: dict[str, set[str]] = field(default_factory=dict)
    # By caseworker and citizen: when something was handed out last.
    used: dict[tuple[str, str], int] = field(default_factory=dict)
    windows: dict[str, deque[tuple[int, str]]] = field(default_factory=dict)

    def in_an_hour(self, access: Access) -> int:
        """Count the citizens that somebody looked at in the hour up to an access."""
        window = self.windows.setdefault(access.actor, deque())
        window.append((access.at, access.citizen))
        while window[0][0] <= access.at - HOUR_SECONDS:
            window.popleft()
        return len({citizen for _, citizen in window})


def day_ranking(day: Sequence[Access], past: Past, rules: RankingRules, relations: Relations) -> list[Ranked]:
    """Rank one Danish day's accesses, and write the day into what is remembered.

    The first are those to review, as many as the rules say and of as many employees; the others that a sign speaks of
    follow. An access of a week ago stands among them where its case has turned out to have been brief.
    """
    if not day:
        return []
    accesses = sorted(day, key=lambda access: (access.at, access.log, access.entry))
    today = _today(accesses)
    past.forget(today.day, rules.remember_days)
    found = [_judged(access, past, today, rules, relations) for access in accesses]
    late = _again(past, today, rules, relations)
    _note_day(found, past, today)
    found += late
    listed = _in_order([one for one in found if one.score > 0], past, today.day, rules)
    for one in listed[: rules.reviews_a_day]:
        pair = past.pair(one.access)
        pair.shown_on, pair.shown_for = today.day, pair.shown_for | frozenset(one.spoke)
        past.worker(one.access.actor).shown_on = today.day
    return listed


def rank(accesses: Iterable[Access], rules: RankingRules, relations: Relations) -> tuple[Ranked, ...]:
    """Rank accesses in the order of their times, of each day those to review; the weightiest first."""
    past, kept = Past(), list[Ranked]()
    for _, day in _days(accesses):
        kept += day_ranking(day, past, rules, relations)[: rules.reviews_a_day]
    return tuple(sorted(kept, key=lambda one: (-one.score, one.access.at, one.access.entry)))


def _days(accesses: Iterable[Access]) -> Iterator[tuple[int, list[Access]]]:
    for day, of_day in groupby(accesses, key=lambda access: day_of_moment(access.at)):
        yield day, list(of_day)


def _today(accesses: Sequence[Access]) -> _Today:
    day = day_of_moment(accesses[-1].at)
    here = date.fromordinal(day)
    ends = datetime.combine(here + timedelta(1), time(), DANISH_TIME)
    today = _Today(day, int(ends.timestamp()), here.weekday(), is_working_day(here))
    for access in accesses:
        today.citizens.setdefault(access.actor, set()).add(access.citizen)
        if access.outcome == REFUSED:
            today.refused.setdefault(access.actor, set()).add(access.citizen)
        elif access.outcome != EVALUATED:
            today.used[access.actor, access.citizen] = access.at
    return today


def _judged(access: Access, past: Past, today: _Today, rules: RankingRules, relations: Relations) -> Ranked:
    relation = relations.between(access.actor, access.citizen, access.at, today.asked)
    let_in = _let_in_later(access, today, relations)
    ranked = _weighed(_seen(access, relation, past, today, rules, let_in=let_in), past, rules)
    began = relation.named_from or 0
    if began and today.asked - began < YOUNG_CASE_DAYS * 24 * HOUR_SECONDS and not ranked.spoke.count("case_brief"):
        past.again.setdefault(today.day + AGAIN_DAYS, []).append(access)
    return ranked


def _let_in_later(access: Access, today: _Today, relations: Relations) -> bool:
    """Tell whether who was refused was let in later that day, named on a case by then: that access is ranked itself."""
    later = today.used.get((access.actor, access.citizen), 0)
    if access.outcome != REFUSED or later <= access.at:
        return False
    return relations.between(access.actor, access.citizen, later, today.asked).named_at(later) is True


def _again(past: Past, today: _Today, rules: RankingRules, relations: Relations) -> list[Ranked]:
    """Ask again about those whose case was young when they looked: has it turned out to be brief?"""
    due = [access for day in sorted(past.again) if day <= today.day for access in past.again[day]]
    past.again = {day: waiting for day, waiting in past.again.items() if day > today.day}
    sign, found = rules.signs.get("case_brief"), dict[tuple[str, str], Ranked]()
    for access in due if sign else ():
        relation = relations.between(access.actor, access.citizen, access.at, today.asked)
        if TESTS["case_brief"](_bare(access, relation, today.asked), sign.bounds if sign else {}):
            gain = _gain(sign, 1.0, past, access.actor) if sign else 0.0
            found.setdefault((access.actor, access.citizen), Ranked(access, gain, ("case_brief",)))
    return list(found.values())


def _bare(access: Access, relation: Relation, asked: int) -> Sighting:
    """See an access by what the registers say of it alone."""
    return Sighting(
        access=access, relation=relation, asked=asked, free_time=False, hour_share=1.0, unit_known=False, an_hour=0,
        today=0, day_above=0.0, worker_days=0, pair_looks=0.0, pair_days=0, pair_above=0.0, alone=False, crowd=0,
        on_case=0, unit_share=1.0, purpose_share=1.0, worker_accesses=0, refused_today=0, used_today=True,
        unrelated_at=0, unrelated_above=0.0, foreign=False, delegated=False, let_in_later=False,
    )  # fmt: skip


def _seen(
    access: Access, relation: Relation, past: Past, today: _Today, rules: RankingRules, *, let_in: bool
) -> Sighting:
    """Lay an access beside what is remembered, itself with it."""
    actor, worker, pair = access.actor, past.worker(access.actor), past.pair(access)
    hour = _hour(access.at)
    of_week = today.weekday * 24 + hour
    _remember(access, pair, past, today.day, of_week)
    looks, owner = pair.looks.value, _owner(access)
    home = rules.homes.get(access.unit) or access.municipality
    return Sighting(
        access=access,
        relation=relation,
        asked=today.asked,
        free_time=not today.working or not rules.open_hour <= hour < rules.close_hour,
        hour_share=past.share_of_hour(access.unit, of_week),
        unit_known=past.seen_of(access.unit) >= KNOWN_UNIT,
        an_hour=today.in_an_hour(access),
        today=len(today.citizens[actor]),
        day_above=worker.a_day.above(len(today.citizens[actor])),
        worker_days=worker.a_day.count,
        pair_looks=looks,
        pair_days=pair.days,
        pair_above=past.usual[access.unit].above(looks),
        alone=past.alone(access, today.day, rules.remember_days),
        crowd=len(past.crowds.get(access.citizen, {}).keys() | {actor}),
        on_case=past.note_case(access, today.day),
        unit_share=worker.units[access.unit] / max(worker.accesses, 1),
        purpose_share=worker.purposes[access.purpose] / max(worker.accesses, 1),
        worker_accesses=worker.accesses,
        refused_today=len(today.refused.get(actor, ())),
        used_today=(actor, access.citizen) in today.used,
        unrelated_at=pair.unrelated_at,
        unrelated_above=past.unrelated.above(worker.unrelated.on(today.day)),
        foreign=home != owner,
        delegated=rules.lets_act(owner, home, day_number(date.fromordinal(today.day))),
        let_in_later=let_in,
    )


def _remember(access: Access, pair: Pair, past: Past, day: int, of_week: int) -> None:
    """Count an access for its pair, its unit and its hour of the week."""
    past.usual.setdefault(access.unit, Spread()).add(pair.looks.add(day))
    pair.days += pair.last_day != day
    pair.last_day = day
    past.note_unit(access, day)
    past.note_hour(access.unit, of_week)


def _hour(at: int) -> int:
    """Give the Danish hour of a moment."""
    return datetime.fromtimestamp(at, DANISH_TIME).hour


def _owner(access: Access) -> str:
    """Name the municipality whose log it is: its origin ends in `<municipality>/<year>`."""
    parts = access.log.split("/")
    return parts[-2] if len(parts) > 1 else access.municipality


def _weighed(seen: Sighting, past: Past, rules: RankingRules) -> Ranked:
    """Let each sign speak that nothing explains away."""
    gains, explained = list[tuple[float, str]](), list[tuple[str, str]]()
    for name, sign in rules.signs.items():
        strength = TESTS[name](seen, sign.bounds)
        if not strength:
            continue
        why = next((one for one in sign.explained_by if EXPLAINS[one](seen)), None)
        if why is None:
            gains.append((_gain(sign, strength, past, seen.access.actor), name))
        else:
            explained.append((name, why))
    gains.sort(key=lambda row: (-row[0], row[1]))
    return Ranked(seen.access, sum(gain for gain, _ in gains), tuple(name for _, name in gains), tuple(explained))


def _gain(sign: Sign, strength: float, past: Past, actor: str) -> float:
    """Say how much a sign adds: its weight and strength, by how seldom it is."""
    worker = past.worker(actor)
    share = (sign.expected * PRIOR + past.spoken[sign.id]) / (PRIOR + past.accesses)
    own = (sign.expected * OWN_PRIOR + worker.spoken[sign.id]) / (OWN_PRIOR + worker.accesses)
    return sign.weight * strength * max(0.0, -math.log10(math.sqrt(share * own)))


def _note_day(found: Sequence[Ranked], past: Past, today: _Today) -> None:
    """Write into memory what only the whole day tells."""
    for one in found:
        access, worker = one.access, past.worker(one.access.actor)
        past.accesses += 1
        past.spoken.update(one.spoke)
        worker.accesses += 1
        worker.spoken.update(one.spoke)
        worker.units[access.unit] += 1
        worker.purposes[access.purpose] += 1
        if "no_case" in one.spoke:
            pair = past.pair(access)
            pair.unrelated_at = pair.unrelated_at or access.at
            worker.unrelated.add(today.day)
            past.crowds.setdefault(access.citizen, {})[access.actor] = today.day
    for actor, citizens in today.citizens.items():
        worker = past.worker(actor)
        worker.a_day.add(len(citizens))
        worker.last_day = today.day
        past.unrelated.add(worker.unrelated.on(today.day))


def _in_order(found: list[Ranked], past: Past, day: int, rules: RankingRules) -> list[Ranked]:
    """Put the weightiest first; for the day's reviews one of each employee, and what was shown lately behind."""

    def weight(one: Ranked) -> float:
        pair, worker = past.pair(one.access), past.worker(one.access.actor)
        same = pair.shown_on and day - pair.shown_on < rules.rest_days and pair.shown_for.issuperset(one.spoke)
        since = day - worker.shown_on if worker.shown_on else REST_OF_AN_EMPLOYEE
        fresh = min(1.0, FRESHLY_SHOWN + (1 - FRESHLY_SHOWN) * since / REST_OF_AN_EMPLOYEE)
        return one.score * fresh * (RESTED if same else 1.0)

    ordered = sorted(found, key=lambda one: (-weight(one), one.access.at, one.access.log, one.access.entry))
    firsts, others, actors = list[Ranked](), list[Ranked](), set[str]()
    for one in ordered:
        first = len(firsts) < rules.reviews_a_day and one.access.actor not in actors
        (firsts if first else others).append(one)
        actors.add(one.access.actor)
    return firsts + others


__all__ = ["Past", "Ranked", "day_ranking", "rank"]
