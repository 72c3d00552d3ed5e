"""Whose hand a review waits for: a leader explains, a log controller closes, a DPO opens again.

Rules kept here:
- A leader sees what is of the units they lead and no other; whatever one may not see is not there.
- The DPO decides no case: they read, and open again (GDPR art. 38, stk. 6).
- Nobody explains or closes what they did themselves, whichever way they logged in for it, and who explained does not
  close. That one person is one needs the same id from the employer and from the overseers' log-in.
- A log controller who also leads a unit explains for that unit, and then somebody else closes.
- Where a review says so, a leader who says nothing for too long holds it up no longer: a log controller closes it, but
  never one who leads the unit, as who did not explain would close over their own silence.
- Of an erased citizen nothing can be written any more: it is closed without words, by a log controller.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeAlias

from broker.domain.directory import Directory
from broker.domain.errors import NotAllowed, NotFound
from broker.domain.identity import OfficerLogin
from broker.domain.samples import CLOSED, EXPLAINED, OPEN, REOPENED, Step
from broker.oversight.doors import Disclosures
from broker.ports import Handles

DPO, CONTROLLER, LEADER = "dpo", "logkontrollant", "teamleder"
# By whose hand each step is taken.
HANDS = {EXPLAINED: LEADER, CLOSED: CONTROLLER, REOPENED: DPO}
WAITS_FOR_LEADER = frozenset({OPEN, REOPENED})
# Of each municipality, the issuers whose word names caseworkers there.
Employers: TypeAlias = Mapping[str, frozenset[str]]


class Hands(Protocol):
    """The doors that tell whose hand it is."""

    @property
    def handles(self) -> Handles:
        """Who somebody is by the log-in they came with."""

    @property
    def disclosures(self) -> Disclosures:
        """Whom an employee's handle stands for."""


class OfAUnit(Protocol):
    """What somebody of a unit did."""

    @property
    def municipality(self) -> str:
        """Whose log it is on."""

    @property
    def unit(self) -> str:
        """Whose employee did it."""


class Reviewed(OfAUnit, Protocol):
    """What is looked at: of which municipality and unit, how far it has come, and whether its citizen is erased."""

    @property
    def state(self) -> str:
        """How far it has come."""

    @property
    def steps(self) -> Sequence[Step]:
        """What was done with it."""

    @property
    def erased(self) -> bool:
        """Whether nothing can be written of it any more."""


def units_of(officer: OfficerLogin) -> Collection[tuple[str, str]] | None:
    """Give the units of which an officer sees reviews; None for all of their municipalities. Raises `NotAllowed`."""
    if officer.role not in {DPO, CONTROLLER, LEADER} or not officer.municipalities:
        raise NotAllowed
    if officer.role != LEADER:
        return None
    return {unit for unit in officer.units if unit[0] in officer.municipalities}


def refuse_unseen(one: Reviewed, officer: OfficerLogin) -> None:
    """Raise `NotFound` for what is of a unit that the officer does not see, `NotAllowed` for who sees none."""
    units = units_of(officer)
    if units is not None and (one.municipality, one.unit) not in units:
        raise NotFound


def leads(officer: OfficerLogin, one: OfAUnit) -> bool:
    """Tell whether an officer leads the unit; the DPO leads none, whatever else they are."""
    return officer.role in {LEADER, CONTROLLER} and (one.municipality, one.unit) in officer.units


def may_ever(officer: OfficerLogin, step: str) -> bool:
    """Tell whether a step is one that the officer takes at all."""
    return officer.role == HANDS[step] or (step == EXPLAINED and officer.role == CONTROLLER and bool(officer.units))


def next_step(
    one: Reviewed, actor: str, officer: OfficerLogin, directory: Directory, *, leader_overdue: bool = False
) -> str | None:
    """Say which step is this officer's to take now; `actor` is their handle.

    `leader_overdue` is that it waits for its leader no longer, who may explain it still.
    """
    if officer.role == DPO:
        return REOPENED if one.state == CLOSED and not one.erased else None
    if one.state in WAITS_FOR_LEADER and not _unexplainable(one, directory):
        if leads(officer, one):
            return EXPLAINED
        if not leader_overdue:
            return None
    return CLOSED if officer.role == CONTROLLER and one.state != CLOSED and not _explained(one, actor) else None


def _explained(one: Reviewed, actor: str) -> bool:
    return any(step.by == actor and step.state == EXPLAINED for step in one.steps)


def _unexplainable(one: Reviewed, directory: Directory) -> bool:
    """Tell whether no leader can explain it: its citizen is erased, or the unit is another municipality's."""
    return one.erased or of_another(one, directory)


def may_learn_who(one: Reviewed, officer: OfficerLogin, directory: Directory) -> bool:
    """Tell whether an officer is told who did it: who leads that very unit, while it waits for their words."""
    waits = one.state in WAITS_FOR_LEADER and not _unexplainable(one, directory)
    return waits and leads(officer, one)


def of_another(one: Reviewed, directory: Directory) -> bool:
    """Tell whether the unit is another municipality's, whose leader explains nothing on this log.

    One that left the registry is still its own's.
    """
    unit = directory.units.get(one.unit)
    return unit is not None and unit.municipality != one.municipality


@dataclass(frozen=True, slots=True)
class Own:
    """The handles that an officer has: by this log-in, and all of them, at work too."""

    here: str
    all: frozenset[str]


async def handles_of(officer: OfficerLogin, employers: Employers, handles: Handles) -> Own:
    """Give an officer's own handles, to tell what they did themselves in a list; none is made for who they are at work.

    Raises `StoreUnavailable`.
    """
    here = await handles.officer(officer)
    issuers = frozenset[str]().union(*(employers.get(home, frozenset()) for home in officer.municipalities))
    at_work = [await handles.employee(issuer, officer.id) for issuer in sorted(issuers)]
    return Own(here, frozenset({here, *filter(None, at_work)}))


async def hand_of(officer: OfficerLogin, who: str, employers: Employers, doors: Hands) -> tuple[str, bool]:
    """Give an officer's handle, and whether `who` is their own, by this log-in or at work.

    No handle is made for who the officer may be at work: the vault keeps the first word on whom a handle names, and
    with it a namesake would be named as the officer is.
    """
    actor = await doors.handles.officer(officer)
    issuers = frozenset[str]().union(*(employers.get(home, frozenset()) for home in officer.municipalities))
    return actor, actor == who or await doors.disclosures.is_of(who, officer.id, issuers)
