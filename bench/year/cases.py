"""Cases and their lives: opened, given to somebody, handed over, closed, opened again; and who was on them when."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from random import Random

from bench.year.almanac import midnight
from bench.year.chance import chance, drawn, handle
from bench.year.size import Size
from bench.year.staff import ANSWERING, Caseworker, Staff, Unit
from bench.year.town import Town

DAY = 86_400
NEVER = 2**62
NOTED_AT_THE_DESK = 0.15  # Of new cases: a consent given on paper or by word, noted by whose case it is.
LIFE = 150  # Days a case lives, in the mean.
SCATTER = 7919
POOL = 0.3  # So many of all citizens are those whom most cases are about.


@dataclass(slots=True)
class Tie:
    """Somebody is on a case between two moments; the register knows it from `recorded` on."""

    worker: Caseworker
    since: int
    until: int
    recorded: int


@dataclass(slots=True)
class Case:
    """A case about a citizen in a unit; `team` is the team that has it."""

    name: str
    citizen: int
    unit: Unit
    team: str
    opened: int
    closed: int = NEVER
    ties: list[Tie] = field(default_factory=list)

    def named(self, worker: Caseworker, at: int) -> bool:
        """Tell whether the register has the caseworker on the open case at a moment."""
        return self.open(at) and any(
            tie.worker is worker and max(tie.since, tie.recorded) <= at < tie.until for tie in self.ties
        )

    def open(self, at: int) -> bool:
        """Tell whether the case is open at a moment."""
        return self.opened <= at < self.closed

    @property
    def holder(self) -> Caseworker:
        """Give who has it, or had it last."""
        return self.ties[-1].worker


@dataclass(slots=True)
class Cases:
    """Every case of the year so far, and for work those that are open, by citizen, team and caseworker."""

    seed: int
    town: Town
    staff: Staff
    size: Size
    count: int = 0
    by_citizen: dict[int, list[Case]] = field(default_factory=lambda: defaultdict(list))
    of_team: dict[str, list[Case]] = field(default_factory=lambda: defaultdict(list))
    of_worker: dict[int, list[Case]] = field(default_factory=lambda: defaultdict(list))
    closed_of: dict[int, list[Case]] = field(default_factory=lambda: defaultdict(list))
    consents: dict[int, list[tuple[Caseworker, int]]] = field(default_factory=lambda: defaultdict(list))
    fresh: dict[int, list[Case]] = field(default_factory=lambda: defaultdict(list))

    def open(self, citizen: int, worker: Caseworker, day: int, at: int, lag: int = 0) -> Case:
        """Open a case and give it to somebody; the register may learn of them some days late."""
        self.count += 1
        post = worker.post(day)
        case = Case(handle(self.seed, "case", self.count), citizen, post.unit, post.team, at)
        case.ties.append(Tie(worker, at, NEVER, at + lag * DAY))
        self.by_citizen[citizen].append(case)
        self._take_up(case)
        return case

    def close(self, case: Case, at: int) -> None:
        """Close a case."""
        case.closed = at
        case.ties[-1].until = at
        self._lay_down(case)
        self.closed_of[case.holder.number].append(case)

    def reopen(self, case: Case, at: int) -> None:
        """Open a closed case again with who had it; the register knows at once."""
        self.closed_of[case.holder.number].remove(case)
        case.closed = NEVER
        case.ties.append(Tie(case.holder, at, NEVER, at))
        self._take_up(case)

    def hand_over(self, case: Case, worker: Caseworker, day: int, at: int, lag: int = 0) -> None:
        """Give a case to another, who may be of another team or unit."""
        self._lay_down(case)
        case.ties[-1].until = at
        case.ties.append(Tie(worker, at, NEVER, at + lag * DAY))
        post = worker.post(day)
        case.unit, case.team = post.unit, post.team
        self._take_up(case)

    def open_of(self, citizen: int, at: int) -> list[Case]:
        """Give a citizen's open cases."""
        return [case for case in self.by_citizen.get(citizen, ()) if case.open(at)]

    def _take_up(self, case: Case) -> None:
        self.of_team[case.team].append(case)
        self.of_worker[case.holder.number].append(case)

    def _lay_down(self, case: Case) -> None:
        self.of_team[case.team].remove(case)
        self.of_worker[case.holder.number].remove(case)

    def free_to_handle(self, worker: Caseworker, citizen: int) -> bool:
        """Tell whether the rules on partiality let somebody have a citizen's case."""
        return citizen not in self.town.close(worker.person)

    def client(self, rng: Random) -> int:
        """Draw somebody a new case is about: mostly of those who have had one."""
        inside = self.town.inside
        drawn_from = inside * POOL if rng.random() < 0.8 else inside
        return int(rng.random() * drawn_from) * SCATTER % inside  # So that the pool lives all over town.

    def fill(self, day: int = 0) -> None:
        """Give everybody the cases they have on the first day."""
        rng = chance(self.seed, "cases")
        for worker in self.staff.people:
            if worker.employed(day) and worker.post(day).unit.kind not in ANSWERING:
                for _ in range(int(self.size.caseload * (0.6 + 0.8 * rng.random()))):
                    self._begin(rng, worker, day, midnight(day) - int(rng.random() * LIFE * DAY))
        self.fresh.clear()

    def morning(self, day: int) -> None:
        """Live a day: who left hands over, some cases close, and those with room get new ones."""
        rng, begins = chance(self.seed, "cases", day), midnight(day)
        self.fresh.clear()
        for worker in self.staff.people:
            if worker.ends == day or any(post.since == day > 0 for post in worker.posts[1:]):
                self._leave_all(rng, worker, day, begins + 7 * 3600)
            elif worker.at_work(day) and worker.post(day).unit.kind not in ANSWERING:
                self._turn(rng, worker, day, begins + worker.starts)

    def _turn(self, rng: Random, worker: Caseworker, day: int, at: int) -> None:
        """Close, hand over and open what one caseworker does on a day."""
        for case in [case for case in self.of_worker[worker.number] if rng.random() < 1.4 / LIFE]:
            self.close(case, at + int(rng.random() * 6 * 3600))
        mates = [one for one in self.staff.colleagues(worker, day) if one.at_work(day)]
        for case in [case for case in self.of_worker[worker.number] if rng.random() < 0.001]:
            if (mate := drawn(rng, mates)) is not None and self.free_to_handle(mate, case.citizen):
                self.hand_over(case, mate, day, at, lag=0 if rng.random() < 0.7 else rng.randint(1, 3))
        room = self.size.caseload - len(self.of_worker[worker.number])
        for _ in range(min(4, max(0, int(room * 0.3 + rng.random())))):
            self._begin(rng, worker, day, at)

    def _begin(self, rng: Random, worker: Caseworker, day: int, at: int) -> None:
        citizen = self.client(rng)
        if self.free_to_handle(worker, citizen):
            lag = 0 if rng.random() < 0.9 else rng.randint(1, 4)
            if rng.random() < NOTED_AT_THE_DESK:
                self.consents[citizen].append((worker, at))
            self.fresh[worker.number].append(self.open(citizen, worker, day, at, lag))

    def _leave_all(self, rng: Random, worker: Caseworker, day: int, at: int) -> None:
        for case in list(self.of_worker[worker.number]):
            old = case.team
            heirs = [one for one in self.staff.of_team[old] if one is not worker and one.employed(day)]
            heirs = [one for one in heirs if one.post(day).team == old]
            if (heir := drawn(rng, heirs)) is not None:
                self.hand_over(case, heir, day, at, lag=rng.choice((0, 0, 0, 1, 2)))
            else:
                self.close(case, at)
