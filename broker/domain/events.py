"""The catalogue of audit events: what may stand on the log, each with just the fields it may carry.

Rules kept here:
- Events hold handles, codes, counts and days; never a CPR number, a name or free text. Texts that evidence needs
  (what the citizen read and said yes to) are named by version or digest. One alone is in a body, sealed once more: why
  an overseer wanted an employee's name (`disclosed.py`).
- `code` is the kind in the public part of the entry (`audit/entry.py`); a code is never used again.
- The body (encrypted under the subject's key) is every field; the index row (deletable, for search) is `index()`.
- Each event names the municipality whose log it stands on and the one subject under whose key it lies.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, ClassVar

from broker.domain.decisions import PolicyMark, Verdict
from broker.domain.items import Item, Silent

# Fields of a body that no page, answer or proof ever shows: they tell of more than the entry's own subject.
FOR_REPLAY_ALONE = ("question_packed",)
REFUSED, EVALUATED = "refused", "evaluated"
NOTHING_LEFT = frozenset({REFUSED, EVALUATED})


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditEvent:
    """What every event says: whose log, about whom (handle), by whom (handle), when."""

    code: ClassVar[int]
    name: ClassVar[str]

    municipality: str
    subject: str
    actor: str
    at: datetime

    def index(self) -> dict[str, Any]:
        """Give the index row: what supervision may search for without opening the body (`design.md` 6b h)."""
        return {
            "municipality": self.municipality,
            "at": int(self.at.timestamp()),
            "kind": self.name,
            "citizen": self.subject,
            "actor": self.actor,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class AskMade(AuditEvent):
    """A caller asked about a citizen. Durable before anything about the citizen is read (P2).

    `aim` is `share` when data is asked for, `consent` when the caller set out to ask the citizen for consent: then
    registers are read to see who may say yes, and no data at all; `evaluation` when they asked only whether they may.
    """

    code: ClassVar[int] = 1
    name: ClassVar[str] = "ask"

    ask: str
    requester: str
    unit: str
    system: str
    roles: tuple[str, ...]
    nsis: str
    purpose: str
    case: str
    categories: tuple[str, ...] | None
    sources: tuple[str, ...] | None
    repeat: bool = False
    aim: str = "share"
    break_glass: str = ""  # the request it rests on, in an emergency

    def index(self) -> dict[str, Any]:
        """Add unit, purpose and case."""
        row = AuditEvent.index(self)
        row |= {"ask": self.ask, "unit": self.unit, "purpose": self.purpose, "case": self.case}
        return row


@dataclass(frozen=True, slots=True, kw_only=True)
class OutcomeReached(AuditEvent):
    """An ask was answered or refused: the decision, what was read, what leaves (counts and an HMAC of the items)."""

    code: ClassVar[int] = 2
    name: ClassVar[str] = "outcome"

    ask: str
    requester: str
    unit: str
    purpose: str
    case: str
    outcome: str  # "released", "partly", "refused", "evaluated": told whether, and nothing handed out
    verdicts: tuple[Verdict, ...]
    mark: PolicyMark
    question: str  # SHA-256 of the canonical question
    registers: tuple[str, ...]
    failed_registers: tuple[str, ...]
    sources_read: tuple[str, ...]
    silent: tuple[Silent, ...]
    dropped: int
    own_items: int
    shared_items: int
    kept: tuple[Item, ...] = field(repr=False)  # enters the body as an HMAC under the subject's key only
    break_glass: str = ""  # the request it rests on, in an emergency
    judged_again: bool = False
    view: str = ""  # of a whole-person view: "whole", or "reduced" where too few areas were seen at work (C12)
    meeting: bool = False  # something went out under a law that counts the days (SEL § 49 a)
    counted: tuple[str, ...] = ()  # the consents with a limit, of which this was a use
    # In the entry about the citizen asked for, on the requester's own log, alone: the question itself, packed, and the
    # hash of what the policy answered to it, about everybody (`domain/kept.py`).
    question_packed: str | None = field(default=None, repr=False)
    decided: str | None = None

    def index(self) -> dict[str, Any]:
        """Add outcome, bases, reasons and sources read."""
        row = AuditEvent.index(self)
        # A refusal and an evaluation hand nothing out, whatever the rules would have let go.
        nothing = self.outcome in NOTHING_LEFT
        released = [] if nothing else [verdict for verdict in self.verdicts if verdict.released]
        row |= {"ask": self.ask, "unit": self.unit, "purpose": self.purpose, "case": self.case}
        row |= {
            "outcome": self.outcome,
            "basis": sorted({basis.kind for verdict in released for basis in verdict.basis}),
            "reasons": sorted({r for v in self.verdicts for r in v.reasons}),
            "categories": sorted({verdict.key.category for verdict in released}),
            "sources": sorted(self.sources_read),
            "emergency": self.break_glass != "",
            "break_glass": self.break_glass,
        }
        if self.meeting:
            row["meeting"] = True
        return row


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsentEvent(AuditEvent):
    """What every change of consent says: which consent or request, to which unit, for what, which lines."""

    consent: str
    unit: str
    purpose: str
    case: str
    lines: tuple[tuple[str, str, str], ...]  # (subject handle, source, category)
    channel: str  # "online", "desk_paper", "desk_oral", "desk_phone", "import", "system"
    text_version: str

    def index(self) -> dict[str, Any]:
        """Add unit, purpose, case and sources."""
        row = AuditEvent.index(self)
        row |= {"unit": self.unit, "purpose": self.purpose, "case": self.case, "consent": self.consent}
        row |= {"sources": sorted({source for _, source, _ in self.lines})}
        return row


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsentRequested(ConsentEvent):
    """A caseworker asked the citizen for consent; `again` with a written reason, a short time after a no."""

    code: ClassVar[int] = 10
    name: ClassVar[str] = "consent.requested"

    again: bool = False
    limit: str = ""  # how often the unit wishes to look: "once", "monthly-2"; as often as needed where it says nothing


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsentGranted(ConsentEvent):
    """A giver said yes, to the whole or to some lines. `text_digest` is the SHA-256 of exactly what was shown.

    `recorder_gains`: it was recorded for them by somebody of the unit that it opens for (`domain.md` 5.6).
    """

    code: ClassVar[int] = 11
    name: ClassVar[str] = "consent.granted"

    version: int
    from_day: int
    to_day: int
    giver: str
    capacity: str
    text_digest: str
    limit: str = ""  # how often it may be used, as in a request
    recorder_gains: bool = False

    def index(self) -> dict[str, Any]:
        """Add that who recorded it gains by it, where that is so: the overseer's second look."""
        return ConsentEvent.index(self) | ({"recorder_gains": True} if self.recorder_gains else {})


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsentRefused(ConsentEvent):
    """A giver said no. `text_digest` is the SHA-256 of exactly what was shown; empty where that is not known."""

    code: ClassVar[int] = 12
    name: ClassVar[str] = "consent.refused"

    text_digest: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsentUnanswered(ConsentEvent):
    """The last day to answer a request is over; its lines are those that nobody answered."""

    code: ClassVar[int] = 72
    name: ClassVar[str] = "consent.unanswered"


@dataclass(frozen=True, slots=True, kw_only=True)
class LinesChanged(ConsentEvent):
    """What every change of given lines says: whose yes it was, and the consent's version from here on."""

    version: int
    giver: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsentWithdrawn(LinesChanged):
    """A giver took a yes back, whole or in part; effective at the commit that writes this."""

    code: ClassVar[int] = 13
    name: ClassVar[str] = "consent.withdrawn"


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsentPaused(LinesChanged):
    """A giver paused a yes, whole or in part: it opens nothing from the commit that writes this."""

    code: ClassVar[int] = 70
    name: ClassVar[str] = "consent.paused"


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsentResumed(LinesChanged):
    """A giver let a paused yes hold again, from the commit that writes this; its last day stays what it was."""

    code: ClassVar[int] = 71
    name: ClassVar[str] = "consent.resumed"


@dataclass(frozen=True, slots=True, kw_only=True)
class BlockChanged(AuditEvent):
    """The citizen set or lifted a standing no."""

    code: ClassVar[int] = 14
    name: ClassVar[str] = "block.changed"

    block: str
    source: str | None
    unit: str | None
    category: str | None
    lifted: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class BreakGlassEvent(AuditEvent):
    """What every step of break-glass says: which request, whose, for which call-out, why, and who holds what."""

    request: str
    requester: str
    unit: str
    purpose: str
    case: str
    reason: str
    sources: tuple[str, ...]
    holders: tuple[str, ...]

    def index(self) -> dict[str, Any]:
        """Add unit, purpose, call-out, sources, and the request that ties all its entries."""
        row = AuditEvent.index(self)
        row |= {"unit": self.unit, "purpose": self.purpose, "case": self.case, "break_glass": self.request}
        row |= {"sources": sorted(self.sources), "emergency": True}
        return row


@dataclass(frozen=True, slots=True, kw_only=True)
class BreakGlassRequested(BreakGlassEvent):
    """An on-call caseworker asked those who hold the data to say yes, for danger to life. Nothing was read for it."""

    code: ClassVar[int] = 20
    name: ClassVar[str] = "break_glass.requested"


@dataclass(frozen=True, slots=True, kw_only=True)
class BreakGlassRead(BreakGlassEvent):
    """A health person of a unit that was asked read what the on-call caseworker wrote."""

    code: ClassVar[int] = 21
    name: ClassVar[str] = "break_glass.read"

    holder: str


@dataclass(frozen=True, slots=True, kw_only=True)
class BreakGlassDecided(BreakGlassEvent):
    """A health person of a unit that holds the data said yes or no (SUL § 43 stk. 3), for that unit's sources."""

    code: ClassVar[int] = 22
    name: ClassVar[str] = "break_glass.decided"

    holder: str
    said: str

    def index(self) -> dict[str, Any]:
        """Add what was said."""
        return BreakGlassEvent.index(self) | {"outcome": self.said}


@dataclass(frozen=True, slots=True, kw_only=True)
class LogSearched(AuditEvent):
    """An overseer read the log: what was filtered on (codes only), how many entries were shown.

    The subject is the overseer themself, or the citizen whose entries were asked for.
    """

    code: ClassVar[int] = 30
    name: ClassVar[str] = "log.searched"

    role: str
    criteria: tuple[tuple[str, str], ...]
    shown: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DecisionsReplayed(AuditEvent):
    """An operator put the questions of past decisions to rules again: how many, of which days.

    `candidate`: also to rules that are not in force. What comes out are counts, codes and places on the log.
    """

    code: ClassVar[int] = 32
    name: ClassVar[str] = "decisions.replayed"

    role: str
    since: int
    until: int
    decisions: int
    candidate: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class RegistryLoaded(AuditEvent):
    """A node took a registry into use that is not the one this municipality's log names last; durable before it serves.

    It is about no citizen: subject and actor are the node, under whose key the body lies. `revision` is the SHA-256 of
    registry and law tables as read, `previous` the one before (none on a log's first), `rules` the policy's revision.
    """

    code: ClassVar[int] = 40
    name: ClassVar[str] = "registry.loaded"

    node: str
    revision: str
    previous: str | None
    rules: str

    def index(self) -> dict[str, Any]:
        """Add node and revision."""
        return AuditEvent.index(self) | {"node": self.node, "revision": self.revision}


@dataclass(frozen=True, slots=True, kw_only=True)
class DeferralEvent(AuditEvent):
    """What every step of a lawful deferral says: which one, of which unit's asks, on what ground, its last day."""

    deferral: str
    unit: str
    ground: str
    until: int
    role: str

    def index(self) -> dict[str, Any]:
        """Add unit, deferral and its last day, which the log's check holds the deferral against."""
        return AuditEvent.index(self) | {"unit": self.unit, "deferral": self.deferral, "until": self.until}


@dataclass(frozen=True, slots=True, kw_only=True)
class DeferralAsked(DeferralEvent):
    """An overseer asked that a unit's asks be kept back from a citizen. Its subject is who asked: it names nobody."""

    code: ClassVar[int] = 55
    name: ClassVar[str] = "deferral.asked"


@dataclass(frozen=True, slots=True, kw_only=True)
class DeferralApproved(DeferralEvent):
    """A second overseer approved it; in force from here, and the first entry that it keeps back."""

    code: ClassVar[int] = 56
    name: ClassVar[str] = "deferral.approved"


@dataclass(frozen=True, slots=True, kw_only=True)
class DeferralEnded(DeferralEvent):
    """An overseer ended it before its time; what it kept back shows from here on."""

    code: ClassVar[int] = 57
    name: ClassVar[str] = "deferral.ended"


@dataclass(frozen=True, slots=True, kw_only=True)
class ErasureEvent(AuditEvent):
    """What every step of an erasure says of the citizen it is about: which one, and on what ground (GDPR art. 17)."""

    erasure: str
    ground: str

    def index(self) -> dict[str, Any]:
        """Add the erasure."""
        return AuditEvent.index(self) | {"erasure": self.erasure}


@dataclass(frozen=True, slots=True, kw_only=True)
class ErasureRequested(ErasureEvent):
    """An operator asked that everything about a citizen be erased; a second person must approve it in time."""

    code: ClassVar[int] = 60
    name: ClassVar[str] = "erasure.requested"

    expires: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ErasureApproved(ErasureEvent):
    """An overseer, not the one who asked, approved an erasure."""

    code: ClassVar[int] = 61
    name: ClassVar[str] = "erasure.approved"

    role: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ErasureExamined(AuditEvent):
    """An operator looked what would be erased of a citizen, and what keeps it: counts and days."""

    code: ClassVar[int] = 62
    name: ClassVar[str] = "erasure.examined"

    entries: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ContentDeleted(AuditEvent):
    """What every deletion on record says: of which log, how many entries of which kind, and their places, signed.

    It names no citizen and is about none: subject and actor are who did it. `deleted` is the statement that
    `python -m audit verify` reads (`audit/deletion.py`).
    """

    log: str
    entries: tuple[tuple[str, int], ...]
    deleted: str

    def index(self) -> dict[str, Any]:
        """Add the counts and the statement."""
        return AuditEvent.index(self) | {"entries": dict(self.entries), "deleted": self.deleted}


@dataclass(frozen=True, slots=True, kw_only=True)
class CitizenErased(ContentDeleted):
    """A citizen was erased: these bodies are deleted, and what is left of them anywhere loses its key."""

    code: ClassVar[int] = 63
    name: ClassVar[str] = "citizen.erased"

    erasure: str
    ground: str
    requested_by: str
    approved_by: str

    def index(self) -> dict[str, Any]:
        """Add the erasure, by which one that was broken off is known to be on the log."""
        return ContentDeleted.index(self) | {"erasure": self.erasure}


@dataclass(frozen=True, slots=True, kw_only=True)
class RetentionApplied(ContentDeleted):
    """What a municipality has kept for as long as it said was deleted."""

    code: ClassVar[int] = 64
    name: ClassVar[str] = "retention.applied"


@dataclass(frozen=True, slots=True, kw_only=True)
class HoldChanged(AuditEvent):
    """Deletion was held up, or let go on, for a matter (`ground` is its number): of one citizen, or of everybody."""

    code: ClassVar[int] = 65
    name: ClassVar[str] = "hold.changed"

    hold: str
    ground: str
    lifted: bool
    everybody: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ArchiveReceived(AuditEvent):
    """An archive confirmed that it has what must be kept (arkivloven), to a day; `receipt` is its own number for it."""

    code: ClassVar[int] = 66
    name: ClassVar[str] = "archive.received"

    until_day: int
    receipt: str
