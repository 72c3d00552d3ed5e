"""How a municipality's logs stand, what is an alarm, and the events of whoever looks into it.

Rules kept here:
- An alarm is a code; the pages have one plain sentence for each that says what to do.
- What a node cannot know is no alarm: a witness that disputes a head tells the checkpointer, and that its operator.
- A look, a check and an evidence package are about no citizen but are somebody's doing: each is on the log.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, ClassVar

from broker.domain.events import AuditEvent
from broker.domain.receipts import Receipt

# An ask that has no outcome by then will hardly get one: sources, registers and rules answer in seconds.
OUTCOME_WITHIN = timedelta(minutes=5)
# How far back asks without an outcome are looked for: each ask of that time is looked at for each look at the page.
LOOKED_BACK = timedelta(days=7)
MOST_SHOWN = 50
# A log at rest is cosigned every two minutes; after five without, something is wrong.
LATE_SECONDS = 300
CHECKED_WITHIN = timedelta(days=31)

LATE, REFUSING, NEVER_SIGNED, SHORT_OF_WITNESSES = "late", "refusing", "never_signed", "short_of_witnesses"
ROLLED_BACK, FORKED, BAD_SIGNATURE = "rolled_back", "forked", "bad_signature"
OPEN_ASKS, STILL_KEPT_BACK = "open_asks", "still_kept_back"
NEVER_CHECKED, CHECK_OLD, CHECK_FOUND = "never_checked", "check_old", "check_found"
CHECK_BROKEN_OFF, CHECK_SILENT = "check_broken_off", "check_silent"
ALARMS = (
    ROLLED_BACK, FORKED, BAD_SIGNATURE, CHECK_FOUND, CHECK_SILENT, REFUSING, LATE, NEVER_SIGNED, SHORT_OF_WITNESSES,
    OPEN_ASKS, STILL_KEPT_BACK, CHECK_BROKEN_OFF, NEVER_CHECKED, CHECK_OLD,
)  # fmt: skip
RUNNING, ENDED, BROKEN_OFF = "running", "ended", "broken_off"
# Why a check was broken off: the node it ran on ended, it took too long, or it ended without a report.
NODE_ENDED, TOO_LONG, NO_REPORT = "node_ended", "too_long", "no_report"
WHYS = (NODE_ENDED, TOO_LONG, NO_REPORT)


@dataclass(frozen=True, slots=True)
class Cosigned:
    """A witness, and when it cosigned the newest published head; None where it did not, or not so that it holds.

    `judged` tells whether its signature was held against its key: a node that knows no policy only reads names.
    """

    name: str
    at: datetime | None
    judged: bool


@dataclass(frozen=True, slots=True)
class Quorum:
    """How many of how many witnesses the policy wants, and whether it is satisfied."""

    least: int
    members: int
    met: bool


@dataclass(frozen=True, slots=True)
class Run:
    """One check of a log from the first entry to the last: who began it when, how far it is, what it found."""

    id: str
    municipality: str
    log: str
    by: str
    role: str
    begun_at: datetime
    state: str
    done: int = 0
    total: int = 0
    ended_at: datetime | None = None
    size: int | None = None
    signed_size: int | None = None
    faults: tuple[str, ...] = ()
    # How many there were; only the first are kept.
    found: int = 0
    # Entries whose content was deleted lawfully, as the log itself says.
    deleted: int = 0
    # Why it was broken off; empty where it was not, and where nobody knows.
    why: str = ""

    @property
    def silent(self) -> bool:
        """Tell whether it ran and could not say what it found: that may be the log's doing, and no node's."""
        return self.why in {TOO_LONG, NO_REPORT}

    @property
    def share(self) -> int:
        """Say how many per cent are done."""
        return 100 * self.done // self.total if self.total else 0


@dataclass(frozen=True, slots=True)
class OpenAsk:
    """An ask that has no outcome on the log, long after it was made."""

    receipt: Receipt
    at: datetime
    unit: str


@dataclass(frozen=True, slots=True)
class Standing:
    """One log of one municipality and year, as it stands at a moment.

    `published_root` is the root hash of the newest published head, in base64 as the checkpoint writes it (C2SP
    tlog-checkpoint). `waited_seconds` is how long nothing of it was published; None for a year that is over and
    published whole. `shorter` and `bent` tell what this node saw: fewer entries than were signed, or other ones.
    `kept_back` counts deferrals in force in the municipality, `overdue` entries that still are kept back though their
    time is over; both, and `open_asks`, are the municipality's, and stand with its newest log alone.
    """

    log: str
    municipality: str
    year: int
    newest: bool
    size: int
    grown_at: datetime | None
    signed_size: int
    signed_at: datetime | None
    published_size: int
    published_at: datetime | None
    waited_seconds: float | None
    limit_seconds: float
    witnesses: tuple[Cosigned, ...] = ()
    quorum: Quorum | None = None
    shorter: bool = False
    bent: bool = False
    signature_holds: bool | None = None
    open_asks: tuple[OpenAsk, ...] = ()
    open_count: int = 0
    kept_back: int = 0
    overdue: int = 0
    last: Run | None = None
    # The newest run of any state; `last` is the newest that came to its end.
    newest_run: Run | None = None
    # A check after the last whole one ran and could not say what it found; another that began takes nothing away.
    silent: bool = False
    published_root: str | None = None

    def alarms(self, now: datetime) -> tuple[str, ...]:
        """Name what somebody must see to, the worst first."""
        found = {*self._of_signing(), *self._of_checking(now)}
        return tuple(code for code in ALARMS if code in found)

    def _of_signing(self) -> Iterator[str]:
        waited = self.waited_seconds or 0.0
        told = {
            ROLLED_BACK: self.shorter,
            FORKED: self.bent,
            BAD_SIGNATURE: self.signature_holds is False,
            REFUSING: waited > self.limit_seconds,
            LATE: LATE_SECONDS < waited <= self.limit_seconds,
            NEVER_SIGNED: self.size > 0 and self.published_at is None,
            SHORT_OF_WITNESSES: self.quorum is not None and self.published_at is not None and not self.quorum.met,
            OPEN_ASKS: self.open_count > 0,
            STILL_KEPT_BACK: self.overdue > 0,
        }
        return (code for code, true in told.items() if true)

    def _of_checking(self, now: datetime) -> Iterator[str]:
        if self.silent:
            yield CHECK_SILENT
        elif self.newest_run is not None and self.newest_run.state == BROKEN_OFF:
            yield CHECK_BROKEN_OFF
        if self.last is None:
            yield NEVER_CHECKED
        elif self.last.found:
            yield CHECK_FOUND
        elif self.newest and self.last.begun_at < now - CHECKED_WITHIN:
            yield CHECK_OLD


@dataclass(frozen=True, slots=True, kw_only=True)
class IntegritySeen(AuditEvent):
    """An overseer looked how the logs stand: how many asks without an outcome they were shown."""

    code: ClassVar[int] = 125
    name: ClassVar[str] = "integrity.seen"

    role: str
    open_asks: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckBegun(AuditEvent):
    """An overseer had the check of a log begin, from its first entry to its last."""

    code: ClassVar[int] = 126
    name: ClassVar[str] = "log.check_begun"

    role: str
    log: str
    run: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LogVerified(AuditEvent):
    """A log was checked from the first entry to the last, because an overseer had it begun; what came of it.

    `log` and `run` are empty in entries from before checks ran beside the node's other work.
    """

    code: ClassVar[int] = 31
    name: ClassVar[str] = "log.verified"

    role: str
    size: int
    intact: bool
    log: str = ""
    run: str = ""
    faults: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class EvidenceMade(AuditEvent):
    """An overseer took out the evidence of one access: its line, and the SHA-256 of what they were given.

    Its subject is who the line is about, where it shows to them at this moment; else the overseer themself.
    """

    code: ClassVar[int] = 127
    name: ClassVar[str] = "evidence.made"

    role: str
    log: str
    line: int
    digest: str

    def index(self) -> dict[str, Any]:
        """Add the line."""
        return AuditEvent.index(self) | {"line": self.line}
