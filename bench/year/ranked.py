"""The arms that choose by the broker's own ranking: called by its signature, and told what registers would tell.

Two of them, because what registers the broker is connected to decides what a ranking can know. `BY_REGISTERS` asks the
employer (who works where, rota), the register of persons (kin, surnames, addresses) and the case register (who was
named from when to when). `BY_LOG` knows what the broker itself writes down as it answers: whether the case
register had the caseworker on the case by name or else, and whether the case was one of those known to the public.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from bench.year.registers import Part, Registers
from broker.domain.accesses import Access
from broker.domain.habits import Past
from broker.domain.ranking import Ranked, day_ranking
from broker.domain.relations import Relation, Relations
from broker.domain.signs import RankingRules
from broker.oversight.signs import load_rules

BY_REGISTERS, BY_LOG = "by rank, registers asked", "by rank, from the log alone"
SINCE_LONG = 1  # Seconds: named, and the log does not say since when.


def rules_tried() -> str:
    """Name the table of rules that is tried, by its hash."""
    return load_rules().revision


@dataclass(slots=True)
class ByRanking:
    """Review the first of each day's ranking; what it remembers of the days before is its own."""

    name: str
    relations: Relations
    _rules: RankingRules = field(default_factory=load_rules)
    _past: Past = field(default_factory=Past)

    def choose(self, fresh: Sequence[Access], now: int, budget: int) -> list[Access]:  # noqa: ARG002 - An arm's shape.
        """Rank the day, and choose its first."""
        rules = replace(self._rules, reviews_a_day=budget)
        ranked: list[Ranked] = day_ranking(fresh, self._past, rules, self.relations)
        return [one.access for one in ranked[:budget]]


class AskedOfRegisters:
    """What employer, register of persons and case register would answer."""

    def __init__(self, registers: Registers) -> None:
        self._registers = registers

    def between(self, actor: str, citizen: str, at: int, asked: int) -> Relation:
        """Tell how a caseworker stands to a citizen at a moment, as known at a later one."""
        registers = self._registers
        parts = [part for part in registers.parts(citizen) if part.recorded <= asked]
        person = registers.person(actor)
        since, until = _named([part for part in parts if part.actor == actor], at, asked)
        team = registers.team(actor, at)
        held = [part for part in parts if part.team == team and part.since <= at < part.until]
        away = any(registers.absent(part.actor, at) for part in held if part.actor != actor)
        return Relation(
            named_from=since,
            named_to=until,
            team=bool(held),
            covering=away or registers.on_duty(actor, at),
            colleague=registers.employee(citizen) is not None,
            same_surname=registers.surname(person) == registers.surname(citizen),
            same_address=registers.address(person) == registers.address(citizen),
            family=any(citizen in kin for kin in registers.kin(person).values()),
            vip=registers.protected(citizen),
            recorder_gains=any(noted == actor and when <= asked for noted, when in registers.noted_consents(citizen)),
        )


def _named(own: list[Part], at: int, asked: int) -> tuple[int, int]:
    """Give since when and until when somebody was named: of the part that covers the moment, else of the nearest."""
    if not own:
        return 0, 0

    def distance(part: Part) -> int:
        begins = max(part.since, part.recorded)
        return 0 if begins <= at < part.until else min(abs(begins - at), abs(part.until - at))

    best = min(own, key=distance)
    return max(best.since, best.recorded), best.until if best.until <= asked else 0


class KnownFromTheLog:
    """What the broker writes down of the moment it answers, and nothing that it would have to ask again."""

    def __init__(self, registers: Registers) -> None:
        self._registers = registers

    def between(self, actor: str, citizen: str, at: int, asked: int) -> Relation:  # noqa: ARG002 - The door's.
        """Tell whether they were named or else on the case, as of the access."""
        parts = [part for part in self._registers.parts(citizen) if max(part.since, part.recorded) <= at < part.until]
        named = any(part.actor == actor for part in parts)
        unit, team = self._registers.unit(actor, at), self._registers.team(actor, at)
        reach = any(part.team == team or (part.unit == unit and self._registers.wide(unit)) for part in parts)
        return Relation(
            named_from=SINCE_LONG if named else 0,
            team=reach and not named,
            vip=(reach and self._registers.protected(citizen)) or None,
        )
