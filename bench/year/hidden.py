"""Where hidden snoopers find whom they look at, and what the town looks like around them.

A live tie to a victim is made as in life: the victim becomes a client of the snooper's team, with a colleague. For
each of those, three others of the same kinship become clients of somebody's team, and nobody snoops on them.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable
from dataclasses import dataclass
from random import Random
from typing import TypeAlias

from bench.year.almanac import HALF_A_DAY, midnight
from bench.year.cases import Case, Cases
from bench.year.chance import drawn
from bench.year.staff import ANSWERING, KINDS, Caseworker, Post, Staff
from bench.year.town import Town

TRIES, TWINS = 400, 3
EVERY = frozenset(kind for kind, _, _ in KINDS)


@dataclass(frozen=True, slots=True)
class World:
    """What snoopers live in; `caught` are those who already are one."""

    town: Town
    staff: Staff
    cases: Cases
    taken: set[int]

    def candidates(self, rng: Random, day: int) -> list[Caseworker]:
        """Draw employees who are no snooper yet and stay for some weeks."""
        people = self.staff.people
        some = (people[int(rng.random() * len(people))] for _ in range(TRIES))
        return [one for one in some if one.number not in self.taken and one.employed(day) and one.employed(day + 14)]


@dataclass(frozen=True, slots=True)
class Target:
    """Who will look, at whom (None: at others each time), and from which post."""

    worker: Caseworker
    victim: int | None
    post: Post | None = None


Link: TypeAlias = Callable[[World, Caseworker, int], Iterable[int]]
Finder: TypeAlias = Callable[[World, Random, int], Target | None]
Drawer: TypeAlias = Callable[[World, Random, Caseworker, int], int | None]


def acquainted(link: Link, *, live: bool) -> Finder:
    """Find an employee who knows somebody of town that way; a live one has them become a client of the own team."""

    def find(world: World, rng: Random, day: int) -> Target | None:
        for worker in world.candidates(rng, day):
            if (victim := _known(world, rng, link, worker, day)) is None:
                continue
            if live and not _client_of_team(world, rng, worker, victim, day):
                continue
            if not live:
                _client_elsewhere(world, rng, worker, victim, day)
            _twins(world, rng, link, day, live=live)
            return Target(worker, victim)
        return None

    return find


def strangers(of_kind: Callable[[Caseworker, int], bool]) -> Finder:
    """Find an employee in such a place, who will look at others each time."""

    def find(world: World, rng: Random, day: int) -> Target | None:
        worker = next((one for one in world.candidates(rng, day) if of_kind(one, day)), None)
        return Target(worker, None) if worker else None

    return find


def with_case(cases_of: Callable[[World, Caseworker, int], list[Case]], kinds: Container[str] = EVERY) -> Finder:
    """Find an employee of such a unit and a client of theirs, as they are."""

    def find(world: World, rng: Random, day: int) -> Target | None:
        for worker in world.candidates(rng, day):
            if worker.post(day).unit.kind not in kinds:
                continue
            if (case := drawn(rng, cases_of(world, worker, day))) is not None:
                return Target(worker, case.citizen)
        return None

    return find


def old_account(world: World, rng: Random, day: int) -> Target | None:
    """Find somebody who has moved to another unit, and whose reach into the old one was never ended."""
    moved = [one for one in world.candidates(rng, day) if len(one.posts) > 1 and one.posts[1].since < day - 5]
    worker = drawn(rng, moved)
    return Target(worker, None, worker.posts[0]) if worker else None


# --- how people know one another --------------------------------------------------------------------------------------


def former_spouse(world: World, worker: Caseworker, _day: int) -> Iterable[int]:
    """Give the former spouse."""
    return [world.town.former[worker.person]] if worker.person in world.town.former else []


def new_partner(world: World, worker: Caseworker, day: int) -> Iterable[int]:
    """Give whoever now lives with the former spouse."""
    return [one for former in former_spouse(world, worker, day) for one in world.town.household(former)
            if one != former and world.town.ages[one] >= 18] or _in_law(world, worker)  # fmt: skip


def _in_law(world: World, worker: Caseworker) -> list[int]:
    """Give the spouses of brothers and sisters: family that no register of persons tells of."""
    spouses = world.town.spouses
    return [spouses[one] for one in sorted(world.town.siblings(worker.person)) if one in spouses]


def family(world: World, worker: Caseworker, _day: int) -> Iterable[int]:
    """Give brothers, sisters, and their spouses: near, but not those whom the rules on partiality keep away."""
    return [*sorted(world.town.siblings(worker.person)), *_in_law(world, worker)]


def neighbour(world: World, worker: Caseworker, _day: int) -> Iterable[int]:
    """Give grown neighbours."""
    return [one for one in world.town.neighbours(worker.person) if world.town.ages[one] >= 18]


def colleague(world: World, worker: Caseworker, day: int) -> Iterable[int]:
    """Give those of the own team."""
    return [one.person for one in world.staff.colleagues(worker, day)]


def sick_colleague(world: World, worker: Caseworker, day: int) -> Iterable[int]:
    """Give colleagues of the unit who are away for long."""
    unit = worker.post(day).unit
    return [one.person for one in world.staff.people
            if one is not worker and day in one.sick and one.post(day).unit is unit] or [
        one.person for one in world.staff.colleagues(worker, day) if one.absent(day)]  # fmt: skip


def in_the_news(world: World, _worker: Caseworker, day: int) -> Iterable[int]:
    """Give whoever the town talks of in these days."""
    return [world.town.news[one] for one in (day, day - 1) if one in world.town.news]


def known_to_all(world: World, _worker: Caseworker, _day: int) -> Iterable[int]:
    """Give those on the list of persons known to the public."""
    return sorted(world.town.vips)


def met_somewhere(world: World, worker: Caseworker, day: int) -> Iterable[int]:
    """Give somebody whom no register ties to the caseworker."""
    return [(worker.person * 31 + day * 977) % world.town.inside]


# --- how a tie to them comes about ------------------------------------------------------------------------------------


def _known(world: World, rng: Random, link: Link, worker: Caseworker, day: int) -> int | None:
    close = world.town.close(worker.person)
    return drawn(rng, [one for one in link(world, worker, day) if one < world.town.inside and one not in close])


def _client_of_team(world: World, rng: Random, worker: Caseworker, victim: int, day: int) -> bool:
    """Make somebody a client of the team, with another of it."""
    if worker.post(day).unit.kind in ANSWERING:
        return False
    return _give(world, rng, [one for one in world.staff.colleagues(worker, day) if one.at_work(day)], victim, day)


def _client_elsewhere(world: World, rng: Random, worker: Caseworker, victim: int, day: int) -> None:
    """Make somebody, half the time, a client of another team of a unit whose people reach all of it."""
    post = worker.post(day)
    others = [one for one in world.staff.people if one.at_work(day) and one.post(day).unit is post.unit
              and one.post(day).team != post.team]  # fmt: skip
    if post.unit.wide and post.unit.kind not in ANSWERING and rng.random() < 0.6:
        _give(world, rng, others, victim, day)


def _give(world: World, rng: Random, workers: list[Caseworker], victim: int, day: int) -> bool:
    able = [one for one in workers if world.cases.free_to_handle(one, victim) and one.person != victim]
    if (worker := drawn(rng, able)) is None:
        return False
    world.cases.fresh[worker.number].append(
        world.cases.open(victim, worker, day, midnight(day) + HALF_A_DAY - 4 * 3600)
    )
    return True


def _twins(world: World, rng: Random, link: Link, day: int, *, live: bool) -> None:
    """Let others who know somebody the same way have them as clients of the team, without a look."""
    made = 0
    for worker in world.candidates(rng, day):
        victim = _known(world, rng, link, worker, day)
        if victim is None or made == TWINS:
            continue
        if live:
            made += _client_of_team(world, rng, worker, victim, day)
        else:
            made += 1
            _client_elsewhere(world, rng, worker, victim, day)
