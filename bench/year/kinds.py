"""The kinds of snooper that a year hides, as a table: half of them with a live tie to whom they look at."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

from bench.year import hidden
from bench.year.cases import Case
from bench.year.chance import drawn
from bench.year.hidden import Drawer, Finder, World, acquainted, strangers, with_case
from bench.year.roads import EMERGENCY, PLANNING, WIDE_PLAN, Purpose
from bench.year.staff import Caseworker

# Of those nobody has warned, 4 in 10 look again (doi:10.1001/jamanetworkopen.2022.7247): curiosity looks once for most.
ONCE = 0.6


@dataclass(frozen=True, slots=True)
class Kind:
    """How one kind of snooper goes about it.

    `once` is the share that looks on one day alone; the others look on some number of days, so many days apart, at so
    many people a day, in working hours, now and then in the evening (`mixed`), at night, or on a shift of theirs.
    """

    name: str
    live: bool
    says: str
    find: Finder
    days: tuple[int, int]
    gap: tuple[int, int]
    once: float = 0.0
    hours: str = "work"
    people: tuple[int, int] = (1, 1)
    asks: tuple[int, int] = (1, 3)
    draw: Drawer | None = None
    purpose: Purpose | None = None
    road: str = ""  # "own case": makes one first and closes it after; "consent": notes down a yes first.
    weight: float = 1.0


def _own(world: World, worker: Caseworker, _day: int) -> list[Case]:
    return world.cases.of_worker[worker.number]


def _closed(world: World, worker: Caseworker, _day: int) -> list[Case]:
    """Give cases closed a while ago, of citizens the team has nothing to do with any more."""
    return [case for case in world.cases.closed_of[worker.number][:-10]
            if not any(other.closed > case.closed for other in world.cases.by_citizen[case.citizen])]  # fmt: skip


def _handed_away(world: World, worker: Caseworker, day: int) -> list[Case]:
    """Give cases of the team that were one's own."""
    return [case for case in world.cases.of_team[worker.post(day).team] if case.holder is not worker
            and any(tie.worker is worker for tie in case.ties)]  # fmt: skip


def _anybody(world: World, rng: Random, _worker: Caseworker, _day: int) -> int | None:
    return int(rng.random() * world.town.inside)


def _of_unit(world: World, rng: Random, worker: Caseworker, day: int) -> int | None:
    """Draw somebody from another team's cases; a front desk draws from the town."""
    post = worker.post(day)
    others = [team for team in post.unit.teams if team != post.team]
    case = drawn(rng, world.cases.of_team[rng.choice(others)]) if others else None
    return case.citizen if case else int(rng.random() * world.town.inside)


def _of_team(world: World, rng: Random, worker: Caseworker, day: int) -> int | None:
    case = drawn(rng, [case for case in world.cases.of_team[worker.post(day).team] if case.holder is not worker])
    return case.citizen if case else None


def _of_old_team(world: World, rng: Random, worker: Caseworker, _day: int) -> int | None:
    case = drawn(rng, world.cases.of_team[worker.posts[0].team])
    return case.citizen if case else None


def _own_clients(world: World, rng: Random, worker: Caseworker, _day: int) -> int | None:
    case = drawn(rng, world.cases.of_worker[worker.number])
    return case.citizen if case else None


def _next_town(world: World, rng: Random, _worker: Caseworker, _day: int) -> int | None:
    return world.town.inside + int(rng.random() * world.town.outside)


def _works_in(*kinds: str) -> Finder:
    return strangers(lambda worker, day: worker.post(day).unit.kind in kinds)


ANYWHERE = strangers(lambda worker, day: worker.post(day).unit.kind not in ("desk", "duty"))
ON_CALL = strangers(lambda worker, day: worker.shifts and worker.post(day).unit.kind in ("duty", "health"))

WITHOUT = (
    Kind("ex-spouse", False, "looks at a former spouse now and then", acquainted(hidden.former_spouse, live=False),
         (2, 6), (5, 35), hours="mixed", weight=2),
    Kind("neighbour", False, "looks at a neighbour", acquainted(hidden.neighbour, live=False), (2, 3), (3, 40), ONCE,
         weight=2),
    Kind("celebrity", False, "looks at whom the news is about", acquainted(hidden.in_the_news, live=False), (2, 3),
         (1, 3), ONCE, weight=2),
    Kind("sick-colleague", False, "looks why a colleague is away", acquainted(hidden.sick_colleague, live=False),
         (2, 3), (2, 15), ONCE, weight=2),
    Kind("date", False, "looks at somebody met on the net", acquainted(hidden.met_somewhere, live=False), (2, 2),
         (1, 6), ONCE),
    Kind("journalist", False, "looks at one a week for a journalist, for months", _works_in("job", "benefit", "health"),
         (12, 26), (5, 9), draw=_of_unit, asks=(1, 2)),
    Kind("mole", False, "looks up many a day for a debt collector, in low dose", _works_in("benefit", "job", "desk"),
         (25, 70), (1, 2), people=(3, 8), asks=(1, 1), draw=_of_unit),
    Kind("night-browser", False, "browses strangers at night", _works_in("job", "benefit", "health"),
         (3, 10), (2, 20), hours="night", people=(3, 10), draw=_of_unit),
    Kind("after-close", False, "goes on looking after the case was closed", with_case(_closed), (2, 5), (4, 30)),
    Kind("old-password", False, "an account that reaches into the unit its owner left", hidden.old_account,
         (4, 12), (3, 14), people=(1, 3), draw=_of_old_team),
    Kind("next-town", False, "tries citizens of the next town", ANYWHERE, (2, 6), (5, 30), people=(1, 2),
         draw=_next_town),
    Kind("false-emergency", False, "breaks the glass where nobody is in danger", ON_CALL,
         (1, 3), (10, 40), draw=_anybody, purpose=EMERGENCY, hours="shift", asks=(1, 1)),
)  # fmt: skip

WITH = (
    Kind("family-client", True, "looks at a brother, a sister or an in-law whose case the team has",
         acquainted(hidden.family, live=True), (2, 6), (4, 30), 0.3, weight=2),
    Kind("ex-client", True, "looks at a former spouse whose case the team has",
         acquainted(hidden.former_spouse, live=True), (2, 8), (3, 25), hours="mixed", weight=2),
    Kind("new-partner", True, "looks at the former spouse's new partner, or an in-law, a client of the team",
         acquainted(hidden.new_partner, live=True), (2, 6), (3, 25)),
    Kind("neighbour-client", True, "looks at a neighbour whose case the team has",
         acquainted(hidden.neighbour, live=True), (2, 4), (3, 30), ONCE, weight=2),
    Kind("colleague-client", True, "looks at a colleague whose case the team has",
         acquainted(hidden.colleague, live=True), (2, 4), (3, 25), ONCE, weight=2),
    Kind("known-client", True, "looks at somebody known to the public whose case the team has",
         acquainted(hidden.known_to_all, live=True), (2, 3), (1, 8), ONCE),
    Kind("case-made-first", True, "opens a case, looks, and closes it again",
         acquainted(hidden.met_somewhere, live=False), (1, 4), (5, 30), road="own case"),
    Kind("far-too-much", True, "looks at one own client far more than the case needs", with_case(_own), (20, 60),
         (1, 2), people=(1, 3), asks=(1, 4)),
    Kind("too-wide", True, "asks for everything there is about own clients", _works_in(*PLANNING), (8, 20), (2, 9),
         people=(1, 2), draw=_own_clients, purpose=WIDE_PLAN),
    Kind("team-browser", True, "reads the team's cases for the reading", ANYWHERE, (15, 50), (1, 4), people=(1, 3),
         draw=_of_team, asks=(1, 2)),
    Kind("own-consent", True, "notes down a consent the citizen never gave, and looks", with_case(_own, PLANNING),
         (1, 3), (2, 20), road="consent", purpose=WIDE_PLAN),
    Kind("old-client", True, "goes on looking at a case handed to a colleague", with_case(_handed_away), (3, 9),
         (3, 20)),
)  # fmt: skip
KINDS = (*WITHOUT, *WITH)

# Why a kind may stay hidden: what about it is like honest work, or known to no register.
HIDES = {
    "ex-spouse": "refused or answered for the unit, as many honest looks are",
    "sick-colleague": "colleagues are clients too, and most look once",
    "after-close": "a closed case is refused, as where an honest one is opened again",
    "next-town": "wrong numbers are refused too",
    "night-browser": "shifts are worked at night too",
    "neighbour": "a person register names no neighbours, and most look once",
    "celebrity": "the news is in no register, and most look once",
    "date": "no register ties the two, and most look once",
    "journalist": "one a week is within what anybody answers for the unit",
    "mole": "where the job function reaches the whole unit, or the front desk takes every caller, each look is work's",
    "old-password": "the account's reach is still the old team's",
    "false-emergency": "only the emergency itself, not the register, tells whether anybody was in danger",
    "family-client": "the team has the case, and a sister is looked at as any client is",
    "ex-client": "the team has the case, and divorce is in the register of persons alone",
    "new-partner": "the team has the case, and no register ties the two",
    "neighbour-client": "the team has the case, no register names neighbours, and most look once",
    "colleague-client": "the team has the case; only the employer's list tells that the client is a colleague",
    "known-client": "the team has the case, and all of the team turn to it",
    "case-made-first": "while they look they are on the case; that it was brief, the case register tells later",
    "far-too-much": "work on an own case comes in bursts too",
    "too-wide": "whole plans are asked for in honest work too",
    "team-browser": "each look is what preparing a meeting looks like",
    "own-consent": "consents are noted at the desk by whoever has the case",
    "old-client": "the case stayed in the team",
}
