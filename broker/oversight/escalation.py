"""Escalating what nobody looked into in time: written on the log once, by whichever node sees it first.

Rules kept here:
- An after-check is escalated once each time it was opened; opened again, it has its time, and its escalation, anew.
- What is closed meanwhile, or another node does at this moment, is left as it is.
"""

from __future__ import annotations

from broker.domain.after_checks import AfterCheck, AfterCheckEscalated, late_before
from broker.domain.days import DANISH_TIME
from broker.domain.errors import Conflict
from broker.oversight.doors import AfterChecks
from broker.ports import Clock

PAGE = 200


async def escalate_late(municipality: str, actor: str, after_checks: AfterChecks, clock: Clock) -> int:
    """Escalate each late after-check of a municipality that was not; give of how many this node wrote it.

    Raises `StoreUnavailable`, `LogUnavailable`.
    """
    opened_before, done, after = late_before(clock.now().astimezone(DANISH_TIME).date()), 0, None
    while True:
        page = await after_checks.of((municipality,), None, after, PAGE, opened_before=opened_before, escalated=False)
        for late in page:
            done += await _escalate(late, actor, after_checks, clock)
        if len(page) < PAGE:
            return done
        after = page[-1].id


async def _escalate(late: AfterCheck, actor: str, after_checks: AfterChecks, clock: Clock) -> bool:
    event = AfterCheckEscalated(
        municipality=late.municipality,
        subject=actor,
        actor=actor,
        at=clock.now(),
        after_check=late.id,
        what=late.kind,
        unit=late.unit,
        requests=late.requests,
        due=late.due.isoformat(),
    )
    try:
        await after_checks.escalate(late, event)
    except Conflict:
        return False
    return True
