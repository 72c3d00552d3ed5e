"""Snoopers at work: each has a day to begin, finds whom to look at, and looks as its kind does."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from random import Random

from bench.year.almanac import midnight
from bench.year.chance import chance
from bench.year.hidden import Target, World
from bench.year.kinds import WITH, WITHOUT, Kind
from bench.year.roads import Look, session
from bench.year.staff import HOUR, Caseworker

SEARCH = 60  # Days after which nobody of that kind was to be found.


@dataclass(slots=True)
class Snooper:
    """One of them; `due` are the days on which they still mean to look."""

    number: int
    kind: Kind
    begins: int
    target: Target | None = None
    due: list[int] | None = None

    def wants(self, day: int) -> bool:
        """Tell whether this is a day to begin, or to look on."""
        if self.due is None:
            return self.begins <= day < self.begins + SEARCH
        return bool(self.due) and self.due[0] <= day


class Snoopers:
    """All of a year, half of them with a live tie; the draw of kinds gives every kind a turn."""

    def __init__(self, world: World, seed: int, count: int, days: int) -> None:
        self._world, self._seed, self._days = world, seed, days
        rng = chance(seed, "snoopers")
        kinds = [*_kinds(rng, WITHOUT, count - count // 2), *_kinds(rng, WITH, count // 2)]
        self.everybody = [
            Snooper(number, kind, int(days * (0.06 + 0.72 * rng.random()))) for number, kind in enumerate(kinds)
        ]

    def looks(self, day: int) -> Iterator[Look]:
        """Yield what all of them look at on a day; called in the morning, when cases have turned."""
        for snooper in self.everybody:
            if snooper.wants(day):
                rng = chance(self._seed, "snooper", snooper.number, day)
                if snooper.due is None:
                    self._begin(snooper, rng, day)
                elif snooper.target is not None and _may(snooper.kind, snooper.target.worker, day):
                    snooper.due.pop(0)
                    yield from self._look(snooper, snooper.target, rng, day)

    def _begin(self, snooper: Snooper, rng: Random, day: int) -> None:
        kind = snooper.kind
        if (target := kind.find(self._world, rng, day)) is None:
            return
        snooper.target = target
        self._world.taken.add(target.worker.number)
        count = 1 if rng.random() < kind.once else rng.randint(*kind.days)
        first = day + (1 if kind.name == "celebrity" else rng.randint(1, 14))
        snooper.due = [first]
        for _ in range(count - 1):
            snooper.due.append(snooper.due[-1] + rng.randint(*kind.gap))

    def _look(self, snooper: Snooper, target: Target, rng: Random, day: int) -> Iterator[Look]:
        kind, worker = snooper.kind, target.worker
        post = target.post or worker.post(day)
        for _ in range(rng.randint(*kind.people)):
            victim = kind.draw(self._world, rng, worker, day) if kind.draw else target.victim
            if victim is None or victim in self._world.town.close(worker.person):
                continue
            at = _moment(kind, rng, worker, day)
            looks = self._on_road(snooper, rng, worker, victim, at, day) if kind.road else session(
                self._world.cases, rng, worker, post, victim, at, rng.randint(*kind.asks), kind.name, kind.purpose,
                snooper.number)  # fmt: skip
            yield from looks

    def _on_road(self, snooper: Snooper, rng: Random, worker: Caseworker, victim: int, at: int, day: int) -> list[Look]:
        """Lay the way to the citizen first: a case that is closed after, or a consent."""
        cases, kind = self._world.cases, snooper.kind
        made = cases.open(victim, worker, day, at - 600) if kind.road == "own case" else None
        if kind.road == "consent":
            cases.consents[victim].append((worker, at - 300))
        looks = session(cases, rng, worker, worker.post(day), victim, at, rng.randint(*kind.asks), kind.name,
                        kind.purpose, snooper.number)  # fmt: skip
        if made is not None:
            cases.close(made, looks[-1].at + 900)
        return looks


def _kinds(rng: Random, table: tuple[Kind, ...], count: int) -> list[Kind]:
    """Give every kind a turn, as far as they go round, and draw the rest by weight."""
    first = rng.sample(table, min(count, len(table)))
    return first + rng.choices(table, weights=[kind.weight for kind in table], k=count - len(first))


def _may(kind: Kind, worker: Caseworker, day: int) -> bool:
    """Tell whether they can look today: at the desk, or from home where the kind looks late."""
    if kind.hours == "shift":
        return day in worker.rota
    return worker.at_work(day) or (kind.hours == "night" and worker.employed(day))


def _moment(kind: Kind, rng: Random, worker: Caseworker, day: int) -> int:
    if kind.hours == "shift":
        starts, ends = worker.rota[day]
        return starts + int(rng.random() * (ends - starts))
    late = kind.hours == "mixed" and rng.random() < 0.4
    if kind.hours == "night":
        begins, length = 22.5 * HOUR, 6.0 * HOUR
    elif late:
        begins, length = 18.0 * HOUR, 4.5 * HOUR
    else:
        begins, length = float(worker.starts), 7.2 * HOUR
    return midnight(day) + int(begins + rng.random() * length)
