"""How the broker answers an ask in the year that is played, from what the case register says at that moment."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

from bench.year.cases import Case, Cases
from bench.year.staff import ANSWERING, Caseworker, Post
from bench.year.town import HOME

PLANNING = ("job", "social", "family", "health")  # These make whole plans, and then ask for all that is in one.
WIDE_NOW_AND_THEN = 0.02
SOME_WITHHELD = 0.2  # Of answers: no consent covers some of what was asked for.
DELEGATED = ("health",)  # For these kinds of unit there is an agreement with the next municipality.


@dataclass(frozen=True, slots=True)
class Purpose:
    """What a kind of unit asks for, on which basis, and what is then released from where."""

    name: str
    basis: tuple[str, ...]
    categories: tuple[str, ...]
    sources: tuple[str, ...]


def _purpose(name: str, basis: str, categories: str, sources: str) -> Purpose:
    return Purpose(name, (basis,), tuple(categories.split()), tuple(sources.split()))


PLAN = _purpose("helhedsorienteret_plan", "consent", "B01 B02 H01 H03 P01 P03 S01 S02", "health-fhir job-odata social")
WIDE_PLAN = _purpose(
    "helhedsorienteret_plan", "consent", "B01 B02 B03 F01 F02 H01 H03 K01 K02 P01 P03 P04 S01 S02 S03 S04 Y01",
    "family health-fhir job-odata school social",
)  # fmt: skip
MONEY = _purpose("oekonomisk_hjaelp", "statute", "P01 P02 P04 Y01 Y02", "benefit-sql")
ADDRESS = _purpose("oekonomisk_hjaelp", "statute", "P01 P02", "benefit-sql")
EMERGENCY = _purpose("fare_for_liv", "statute", "E01 H06 P01 P02", "health-fhir")
PURPOSES: dict[str, tuple[Purpose, ...]] = {
    "job": (
        _purpose("jobplan", "consent", "B01 B02 B03 H01 P01 P03 S01", "health-fhir social"),
        _purpose("jobplan", "consent", "H03 P01 S01 S02", "health-fhir social"),
        _purpose("sygedagpengeopfoelgning", "statute", "H01 H03 H04 P01 Y01", "benefit-sql health-fhir"),
        PLAN,
    ),
    "benefit": (MONEY, ADDRESS, _purpose("oekonomisk_hjaelp", "statute", "P01 Y01", "benefit-sql")),
    "social": (_purpose("funktionsudredning", "consent", "B01 H01 H03 P01 P02 S01 S03 S04", "health-fhir job-odata"),
               PLAN),
    "family": (_purpose("stoette_til_familien", "consent", "F01 F02 K01 K02 P01 P02 P04", "school social"),
               _purpose("boernefaglig_undersoegelse", "statute", "F01 F02 F03 H01 K01 K02 P01 P04 S01", "health-fhir")),
    "health": (PLAN, _purpose("helhedsorienteret_plan", "consent", "H01 H03 P01 P03 S01", "social")),
    "school": (_purpose("ssd_moede", "statute", "F01 H03 K01 K02 K03", "family health-fhir"),
               _purpose("stoette_til_familien", "consent", "F01 K01 K02 P01", "family")),
    "desk": (ADDRESS, MONEY, _purpose("flytning", "statute", "P01 P02 P03", "benefit-sql")),
    "duty": (MONEY, PLAN),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Look:
    """One ask on its way to the log; `why` and `snooper` are for the answer key alone."""

    at: int
    worker: Caseworker
    unit: str
    citizen: int
    case: str
    purpose: Purpose
    outcome: str
    reasons: tuple[str, ...]
    why: str
    snooper: int | None = None


def answered(cases: Cases, worker: Caseworker, post: Post, citizen: int, at: int) -> tuple[str, tuple[str, ...]]:
    """Give the case an ask would name, and the reasons it is refused for; none when it is answered."""
    own = cases.of_worker[worker.number]
    stray = own[0].name if own else f"inquiry-{worker.handle[:8]}-{at}"
    if citizen in cases.town.close(worker.person):
        return stray, ("SELF_OR_RELATED",)
    if cases.town.home(citizen) != HOME and post.unit.kind not in DELEGATED:
        return stray, ("NO_DELEGATION",)
    here = [case for case in cases.open_of(citizen, at) if case.unit is post.unit]
    if (reached := next((case for case in here if reaches(case, worker, post, at)), None)) is not None:
        return reached.name, ()
    if here:
        return here[0].name, ("NO_CASE_RELATION",)
    # Front desk and duty room open an inquiry of their own for whoever calls.
    return (f"inquiry-{worker.handle[:8]}-{at}", ()) if post.unit.kind in ANSWERING else (stray, ("CASE_MISMATCH",))


def reaches(case: Case, worker: Caseworker, post: Post, at: int) -> bool:
    """Tell whether a job function opens a case: one's own, one's team's, or with a wide reach one's unit's."""
    return case.named(worker, at) or case.team == post.team or post.unit.wide


def live(cases: Cases, worker: Caseworker, post: Post, citizen: int, at: int) -> bool:
    """Tell whether the case register ties the caseworker or the team to an open case of the citizen."""
    return any(case.named(worker, at) or case.team == post.team for case in cases.open_of(citizen, at))


def session(
    cases: Cases, rng: Random, worker: Caseworker, post: Post, citizen: int, at: int, asks: int, why: str,
    purpose: Purpose | None = None, snooper: int | None = None,
) -> list[Look]:  # fmt: skip
    """Turn to a citizen: so many asks within minutes, each answered from what the register says then."""
    looks, emergency, wide = [], purpose is EMERGENCY, post.unit.kind in PLANNING
    # Who has moved to a unit that makes no whole plans cannot ask for one.
    purpose = None if purpose is WIDE_PLAN and not wide else purpose
    for _ in range(asks):
        case, reasons = (f"callout-{at}", ()) if emergency else answered(cases, worker, post, citizen, at)
        outcome = "refused" if reasons else "released"
        if not reasons and not emergency and rng.random() < SOME_WITHHELD:
            outcome, reasons = "partly", ("NO_CONSENT",)
        what = purpose or _drawn(rng, post.unit.kind)
        looks.append(Look(at, worker, post.unit.name, citizen, case, what, outcome, reasons, why, snooper))
        at += 15 + int(rng.expovariate(1 / 200))
    return looks


def _drawn(rng: Random, kind: str) -> Purpose:
    """Draw what a unit asks for; who makes whole plans now and then asks for all that is in one."""
    if kind in PLANNING and rng.random() < WIDE_NOW_AND_THEN:
        return WIDE_PLAN
    offered = PURPOSES[kind]
    return offered[int(rng.random() * len(offered))]
