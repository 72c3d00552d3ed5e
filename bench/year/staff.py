"""Who works in the municipality: units and teams, hours, part time, holidays, sick leave, moves, who comes and goes."""

from __future__ import annotations

from dataclasses import dataclass, field
from random import Random

from bench.year.almanac import date_of, in_summer, is_working_day, midnight
from bench.year.chance import chance, handle, weighted
from bench.year.town import Town

HOUR = 3600
# Kind of unit and its share of the staff. `reach` (below) is the job function's: whole unit, or own team alone.
KINDS = (
    ("job", 5, True), ("benefit", 3, True), ("social", 5, False), ("family", 4, False), ("health", 4, True),
    ("school", 2, False), ("desk", 1, True), ("duty", 1, True),
)  # fmt: skip
ORDER = ("job", "social", "benefit", "family", "health", "desk", "duty", "school")
ANSWERING = ("desk", "duty")  # These have no caseload: they answer whoever calls.
TEAM = 6
SHIFTS = ((15 * HOUR, 8 * HOUR), (23 * HOUR, 7 * HOUR))


@dataclass(frozen=True, slots=True)
class Unit:
    """A unit; with a `wide` reach its people may open every case of the unit, else those of their team."""

    name: str
    kind: str
    wide: bool
    teams: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Post:
    """Where somebody works from a day on."""

    since: int
    unit: Unit
    team: str


@dataclass(slots=True)
class Caseworker:
    """One employee: who they are in town, when they work, where."""

    number: int
    handle: str
    person: int
    begins: int
    ends: int
    posts: list[Post]
    starts: int
    lead: bool
    weekdays: frozenset[int]
    evenings: float  # How often they also work late, from home.
    shifts: bool  # Of those who also work on nights and weekends.
    away: set[int] = field(default_factory=set)
    sick: frozenset[int] = frozenset()
    rota: dict[int, tuple[int, int]] = field(default_factory=dict)  # Day to the seconds a shift begins and ends at.

    def post(self, day: int) -> Post:
        """Give the post of a day."""
        return next((post for post in reversed(self.posts) if post.since <= day), self.posts[0])

    def employed(self, day: int) -> bool:
        """Tell whether they are employed that day."""
        return self.begins <= day < self.ends

    def at_work(self, day: int) -> bool:
        """Tell whether they are at their desk that day."""
        free = day in self.away or not is_working_day(day) or date_of(day).weekday() not in self.weekdays
        return self.employed(day) and not free

    def on_duty(self, day: int, at: int) -> bool:
        """Tell whether the rota has them at a moment: on a shift of this day's, or of yesterday's past midnight."""
        shifts = (self.rota[one] for one in (day, day - 1) if one in self.rota)
        return any(begins <= at < ends for begins, ends in shifts)

    def absent(self, day: int) -> bool:
        """Tell holiday or sick leave from a day that is merely free."""
        return self.employed(day) and day in self.away


@dataclass(slots=True)
class Staff:
    """Everybody who is employed for some of the year."""

    units: list[Unit]
    people: list[Caseworker]
    of_person: dict[int, Caseworker] = field(default_factory=dict)
    of_team: dict[str, list[Caseworker]] = field(default_factory=dict)

    def enter(self, worker: Caseworker) -> None:
        """Note somebody in every list they belong to."""
        self.people.append(worker)
        self.of_person[worker.person] = worker
        for post in worker.posts:
            self.of_team.setdefault(post.team, []).append(worker)

    def colleagues(self, worker: Caseworker, day: int) -> list[Caseworker]:
        """Give the others of the team on a day."""
        team = worker.post(day).team
        return [one for one in self.of_team[team]
                if one is not worker and one.employed(day) and one.post(day).team == team]  # fmt: skip


def hire(seed: int, town: Town, size: int, units: int, days: int) -> Staff:
    """Fill the units: so many are employed at any time, and one in eight leaves in a year and is replaced."""
    rng = chance(seed, "staff")
    staff = Staff(_units(size, units), [])
    kinds, weights = weighted([(unit, float(len(unit.teams))) for unit in staff.units])
    adults = [person for person in range(len(town.ages)) if 22 <= town.ages[person] <= 66]
    inside = [person for person in adults if person < town.inside]
    outside = [person for person in adults if person >= town.inside]
    for place in range(size):
        unit = rng.choices(kinds, cum_weights=weights)[0] if place >= len(staff.units) else staff.units[place]
        leaves = rng.randrange(days) if rng.random() < days / 365 / 8 else days
        for begins, ends in ((0, leaves), (leaves, days)):
            if begins < ends:
                pool = inside if rng.random() < 0.7 or not outside else outside
                person = pool.pop(int(rng.random() * len(pool)))
                staff.enter(_employ(rng, seed, len(staff.people), person, unit, (begins, ends, days)))
    return staff


def _units(staff: int, count: int) -> list[Unit]:
    share = {kind: (weight, wide) for kind, weight, wide in KINDS}
    kinds = [kind for kind, weight, _ in KINDS for _ in range(weight)] if count >= sum(w for _, w, _ in KINDS) else []
    kinds = kinds[:count] or [ORDER[number % len(ORDER)] for number in range(count)]
    teams = max(1, round(staff / TEAM / count))
    seen: dict[str, int] = {}
    made = []
    for kind in kinds:
        number = seen[kind] = seen.get(kind, 0) + 1
        name = f"{kind}-{number}"
        made.append(Unit(name, kind, share[kind][1], tuple(f"{name}/{team + 1}" for team in range(teams))))
    return made


def _employ(rng: Random, seed: int, number: int, person: int, unit: Unit, days: tuple[int, int, int]) -> Caseworker:
    begins, ends, year = days
    part_time = rng.random() < 0.25
    weekdays = frozenset(rng.sample(range(5), rng.choice((3, 4)) if part_time else 5))
    worker = Caseworker(
        number=number, handle=handle(seed, "staff", number), person=person, begins=begins, ends=ends,
        posts=[Post(0, unit, rng.choice(unit.teams))], starts=int((6.9 + rng.random() * 2.2) * HOUR),
        lead=number % 16 == 0, weekdays=weekdays, evenings=0.12 if rng.random() < 0.1 else 0.005,
        shifts=unit.kind == "duty" or rng.random() < (0.4 if unit.kind == "health" else 0.08),
    )  # fmt: skip
    _holidays(rng, worker, year)
    return worker


def _holidays(rng: Random, worker: Caseworker, year: int) -> None:
    """Take three weeks of summer, three elsewhere, days of illness, and with some a long one."""
    summer = [day for day in range(year) if in_summer(day)]
    starts = [summer[int(rng.random() * max(1, len(summer) - 20))]] if summer else []
    lengths = [21] * len(starts) + [7] * max(1, year // 120)
    starts += [rng.randrange(year) for _ in range(len(lengths) - len(starts))]
    for start, length in zip(starts, lengths, strict=True):
        worker.away.update(range(start, start + length))
    for _ in range(max(1, year // 90)):
        ill = rng.randrange(year)
        worker.away.update(range(ill, ill + rng.randint(1, 4)))
    if rng.random() < 0.06:
        ill = rng.randrange(year)
        worker.sick = frozenset(range(ill, min(year, ill + rng.randint(25, 90))))
        worker.away.update(worker.sick)


def plan_shifts(seed: int, staff: Staff, days: int) -> None:
    """Write the rota: some evenings, nights and weekends for each of those who work them."""
    rng = chance(seed, "rota")
    for worker in staff.people:
        for day in range(worker.begins, worker.ends if worker.shifts else worker.begins):
            working = is_working_day(day)
            if day in worker.away or rng.random() > (0.12 if working else 0.3) or day >= days:
                continue
            by_day = not working and rng.random() < 0.6
            begins, length = (worker.starts, 8 * HOUR) if by_day else rng.choice(SHIFTS)
            worker.rota[day] = (midnight(day) + begins, midnight(day) + begins + length)


def move_some(seed: int, staff: Staff, days: int) -> None:
    """Let one in twenty move to another unit in the course of the year."""
    rng = chance(seed, "moves")
    for worker in list(staff.people):
        if worker.ends - worker.begins > 60 and rng.random() < 0.05 * max(1.0, 150 / days):
            old = worker.posts[0]
            unit = rng.choice([unit for unit in staff.units if unit is not old.unit])
            since = rng.randrange(worker.begins + 20, worker.ends - 20)
            worker.posts.append(Post(since, unit, rng.choice(unit.teams)))
            staff.of_team.setdefault(worker.posts[-1].team, []).append(worker)
