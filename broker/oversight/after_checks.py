"""Looking into break-glass afterwards: a leader explains, a log controller closes, a DPO re-opens; logged first.

Whose hand an after-check waits for is as with samples (`hands.py`). What the on-call caseworker wrote is for the
holders' eyes, and is not opened here; nor is any body of an entry, but that of the notice, to tell whether it left.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import TypeVar

from broker.domain.after_checks import (
    BEFORE,
    ESCALATED,
    LATER,
    NONE,
    NOT_KNOWN,
    NOT_YET,
    RELATION_WITHIN,
    SENT,
    UNDISCLOSED,
    AfterCheck,
    AfterCheckByOfficer,
    AfterCheckClosed,
    AfterCheckClosedUnexplained,
    AfterCheckExplained,
    AfterCheckRead,
    AfterCheckReopened,
    NoticeState,
    RelationFound,
    RequestSeen,
    late_before,
    notice_id,
)
from broker.domain.break_glass import BreakGlass
from broker.domain.days import DANISH_TIME
from broker.domain.directory import Directory
from broker.domain.disclosed import OF_BREAK_GLASS, ActorIdentity, EmployeeDisclosed
from broker.domain.entries import LogFilter
from broker.domain.errors import BadAsk, Conflict, NotAllowed
from broker.domain.identity import OfficerLogin
from broker.domain.personal import Personal
from broker.domain.receipts import Receipt
from broker.domain.relations import Relation
from broker.domain.samples import CLOSED, EXPLAINED, LATE, REOPENED
from broker.oversight.doors import AfterChecks, Disclosures, RelationsOfTwo
from broker.oversight.hands import (
    DPO,
    HANDS,
    LEADER,
    Employers,
    hand_of,
    leads,
    may_ever,
    may_learn_who,
    next_step,
    of_another,
    refuse_unseen,
    units_of,
)
from broker.ports import Clock, Emergencies, Handles, LogReader

E = TypeVar("E", bound=AfterCheckByOfficer)
EVENTS: dict[str, type[AfterCheckByOfficer]] = {
    EXPLAINED: AfterCheckExplained,
    CLOSED: AfterCheckClosed,
    REOPENED: AfterCheckReopened,
}
MOST_LINES = 200


@dataclass(frozen=True, slots=True)
class AfterCheckDesk:
    """The doors of the work with after-checks; `employers` are those whose word names caseworkers, by municipality.

    `leader_days` are the working days that a leader has after an escalation, before it is closed without their words.
    """

    clock: Clock
    handles: Handles
    directory: Directory
    reader: LogReader
    after_checks: AfterChecks
    emergencies: Emergencies
    relations: RelationsOfTwo
    disclosures: Disclosures
    employers: Employers
    leader_days: int


@dataclass(frozen=True, slots=True)
class Opened:
    """An after-check as opened: words, requests, the step that is the reader's, and whether they may learn who.

    `leader_until` is the leader's last day, where it was escalated and waits for them.
    """

    after_check: AfterCheck
    requests: tuple[RequestSeen, ...]
    step: str | None
    may_learn_who: bool
    leader_until: date | None


async def listed(
    officer: OfficerLogin,
    desk: AfterCheckDesk,
    *,
    state: str | None = None,
    after: str | None = None,
    limit: int = 50,
) -> tuple[AfterCheck, ...]:
    """List the after-checks that are the officer's to see, without words.

    In the state `LATE`, those that are late; `ESCALATED`, those that were escalated and are not closed.
    Raises `NotAllowed`, `NotFound`.
    """
    return await desk.after_checks.of(
        officer.municipalities,
        units_of(officer),
        after,
        limit,
        state=None if state in {LATE, ESCALATED} else state,
        opened_before=late_before(_today(desk)) if state == LATE else None,
        escalated=True if state == ESCALATED else None,
    )


async def count_escalated(officer: OfficerLogin, desk: AfterCheckDesk) -> int:
    """Count for a DPO what is escalated to them and not closed; nought for everybody else."""
    return await desk.after_checks.escalated(officer.municipalities) if officer.role == DPO else 0


async def opened(after_check: str, officer: OfficerLogin, desk: AfterCheckDesk) -> Opened:
    """Open one, which is written down first. Raises `NotAllowed`, `NotFound`, `LogUnavailable`."""
    found, actor, mine = await _found(after_check, officer, desk)
    await desk.after_checks.read(found, _event(AfterCheckRead, found, actor, officer.role, desk))
    units = units_of(officer)
    calls = [await desk.emergencies.by_id(request, found.municipality) for request in found.requests]
    # Of three, some may be of a unit that the leader does not lead.
    seen = [call for call in calls if units is None or (found.municipality, call.unit) in units]
    requests = [await _request(call, officer, desk) for call in seen]
    step = None if mine else step_of(found, actor, officer, desk)
    who_is_told = not mine and may_learn_who(found, officer, desk.directory)
    return Opened(found, tuple(requests), step, who_is_told, _leader_until(found, desk))


async def take(
    after_check: str, step: str, text: Personal[str] | None, officer: OfficerLogin, desk: AfterCheckDesk
) -> Receipt:
    """Explain, close or re-open; without words only where the citizen is erased.

    Raises `NotAllowed`, `NotFound`, `BadAsk`, and `Conflict` where that is not the next step.
    """
    if step not in EVENTS:
        raise BadAsk("/state")
    if not may_ever(officer, step):
        raise NotAllowed
    found, actor, mine = await _found(after_check, officer, desk)
    if mine or step_of(found, actor, officer, desk) != step:
        raise Conflict("not_the_next_step")
    if text is None and not found.erased:
        raise BadAsk("/text")
    kind = AfterCheckClosedUnexplained if step == CLOSED and not found.explained else EVENTS[step]
    return await desk.after_checks.step(found, step, text, _event(kind, found, actor, HANDS[step], desk))


async def who(after_check: str, officer: OfficerLogin, desk: AfterCheckDesk) -> ActorIdentity:
    """Tell a leader who of their own unit asked, which is written down first.

    Raises `NotAllowed` for everybody else, `NotFound`, `LogUnavailable`, and `Conflict` where nothing is to explain.
    """
    found, actor, mine = await _found(after_check, officer, desk)
    if not may_ever(officer, EXPLAINED):
        raise NotAllowed
    if mine or not may_learn_who(found, officer, desk.directory):
        raise Conflict("not_the_next_step")
    return await desk.disclosures.tell(
        EmployeeDisclosed(
            municipality=found.municipality,
            subject=actor,
            actor=actor,
            at=desk.clock.now(),
            reason=OF_BREAK_GLASS,
            review=found.id,
            unit=found.unit,
            employee=found.caseworker,
            role=LEADER,
        )
    )


async def count_late(municipality: str, door: AfterChecks, clock: Clock) -> int:
    """Count the after-checks of a municipality that should be closed by now. Raises `StoreUnavailable`."""
    return await door.late(municipality, late_before(clock.now().astimezone(DANISH_TIME).date()))


async def _found(after_check: str, officer: OfficerLogin, desk: AfterCheckDesk) -> tuple[AfterCheck, str, bool]:
    """Give the after-check, the officer's handle, and whether what it is about is the officer's own."""
    units_of(officer)
    found = await desk.after_checks.by_id(after_check, officer.municipalities)
    refuse_unseen(found, officer)
    actor, mine = await hand_of(officer, found.caseworker, desk.employers, desk)
    return found, actor, mine


def step_of(found: AfterCheck, actor: str, officer: OfficerLogin, desk: AfterCheckDesk) -> str | None:
    """Say which step is the officer's to take now; `actor` is their handle, and what it is about is not their own."""
    overdue = found.leader_overdue(_today(desk), desk.leader_days)
    return next_step(found, actor, officer, desk.directory, leader_overdue=overdue)


def _leader_until(found: AfterCheck, desk: AfterCheckDesk) -> date | None:
    """Give the leader's last day; None where no leader's words are waited for."""
    waits = not found.erased and not of_another(found, desk.directory)
    return found.leader_until(desk.leader_days) if waits else None


def _today(desk: AfterCheckDesk) -> date:
    return desk.clock.now().astimezone(DANISH_TIME).date()


async def _request(call: BreakGlass, officer: OfficerLogin, desk: AfterCheckDesk) -> RequestSeen:
    """Read one request, its lines on the log, its notice, and what was told of the two around it."""
    request, home = call.id, call.municipality
    since = int(call.requested_at.timestamp())
    wanted = LogFilter(citizen=call.citizen, case=call.case, emergency=True)
    page = await desk.reader.search((home,), wanted, limit=MOST_LINES)
    lines = tuple(line for line in reversed(page.entries) if line.index.get("break_glass") == request)
    # What the law keeps back may be kept back because of the unit itself. Letters that are not put off leave within
    # days, so that any word of one would tell: who leads the unit is told nothing of it, and nothing is asked for.
    notice = NoticeState(UNDISCLOSED) if leads(officer, call) else await _notice(call, desk)
    reach = int(RELATION_WITHIN.total_seconds())
    told = await desk.relations.of_two(home, call.caseworker, call.citizen, since - reach, since + reach)
    return RequestSeen(call, lines, notice, relation(told, call.requested_at, desk.clock.now()))


async def _notice(call: BreakGlass, desk: AfterCheckDesk) -> NoticeState:
    """Tell how the citizen's letter stands: as the store knows it, or once it left as the log does."""
    kept = await desk.after_checks.notice(call.id, call.citizen, call.municipality, call.unit, desk.clock.now())
    if kept.state != NOT_KNOWN:
        return kept
    return await _sent(call.id, call.citizen, call.municipality, int(call.requested_at.timestamp()), desk)


async def _sent(request: str, citizen: str, home: str, since: int, desk: AfterCheckDesk) -> NoticeState:
    """Look on the log whether the notice left, and through which channel."""
    wanted = LogFilter(kind="notice.sent", citizen=citizen, since=since)
    page = await desk.reader.search((home,), wanted, limit=MOST_LINES)
    for row in reversed(page.entries):
        entry = await desk.reader.entry(row.receipt, municipalities=(home,))
        if entry.body is not None and entry.body["notice"] == notice_id(request):
            return NoticeState(SENT, entry.at, channel=entry.body["channel"])
    return NoticeState(NOT_KNOWN)


def relation(told: Sequence[tuple[datetime, Relation]], asked_at: datetime, now: datetime) -> RelationFound:
    """Say whether a case ties two people around a moment, as accesses told, the first first."""
    tied = [at for at, one in told if one.named_from or one.team]
    before = [at for at in tied if at <= asked_at]
    if before:
        return RelationFound(BEFORE, before[-1])
    if tied:
        return RelationFound(LATER, tied[0])
    until = asked_at.astimezone(UTC) + RELATION_WITHIN
    return RelationFound(NOT_YET if now < until else NONE, until)


def _event(kind: type[E], found: AfterCheck, actor: str, role: str, desk: AfterCheckDesk) -> E:
    return kind(
        municipality=found.municipality,
        subject=actor,
        actor=actor,
        at=desk.clock.now(),
        after_check=found.id,
        what=found.kind,
        unit=found.unit,
        requests=found.requests,
        role=role,
    )
