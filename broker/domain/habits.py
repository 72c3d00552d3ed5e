"""What ranking remembers of the days before: running counts by handles, forgotten when they are old.

Rules kept here:
- Memory is bounded by what happened in the days remembered, however many there were before.
- Counts of a pair, an employee, a unit. Of a citizen alone it keeps who looked without a case, for a week.
"""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime

from broker.domain.accesses import Access
from broker.domain.days import DANISH_TIME

DAY_SECONDS = 86_400
HOURS_OF_A_WEEK = 168
CROWD_DAYS = 7
MOST_OF_A_CASE = 8
HALF_LIFE_DAYS = 14.0


def day_of_moment(at: int) -> int:
    """Number the Danish day of a moment, counted on from 1 January of the year 1."""
    return datetime.fromtimestamp(at, DANISH_TIME).toordinal()


@dataclass(slots=True)
class Faded:
    """A count in which what lies back a fortnight counts half."""

    value: float = 0.0
    day: int = 0

    def on(self, day: int) -> float:
        """Give what is left of it on a day."""
        return self.value * math.pow(0.5, max(day - self.day, 0) / HALF_LIFE_DAYS)

    def add(self, day: int, amount: float = 1.0) -> float:
        """Count on; give the count."""
        self.value, self.day = self.on(day) + amount, max(day, self.day)
        return self.value


@dataclass(slots=True)
class Spread:
    """Mean and spread of the logarithms of what was seen (Welford)."""

    count: int = 0
    mean: float = 0.0
    squares: float = 0.0

    def add(self, value: float) -> None:
        """Take one more."""
        seen = math.log1p(value)
        self.count += 1
        step = seen - self.mean
        self.mean += step / self.count
        self.squares += step * (seen - self.mean)

    def above(self, value: float) -> float:
        """Say by how many spreads a value lies above the mean; nought while too little was seen."""
        if self.count < 2:
            return 0.0
        spread = max(math.sqrt(self.squares / self.count), 0.1)
        return (math.log1p(value) - self.mean) / spread


@dataclass(slots=True)
class Pair:
    """What a caseworker did about a citizen: looks (faded), on how many days, and the first without a case."""

    looks: Faded = field(default_factory=Faded)
    days: int = 0
    last_day: int = 0
    unrelated_at: int = 0
    shown_on: int = 0
    shown_for: frozenset[str] = frozenset()


@dataclass(slots=True)
class Worker:
    """A caseworker's own habits."""

    accesses: int = 0
    units: Counter[str] = field(default_factory=Counter)
    purposes: Counter[str] = field(default_factory=Counter)
    spoken: Counter[str] = field(default_factory=Counter)
    a_day: Spread = field(default_factory=Spread)
    unrelated: Faded = field(default_factory=Faded)
    last_day: int = 0
    shown_on: int = 0


@dataclass(slots=True)
class Past:
    """Everything remembered. It is handed to each day's ranking, which writes that day into it."""

    accesses: int = 0
    spoken: Counter[str] = field(default_factory=Counter)
    pairs: dict[tuple[str, str], Pair] = field(default_factory=dict)
    workers: dict[str, Worker] = field(default_factory=dict)
    # By unit and citizen: on which day who of the unit looked last, and on which day somebody else did.
    together: dict[tuple[str, str], tuple[str, int, int]] = field(default_factory=dict)
    crowds: dict[str, dict[str, int]] = field(default_factory=dict)
    cases: dict[str, tuple[int, frozenset[str]]] = field(default_factory=dict)
    # By unit: how many in each hour of the week, and behind them how many in all.
    hours: dict[str, list[int]] = field(default_factory=dict)
    usual: dict[str, Spread] = field(default_factory=dict)
    unrelated: Spread = field(default_factory=Spread)
    # Accesses under a case that was young that day, to be asked about again, by the day when.
    again: dict[int, list[Access]] = field(default_factory=dict)
    forgot_on: int = 0

    def worker(self, actor: str) -> Worker:
        """Give a caseworker's habits, new ones where none are known."""
        return self.workers.setdefault(actor, Worker())

    def pair(self, access: Access) -> Pair:
        """Give what is known of who looked and whom they looked at."""
        return self.pairs.setdefault((access.actor, access.citizen), Pair())

    def alone(self, access: Access, day: int, remember_days: int) -> bool:
        """Tell whether nobody else of the unit has looked at the citizen of late."""
        actor, last, others = self.together.get((access.unit, access.citizen), (access.actor, 0, 0))
        return max(others, last if actor != access.actor else 0) < day - remember_days

    def note_unit(self, access: Access, day: int) -> None:
        """Remember who of the unit looked at whom."""
        key = (access.unit, access.citizen)
        actor, last, others = self.together.get(key, (access.actor, 0, 0))
        self.together[key] = (access.actor, day, others if actor == access.actor else last)

    def note_case(self, access: Access, day: int) -> int:
        """Remember whom a case number was given for; say how many they are, up to a bound."""
        if not access.case:
            return 0
        citizens = self.cases.get(access.case, (day, frozenset[str]()))[1]
        if len(citizens) < MOST_OF_A_CASE:
            citizens |= {access.citizen}
        self.cases[access.case] = (day, citizens)
        return len(citizens)

    def note_hour(self, unit: str, hour: int) -> None:
        """Remember in which hour of the week a unit works."""
        counts = self.hours.setdefault(unit, [0] * (HOURS_OF_A_WEEK + 1))
        counts[hour] += 1
        counts[HOURS_OF_A_WEEK] += 1

    def seen_of(self, unit: str) -> int:
        """Count a unit's accesses so far."""
        return self.hours[unit][HOURS_OF_A_WEEK] if unit in self.hours else 0

    def share_of_hour(self, unit: str, hour: int) -> float:
        """Say how much of a unit's work falls in an hour of the week, as a multiple of an even share."""
        seen = self.seen_of(unit)
        return self.hours[unit][hour] * HOURS_OF_A_WEEK / seen if seen else 0.0

    def forget(self, today: int, remember_days: int) -> None:
        """Let go, once a week, of what is older than is remembered."""
        if today - self.forgot_on < CROWD_DAYS:
            return
        self.forgot_on, before = today, today - remember_days
        self.pairs = {key: pair for key, pair in self.pairs.items() if max(pair.last_day, pair.shown_on) >= before}
        self.together = {key: seen for key, seen in self.together.items() if seen[1] >= before}
        self.cases = {case: seen for case, seen in self.cases.items() if seen[0] >= before}
        self.workers = {actor: worker for actor, worker in self.workers.items() if worker.last_day >= before - 300}
        week = today - CROWD_DAYS
        crowds = ((who, {a: d for a, d in seen.items() if d >= week}) for who, seen in self.crowds.items())
        self.crowds = {who: seen for who, seen in crowds if seen}
