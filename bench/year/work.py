"""A day of honest work: who turns to whom, when, and for which of the reasons that work has."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from random import Random
from typing import Final

from bench.year.almanac import is_deadline, midnight
from bench.year.cases import Case, Cases
from bench.year.chance import around, chance, drawn, weighted
from bench.year.roads import EMERGENCY, Look, session
from bench.year.staff import ANSWERING, HOUR, Caseworker, Post

# Why somebody turns to a citizen, and how often; `Day` below has a method for each.
CASEWORK: Final = weighted(
    (
        ("own_case", 74),
        ("on_leave", 7),
        ("team_meeting", 9),
        ("unit_phone", 6),
        ("reopened", 1.5),
        ("wrong_number", 0.5),
    )
)  # fmt: skip
DESK: Final = weighted((("caller", 92), ("unit_phone", 7), ("wrong_number", 1)))
LEAD: Final = weighted((("own_case", 40), ("review", 45), ("team_meeting", 15)))
ASKS, ASKS_WEIGHTS = weighted(((1, 28), (2, 30), (3, 22), (4, 12), (6, 8)))
MANAGED = 7.4 * HOUR
FOCUS = 4  # Days for which the same few cases are worked on most.
BURST = 1.7  # So much more is done on a day on which benefits are settled.


class Day:
    """One day's honest work over the cases as they stand that morning."""

    def __init__(self, cases: Cases, seed: int, day: int) -> None:
        self._cases, self._day = cases, day
        self._rng: Random = chance(seed, "work", day)
        self._midnight = midnight(day)
        self._whom: dict[str, Callable[[Caseworker, Post, int], int | None]] = {
            "own_case": self._own_case, "on_leave": self._on_leave, "team_meeting": self._team_meeting,
            "unit_phone": self._unit_phone, "review": self._team_meeting, "caller": self._caller,
        }  # fmt: skip

    def looks(self) -> Iterator[Look]:
        """Yield every honest ask of the day, in no order."""
        for worker in self._cases.staff.people:
            if worker.at_work(self._day):
                yield from self._desk_day(worker)
            if self._day in worker.rota:
                yield from self._shift(worker, *worker.rota[self._day])
        yield from self._emergencies()

    def _desk_day(self, worker: Caseworker) -> Iterator[Look]:
        rng, post = self._rng, worker.post(self._day)
        begins = self._midnight + worker.starts
        for case in self._cases.fresh[worker.number]:
            yield from self._turn_to(worker, post, case.citizen, begins + int(rng.random() * MANAGED), "fresh_case")
        deadline = is_deadline(self._day) and post.unit.kind in ("benefit", "job")
        visits = self._cases.size.visits * (BURST if deadline else 1.0) * (0.7 + 0.6 * rng.random())
        kind = post.unit.kind
        table = DESK if kind in ANSWERING else LEAD if worker.lead else CASEWORK
        late = rng.random() < worker.evenings
        for why in rng.choices(table[0], cum_weights=table[1], k=around(rng, visits)):
            at = begins + int(rng.random() * MANAGED)
            if late and rng.random() < 0.25:
                at = self._midnight + int((18 + 4.5 * rng.random()) * HOUR)
            yield from self._visit(worker, post, at, why)

    def _visit(self, worker: Caseworker, post: Post, at: int, why: str) -> Iterator[Look]:
        if why == "wrong_number":
            stranger = int(self._rng.random() * len(self._cases.town.ages))
            yield from session(self._cases, self._rng, worker, post, stranger, at, 1, why)
            why, at = ("caller" if post.unit.kind in ANSWERING else "own_case"), at + 40
        if why == "reopened":
            yield from self._reopen(worker, post, at)
            return
        citizen = self._whom[why](worker, post, at)
        if citizen is not None and self._cases.free_to_handle(worker, citizen):
            yield from self._turn_to(worker, post, citizen, at, why)

    def _turn_to(self, worker: Caseworker, post: Post, citizen: int, at: int, why: str) -> list[Look]:
        asks = self._rng.choices(ASKS, cum_weights=ASKS_WEIGHTS)[0]
        return session(self._cases, self._rng, worker, post, citizen, at, asks, why)

    def _own_case(self, worker: Caseworker, post: Post, at: int) -> int | None:  # noqa: ARG002 - One shape for all.
        """Turn to a case of one's own: for some days to some of them far oftener than to others, then to the next."""
        own = self._cases.of_worker[worker.number]
        turn = self._day // FOCUS * 7 + worker.number
        return own[(int(self._rng.random() ** 1.7 * len(own)) + turn) % len(own)].citizen if own else None

    def _on_leave(self, worker: Caseworker, post: Post, at: int) -> int | None:  # noqa: ARG002 - The same.
        """Stand in for somebody of the team who is away."""
        mates = self._cases.staff.colleagues(worker, self._day)
        mate = drawn(self._rng, [one for one in mates if one.absent(self._day)])
        return self._citizen(self._cases.of_worker[mate.number]) if mate else None

    def _team_meeting(self, worker: Caseworker, post: Post, at: int) -> int | None:  # noqa: ARG002 - The same.
        """Prepare a case of the team's for its meeting, or as its leader read it over."""
        return self._citizen(self._cases.of_team[post.team])

    def _unit_phone(self, worker: Caseworker, post: Post, at: int) -> int | None:  # noqa: ARG002 - The same.
        """Answer for another team of the unit."""
        team = self._rng.choice(post.unit.teams)
        return self._citizen(self._cases.of_team[team]) if post.unit.wide or team == post.team else None

    def _reopen(self, worker: Caseworker, post: Post, at: int) -> Iterator[Look]:
        """Try a closed case, be refused, and go on when it is open again."""
        case = drawn(self._rng, self._cases.closed_of[worker.number])
        if case is None or case.closed > at or case.unit is not post.unit or case.team != post.team:
            return
        yield from session(self._cases, self._rng, worker, post, case.citizen, at, 1, "reopened")
        self._cases.reopen(case, at + 60)
        yield from self._turn_to(worker, post, case.citizen, at + 120, "reopened")

    def _caller(self, worker: Caseworker, post: Post, at: int) -> int | None:  # noqa: ARG002 - The same.
        """Help whoever stands at the front desk; one in a hundred lives in the next town."""
        if self._rng.random() < 0.01:
            return self._cases.town.inside + int(self._rng.random() * self._cases.town.outside)
        return self._cases.client(self._rng)

    def _citizen(self, cases: list[Case]) -> int | None:
        case = drawn(self._rng, cases)
        return case.citizen if case else None

    def _shift(self, worker: Caseworker, begins: int, ends: int) -> Iterator[Look]:
        """Work an evening, a night or a weekend on whoever of the unit's citizens calls."""
        rng, post = self._rng, worker.post(self._day)
        for _ in range(rng.randint(3, 9)):
            at = begins + int(rng.random() * (ends - begins))
            teams = post.unit.teams if post.unit.wide else (post.team,)
            citizen = self._citizen(self._cases.of_team[rng.choice(teams)])
            if citizen is not None and self._cases.free_to_handle(worker, citizen):
                yield from self._turn_to(worker, post, citizen, at, "shift")

    def _emergencies(self) -> Iterator[Look]:
        """Break the glass for those in danger: two or three a day in a town of 100 000, at any hour."""
        rng, staff = self._rng, self._cases.staff
        on_call = [one for one in staff.people if self._day in one.rota]
        for _ in range(around(rng, self._cases.town.inside / 40_000)):
            worker = drawn(rng, [one for one in on_call if one.post(self._day).unit.kind in ("duty", "health")])
            if worker is None:
                return
            begins, ends = worker.rota[self._day]
            citizen, at = self._cases.client(rng), begins + int(rng.random() * (ends - begins))
            post = worker.post(self._day)
            if self._cases.free_to_handle(worker, citizen):
                yield from session(
                    self._cases, rng, worker, post, citizen, at, rng.randint(1, 2), "emergency", EMERGENCY
                )
            if (holder := self._case_follows(rng, citizen)) is not None:
                self._cases.open(citizen, holder, self._day, at + 12 * HOUR)

    def _case_follows(self, rng: Random, citizen: int) -> Caseworker | None:
        """Half of the emergencies become somebody's case on the next day."""
        workers = [one for one in self._cases.staff.people
                   if one.employed(self._day) and one.post(self._day).unit.kind in ("social", "health")]  # fmt: skip
        worker = drawn(rng, workers) if rng.random() < 0.5 else None
        return worker if worker and self._cases.free_to_handle(worker, citizen) else None
