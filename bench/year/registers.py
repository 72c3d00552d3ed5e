"""What the registers of the town would answer to supervision: employer, persons, cases. They know of no snooper.

Answers are those of now: a day that has not been played is not in them, and a tie is known from when it was recorded.
"""

from __future__ import annotations

from dataclasses import dataclass

from bench.year.almanac import midnight
from bench.year.cases import Cases
from bench.year.roads import DELEGATED
from bench.year.staff import ANSWERING
from bench.year.town import Address


@dataclass(frozen=True, slots=True)
class Part:
    """Somebody's part in a case, between two epoch seconds; `recorded` is when the case register came to know."""

    case: str
    unit: str
    team: str
    actor: str
    since: int
    until: int
    recorded: int


class Registers:
    """The door to them; people and caseworkers are asked for by handle."""

    def __init__(self, cases: Cases) -> None:
        self._cases, self._town, self._staff = cases, cases.town, cases.staff
        self._number = {handle: number for number, handle in enumerate(self._town.handles)}
        self._worker = {worker.handle: worker for worker in self._staff.people}
        self.now = 0

    def person(self, actor: str) -> str:
        """Give a caseworker's own handle as a citizen, from the employer."""
        return self._town.handles[self._worker[actor].person]

    def employee(self, citizen: str) -> str | None:
        """Give a citizen's handle as a caseworker; None when the municipality does not employ them."""
        worker = self._staff.of_person.get(self._number[citizen])
        return worker.handle if worker is not None and worker.employed(self._day(self.now)) else None

    def unit(self, actor: str, at: int) -> str:
        """Name the unit somebody works in at a moment."""
        return self._worker[actor].post(self._day(at)).unit.name

    def wide(self, unit: str) -> bool:
        """Tell whether a unit's job function reaches all of its cases."""
        return any(one.wide for one in self._staff.units if one.name == unit)

    def team(self, actor: str, at: int) -> str:
        """Name the team somebody works in at a moment."""
        return self._worker[actor].post(self._day(at)).team

    def absent(self, actor: str, at: int) -> bool:
        """Tell whether somebody is on holiday or sick."""
        return self._worker[actor].absent(self._day(at))

    def on_duty(self, actor: str, at: int) -> bool:
        """Tell whether the rota has somebody at a moment, or they sat at the front desk or in the duty room."""
        worker, day = self._worker[actor], self._day(at)
        sits = worker.at_work(day) and worker.post(day).unit.kind in ANSWERING
        return sits or worker.on_duty(day, at)

    def leads(self, actor: str) -> bool:
        """Tell whether somebody leads a team."""
        return self._worker[actor].lead

    def surname(self, citizen: str) -> str:
        """Give a citizen's surname."""
        return self._town.surnames[self._number[citizen]]

    def address(self, citizen: str) -> Address:
        """Give street, house number and door."""
        return self._town.address(self._number[citizen])

    def residence(self, citizen: str) -> str:
        """Name the municipality a citizen lives in."""
        return self._town.home(self._number[citizen])

    def delegated(self, unit: str) -> bool:
        """Tell whether a unit may act for citizens of the next municipality."""
        return unit.split("-", maxsplit=1)[0] in DELEGATED

    def protected(self, citizen: str) -> bool:
        """Tell whether a citizen is on the list of those known to the public."""
        return self._number[citizen] in self._town.vips

    def kin(self, citizen: str) -> dict[str, frozenset[str]]:
        """Give household, parents, children, siblings and former spouse, as the register of persons has them."""
        town, number = self._town, self._number[citizen]
        former = {town.former[number]} if number in town.former else set()
        return {
            "household": self._handles(set(town.household(number)) - {number}),
            "parents": self._handles(set(town.parents.get(number, ()))),
            "children": self._handles(set(town.children.get(number, ()))),
            "siblings": self._handles(town.siblings(number)),
            "former_spouse": self._handles(former),
        }

    def parts(self, citizen: str) -> list[Part]:
        """Give everybody's parts in a citizen's cases, of now and before, as far as they are recorded now."""
        return [
            Part(case.name, case.unit.name, case.team, tie.worker.handle, tie.since, min(tie.until, case.closed),
                 tie.recorded)
            for case in self._cases.by_citizen.get(self._number[citizen], ())
            for tie in case.ties if tie.recorded <= self.now
        ]  # fmt: skip

    def noted_consents(self, citizen: str) -> list[tuple[str, int]]:
        """Give who noted down a consent of the citizen's at a desk, and when."""
        rows = self._cases.consents.get(self._number[citizen], ())
        return [(worker.handle, at) for worker, at in rows if at <= self.now]

    def _handles(self, numbers: set[int]) -> frozenset[str]:
        return frozenset(self._town.handles[number] for number in numbers)

    def _day(self, at: int) -> int:
        day = (at - midnight(0)) // 86_400
        # One hour of summer time moves midnight.
        return day + 1 if at >= midnight(day + 1) else day
