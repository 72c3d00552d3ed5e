"""An overseer is told whose the code on a line is, or looks an employee's code up; why is written down first.

Rules kept here:
- DPO and log controller alone, of lines of their own municipalities' logs, and of their own employees: who works for
  another municipality is named by its overseers. A leader learns who it was by the review that waits for their words.
- It is on the log, with the reason in words, before the name leaves; so many in a day and no more.
- The entry is about the overseer: whom the line is about sees that it was opened, and no name of an employee.
- An employee is found by the id that their employer uses. No list of names is gone through: each would be opened.
"""

from __future__ import annotations

import uuid
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

from broker.domain.directory import Directory
from broker.domain.disclosed import ActorIdentity, EmployeeNamed
from broker.domain.entries import CHANGED, LogEntry
from broker.domain.errors import BadAsk, Conflict
from broker.domain.events import BreakGlassDecided, BreakGlassRead
from broker.domain.identity import OfficerLogin
from broker.domain.personal import Personal
from broker.oversight.doors import Disclosures
from broker.oversight.search import Line, check_role, entry_at
from broker.ports import Clock, Handles, LogReader

ANSWERED = frozenset({BreakGlassRead.name, BreakGlassDecided.name})
LONGEST_WHY, LONGEST_ID = 500, 200
OF_ANOTHER, NOBODY, NOT_WHOLE = "employee_of_another", "no_employee", "line_changed"


@dataclass(frozen=True, slots=True)
class Desk:
    """The doors that naming needs; `employers` are issuers with their municipality, `count` the ceiling of a day."""

    clock: Clock
    handles: Handles
    directory: Directory
    reader: LogReader
    disclosures: Disclosures
    employers: Mapping[str, str]
    count: Callable[[str], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Sought:
    """An employee, by the id their employer uses; the employer by its issuer where the overseer has several."""

    id: Personal[str]
    issuer: str = ""


async def name_behind(line: Line, why: Personal[str], officer: OfficerLogin, desk: Desk) -> ActorIdentity:
    """Tell who did what a line says, which is written down first.

    Raises `NotAllowed`, `NotFound` for a line that is not theirs, `Conflict` where the line names no employee of theirs
    or was changed, `TooManyAsks`, `LogUnavailable`, `StoreUnavailable`.
    """
    check_role(officer)
    found = await entry_at(line, officer, desk.reader)
    employee = await _employee_of(found, officer, desk)
    actor = await desk.handles.officer(officer)
    await desk.count(actor)
    event = EmployeeNamed(
        municipality=found.municipality, subject=actor, actor=actor, at=desk.clock.now(), role=officer.role,
        disclosure=str(uuid.uuid4()), employee=employee, log=found.receipt.log, line=found.receipt.index,
    )  # fmt: skip
    return await desk.disclosures.name(event, why)


async def code_of(sought: Sought, why: Personal[str], officer: OfficerLogin, desk: Desk) -> str | None:
    """Give the code of a named employee, which is written down first; None where nobody was seen by that id.

    Raises `NotAllowed`, `BadAsk` for an employer that is not theirs, `TooManyAsks`, `LogUnavailable`,
    `StoreUnavailable`.
    """
    check_role(officer)
    mine = employers_of(officer, desk)
    issuer = sought.issuer or (mine[0] if len(mine) == 1 else "")
    if issuer not in mine:
        raise BadAsk("/employee/issuer")
    actor = await desk.handles.officer(officer)
    await desk.count(actor)
    code = await desk.handles.employee(issuer, sought.id)
    event = EmployeeNamed(
        municipality=desk.employers[issuer], subject=actor, actor=actor, at=desk.clock.now(), role=officer.role,
        disclosure=str(uuid.uuid4()), employee=code or "",
    )  # fmt: skip
    await desk.disclosures.record(event, why)
    return code


def employers_of(officer: OfficerLogin, desk: Desk) -> list[str]:
    """List the issuers that name employees of the overseer's municipalities."""
    return sorted(issuer for issuer, home in desk.employers.items() if home in officer.municipalities)


async def _employee_of(entry: LogEntry, officer: OfficerLogin, desk: Desk) -> str:
    """Give the code of who did it; raise `Conflict` where it is nobody whom this overseer may have named."""
    if entry.state == CHANGED:
        # Whoever changed the row chose whose name would be told.
        raise Conflict(NOT_WHOLE)
    if _acted_for(entry, desk.directory) not in officer.municipalities:
        raise Conflict(OF_ANOTHER)
    employee = str(entry.index.get("actor", ""))
    if not await desk.handles.is_employee(employee):
        raise Conflict(NOBODY)
    return employee


def _acted_for(entry: LogEntry, directory: Directory) -> str | None:
    """Say for which municipality it was done; None where nothing tells any more."""
    body = entry.body or {}
    # Who answers for the data acts for their own unit, while the row has the unit that asked.
    named = body.get("holder", "") if entry.kind in ANSWERED else entry.index.get("unit")
    if named is None:
        # What no unit did, its log's own overseers, operators and nodes did.
        return entry.municipality
    if named in directory.units:
        return directory.units[named].municipality
    # A unit that left the registry: an ask says for whom it was; a consent stands on the log of its own unit alone.
    if entry.body is None or entry.kind in ANSWERED:
        return None
    return str(body.get("requester", entry.municipality))
