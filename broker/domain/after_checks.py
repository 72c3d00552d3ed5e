"""After-checks of break-glass: each request, and three of one caseworker in 30 days, is looked into afterwards.

Rules kept here:
- A request is an after-check from its first moment, by being there: none can be missed, and there is no copy to differ.
- It is to be closed within three working days of the request, or of being opened again. What is late is escalated, once
  each time it was opened; a leader who then says nothing for some working days more holds it up no longer.
- Texts stand in no event. An event names the after-check, and its subject is the officer: whoever a deferral keeps an
  access back from learns nothing of it here.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import date, datetime, time, timedelta
from typing import Any, ClassVar
from uuid import NAMESPACE_URL, uuid5

from broker.domain import working_days
from broker.domain.break_glass import BreakGlass
from broker.domain.days import DANISH_TIME
from broker.domain.entries import LogEntry
from broker.domain.events import AuditEvent
from broker.domain.samples import CLOSED, EXPLAINED, OPEN, REOPENED, Step
from broker.domain.working_days import working_days_after

USE, REPEATED = "use", "repeated"
# So many requests of one caseworker, within so long, are looked into together.
USES, WITHIN = 3, timedelta(days=30)
WORKING_DAYS = 3
# What a list can be asked for beside the states and late; what is escalated keeps its state.
ESCALATED = "escalated"
# How its history tells a closing that no leader's explanation went before.
UNEXPLAINED = "closed_unexplained"
# How far before and after a request a case of the citizen's speaks for it.
RELATION_WITHIN = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class Escalation:
    """That a node wrote down, at a moment, that it was late; `opening` is the step that had opened it again, or 0."""

    opening: int
    at: datetime
    by: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class AfterCheck:
    """A request, or three of one caseworker, to be looked into; with what was said of it.

    `erased` is that of no citizen concerned a key is left: nothing can be written of it any more.
    """

    id: str
    kind: str
    municipality: str
    unit: str
    caseworker: str = field(repr=False)
    opened_at: datetime
    requests: tuple[str, ...]
    citizens: tuple[str, ...] = field(repr=False)
    steps: tuple[Step, ...] = ()
    erased: bool = False
    escalations: tuple[Escalation, ...] = ()

    @property
    def state(self) -> str:
        """Say how far it has come."""
        return self.steps[-1].state if self.steps else OPEN

    @property
    def due(self) -> date:
        """Give the last day on which it should be closed."""
        since = next((step.at for step in reversed(self.steps) if step.state == REOPENED), self.opened_at)
        return working_days.working_days_after(since.astimezone(DANISH_TIME).date(), WORKING_DAYS)

    def late(self, today: date) -> bool:
        """Tell whether it should be closed by now."""
        return self.days_late(today) > 0

    def days_late(self, today: date) -> int:
        """Count the days since it should have been closed; none while it is not late."""
        return 0 if self.state == CLOSED else max(0, (today - self.due).days)

    @property
    def opening(self) -> int:
        """Give the number of the step that opened it again last; 0 where none did."""
        return max((number for number, step in enumerate(self.steps, 1) if step.state == REOPENED), default=0)

    @property
    def escalated_at(self) -> datetime | None:
        """Give when it was escalated since it was opened, or opened again."""
        return next((one.at for one in self.escalations if one.opening == self.opening), None)

    @property
    def explained(self) -> bool:
        """Tell whether a leader explained it since it was opened, or opened again."""
        return any(step.state == EXPLAINED for step in self.steps[self.opening :])

    @property
    def history(self) -> tuple[Step, ...]:
        """Give the steps, closings without a leader's words as such, and each escalation in its place between them."""
        told, explained = list[tuple[int, Step]](), False
        for number, step in enumerate(self.steps, 1):
            unexplained = step.state == CLOSED and not explained
            told.append((number, replace(step, state=UNEXPLAINED) if unexplained else step))
            explained = step.state == EXPLAINED or (explained and step.state != REOPENED)
        for one in self.escalations:
            before = sum(step.at < one.at for step in self.steps[one.opening :])
            told.append((one.opening + before, Step(ESCALATED, one.at, one.by)))
        return tuple(step for _, step in sorted(told, key=lambda row: row[0]))

    def leader_until(self, days: int) -> date | None:
        """Give the leader's last day, so many working days after it was escalated; None where none runs."""
        since = self.escalated_at
        if since is None or self.explained or self.state == CLOSED:
            return None
        return working_days_after(since.astimezone(DANISH_TIME).date(), days)

    def leader_overdue(self, today: date, days: int) -> bool:
        """Tell whether the leader's last day is over, so that it may be closed without their words."""
        until = self.leader_until(days)
        return until is not None and today > until


def late_before(today: date) -> datetime:
    """Give the moment before which what was opened is late today."""
    return datetime.combine(working_days.late_before(today, WORKING_DAYS), time(), DANISH_TIME)


# Where the citizen's notice is.
WAITS, PUT_OFF, ON_PAPER, SENT, NOT_KNOWN = "waits", "put_off", "on_paper", "sent", "not_known"
# What who leads the unit is told of it: a letter may be put off because of the unit itself.
UNDISCLOSED = "undisclosed"


@dataclass(frozen=True, slots=True)
class NoticeState:
    """How the citizen's notice stands: since or until when, through which channel, on which ground it is put off."""

    state: str
    at: datetime | None = None
    channel: str = ""
    ground: str = ""


# Whether the registers told, at some access around it, that the caseworker had a case of the citizen's.
BEFORE, LATER, NONE, NOT_YET = "before", "later", "none", "not_yet"


@dataclass(frozen=True, slots=True)
class RelationFound:
    """Whether a case ties the two: when it was told, or until when it is looked for."""

    state: str
    at: datetime


@dataclass(frozen=True, slots=True)
class RequestSeen:
    """One request as an after-check shows it: who decided what, its lines on the log, the notice, the relation."""

    request: BreakGlass
    lines: tuple[LogEntry, ...]
    notice: NoticeState
    relation: RelationFound


def notice_id(request: str) -> str:
    """Name the notice of a request, so that it can be found again; nobody learns the request from it."""
    return str(uuid5(NAMESPACE_URL, f"urn:borgerbro:break-glass:notice:{request}"))


@dataclass(frozen=True, slots=True, kw_only=True)
class AfterCheckEvent(AuditEvent):
    """What is said of an after-check: which one, of which kind and unit, of which requests."""

    after_check: str
    what: str
    unit: str
    requests: tuple[str, ...]

    def index(self) -> dict[str, Any]:
        """Add unit and after-check."""
        return AuditEvent.index(self) | {"unit": self.unit, "after_check": self.after_check}


@dataclass(frozen=True, slots=True, kw_only=True)
class AfterCheckByOfficer(AfterCheckEvent):
    """What an officer did with an after-check, and as what."""

    role: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AfterCheckRead(AfterCheckByOfficer):
    """An officer opened an after-check; each time is an entry of its own."""

    code: ClassVar[int] = 120
    name: ClassVar[str] = "after_check.read"


@dataclass(frozen=True, slots=True, kw_only=True)
class AfterCheckExplained(AfterCheckByOfficer):
    """A leader of the unit explained what was asked in danger to life."""

    code: ClassVar[int] = 121
    name: ClassVar[str] = "after_check.explained"


@dataclass(frozen=True, slots=True, kw_only=True)
class AfterCheckClosed(AfterCheckByOfficer):
    """A log controller closed it with a note; without one where its citizen is erased."""

    code: ClassVar[int] = 122
    name: ClassVar[str] = "after_check.closed"


@dataclass(frozen=True, slots=True, kw_only=True)
class AfterCheckClosedUnexplained(AfterCheckByOfficer):
    """A log controller closed it, and no leader had explained it since it was opened, or opened again."""

    code: ClassVar[int] = 128
    name: ClassVar[str] = "after_check.closed_unexplained"


@dataclass(frozen=True, slots=True, kw_only=True)
class AfterCheckReopened(AfterCheckByOfficer):
    """A DPO asked that it be looked into again."""

    code: ClassVar[int] = 123
    name: ClassVar[str] = "after_check.reopened"


@dataclass(frozen=True, slots=True, kw_only=True)
class AfterCheckEscalated(AfterCheckEvent):
    """It was late, and a node wrote so; once since it was opened, or opened again. `due` was its last day."""

    code: ClassVar[int] = 129
    name: ClassVar[str] = "after_check.escalated"

    due: str
