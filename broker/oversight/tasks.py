"""What waits for an overseer: the reviews, questions, files and erasures in which the next step is theirs to take.

Rules kept here:
- Only what this very officer may do now is a task: by role, municipality and unit, and never about what they did or
  asked for themselves (`hands.py`, `erasure.py`). The DPO decides no case, so no review waits for them.
- What is late stands first, then what is due soonest. No task names a citizen or an employee.
- A list of tasks opens nothing, and tells no more than the lists of reviews, questions, files and erasures do.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from broker.domain import breaches
from broker.domain.days import DANISH_TIME, danish_day
from broker.domain.identity import OfficerLogin
from broker.domain.inquiries import Place, place_of
from broker.domain.samples import EXPLAINED, OPEN, REOPENED
from broker.oversight import after_checks, reviews
from broker.oversight.after_checks import AfterCheckDesk
from broker.oversight.erasure import APPROVING_ROLES, OPERATOR
from broker.oversight.hands import DPO, handles_of, next_step, units_of
from broker.ports import Breaches, Erasures, Inquiries

SAMPLE, AFTER_CHECK, INQUIRY, BREACH, ERASURE = "sample", "after_check", "inquiry", "breach", "erasure"
KINDS = (SAMPLE, AFTER_CHECK, INQUIRY, BREACH, ERASURE)
PAGE = 200


@dataclass(frozen=True, slots=True)
class Task:
    """One thing that waits: its kind and id, whose it is, the unit of a review, and its last day where it has one."""

    kind: str
    id: str
    municipality: str
    unit: str
    due: date | None
    late: bool

    def days_late(self, today: date) -> int:
        """Count the whole days since its last one; none while it is not late."""
        return max(0, (today - self.due).days) if self.late and self.due else 0


@dataclass(frozen=True, slots=True)
class Desk:
    """The doors to all that may wait."""

    samples: reviews.Desk
    after_checks: AfterCheckDesk
    inquiries: Inquiries
    breaches: Breaches
    erasures: Erasures


async def tasks(officer: OfficerLogin, desk: Desk) -> tuple[Task, ...]:
    """List what waits for an officer, late first. Raises `NotAllowed` for a role that has no part in it."""
    units_of(officer)
    if officer.role == DPO:
        found = [*await _inquiries(officer, desk), *await _breaches(officer, desk), *await _erasures(officer, desk)]
    else:
        found = [*await _samples(officer, desk), *await _after_checks(officer, desk)]
    return tuple(sorted(found, key=lambda one: (not one.late, one.due or date.max, one.kind, one.id)))


async def _samples(officer: OfficerLogin, desk: Desk) -> list[Task]:
    work = desk.samples
    mine, today = await handles_of(officer, work.employers, work.handles), _today(desk)
    return [
        Task(SAMPLE, one.id, one.municipality, one.unit, one.due, one.late(today))
        async for one in _waiting(reviews.listed, officer, work)
        if one.actor not in mine.all and next_step(one, mine.here, officer, work.directory)
    ]


async def _after_checks(officer: OfficerLogin, desk: Desk) -> list[Task]:
    work = desk.after_checks
    mine, today = await handles_of(officer, work.employers, work.handles), _today(desk)
    return [
        Task(AFTER_CHECK, one.id, one.municipality, one.unit, one.due, one.late(today))
        async for one in _waiting(after_checks.listed, officer, work)
        if one.caseworker not in mine.all and after_checks.step_of(one, mine.here, officer, work)
    ]


async def _waiting(
    listed: Callable[..., Awaitable[Sequence[Any]]], officer: OfficerLogin, desk: object
) -> AsyncIterator[Any]:
    """Give each review that the officer sees and that is not closed."""
    for state in (OPEN, EXPLAINED, REOPENED):
        after, more = None, True
        while more:
            page = await listed(officer, desk, state=state, after=after, limit=PAGE)
            for one in page:
                yield one
            more = len(page) == PAGE
            after = page[-1].id if page else None


async def _inquiries(officer: OfficerLogin, desk: Desk) -> list[Task]:
    """List the questions without an answer, which stand first among all."""
    found, today = list[Task](), danish_day(desk.samples.clock.now())
    after: Place | None = None
    while True:
        page = await desk.inquiries.of(officer.municipalities, after=after, limit=PAGE)
        open_ones = [one for one in page if not one.answered_at]
        found += [
            Task(INQUIRY, one.id, one.municipality, "", one.answer_by, one.days_left(today) < 0) for one in open_ones
        ]
        if len(open_ones) < PAGE:
            return found
        after = place_of(page[-1])


async def _breaches(officer: OfficerLogin, desk: Desk) -> list[Task]:
    """List the files that are not closed; one whose clock stopped has no last day any more."""
    found, now = list[Task](), desk.samples.clock.now()
    after: str | None = None
    while True:
        page = await desk.breaches.of(officer.municipalities, after, PAGE)
        for one in page:
            if one.state != breaches.CLOSED:
                due = None if one.stopped_at else one.due.astimezone(DANISH_TIME).date()
                found.append(Task(BREACH, one.id, one.municipality, "", due, due is not None and now > one.due))
        if len(page) < PAGE:
            return found
        after = page[-1].id


async def _erasures(officer: OfficerLogin, desk: Desk) -> list[Task]:
    """List the erasures that want a second person's yes, in time, and were not asked for by this very one."""
    if officer.role not in APPROVING_ROLES:
        return []
    handles, now = desk.samples.handles, desk.samples.clock.now()
    mine = {await handles.officer(officer), await handles.officer(replace(officer, issuer=OPERATOR))}
    return [
        Task(ERASURE, one.id, one.municipality, "", one.expires_at.astimezone(DANISH_TIME).date(), late=False)
        for one in await desk.erasures.waiting(officer.municipalities)
        if one.approved_by is None and one.requested_by not in mine and now < one.expires_at
    ]


def _today(desk: Desk) -> date:
    return desk.samples.clock.now().astimezone(DANISH_TIME).date()
