"""A municipality's year, day by day: the accesses as supervision gets them, and apart from them the answer key."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from operator import attrgetter

from bench.year.almanac import midnight
from bench.year.cases import Cases
from bench.year.hidden import World
from bench.year.registers import Registers
from bench.year.roads import EMERGENCY, Look
from bench.year.size import Size
from bench.year.snoopers import Snooper, Snoopers
from bench.year.staff import hire, move_some, plan_shifts
from bench.year.town import HOME, build_town
from bench.year.work import Day
from broker.domain.accesses import Access

LOG = f"{HOME}.example/log/{HOME}/2025"


@dataclass(frozen=True, slots=True)
class AnswerKey:
    """What no supervisor is told: why each access of a day was made, in their order, and which are a snooper's."""

    why: tuple[str, ...]
    snoopers: dict[int, int]  # Entry to the snooper's number.


@dataclass(frozen=True, slots=True)
class Played:
    """One day: its accesses in the order of the log, and the key to them."""

    day: int
    accesses: list[Access]
    key: AnswerKey


class Year:
    """A year from a seed. `days` plays it once, forwards; `registers` answer as of the day last played."""

    def __init__(self, seed: int, size: Size) -> None:
        self.size = size
        self.town = build_town(seed, size.citizens, size.days)
        self.staff = hire(seed, self.town, size.staff, size.units, size.days)
        move_some(seed, self.staff, size.days)
        plan_shifts(seed, self.staff, size.days)
        self.cases = Cases(seed, self.town, self.staff, size)
        self.cases.fill()
        self.registers = Registers(self.cases)
        self._snoopers = Snoopers(World(self.town, self.staff, self.cases, set()), seed, size.snoopers, size.days)
        self._seed, self._entry = seed, 0

    @property
    def snoopers(self) -> list[Snooper]:
        """Give everybody who was hidden: for the answer key alone."""
        return self._snoopers.everybody

    def days(self) -> Iterator[Played]:
        """Play the year, a day at a time; nothing of a day is kept."""
        for day in range(self.size.days):
            self.cases.morning(day)
            looks = list(self._snoopers.looks(day))
            looks += Day(self.cases, self._seed, day).looks()
            looks.sort(key=attrgetter("at"))
            self.registers.now = midnight(day + 1)
            yield self._written(day, looks)

    def _written(self, day: int, looks: list[Look]) -> Played:
        accesses, snoopers = [], {}
        for look in looks:
            # Each ask is an entry of its own before its outcome.
            self._entry += 2
            accesses.append(self._access(look, self._entry))
            if look.snooper is not None:
                snoopers[self._entry] = look.snooper
        return Played(day, accesses, AnswerKey(tuple(look.why for look in looks), snoopers))

    def _access(self, look: Look, entry: int) -> Access:
        purpose, refused = look.purpose, look.outcome == "refused"
        return Access(
            log=LOG, entry=entry, at=look.at, actor=look.worker.handle, unit=look.unit, municipality=HOME,
            citizen=self.town.handles[look.citizen], case=look.case, purpose=purpose.name, outcome=look.outcome,
            basis=() if refused else purpose.basis, reasons=look.reasons,
            categories=() if refused else purpose.categories, sources=() if refused else purpose.sources,
            emergency=purpose is EMERGENCY,
        )  # fmt: skip
