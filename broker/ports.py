"""The doors: one small protocol per outside thing, and `Ports`, all of them together.

Every door has one real adapter (`broker/adapters/`) and, where tests need it, one fake that passes the same contract
tests (`tests/contracts/`). Doors raise only the errors of `broker/domain/errors.py`.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from types import MappingProxyType
from typing import Any, Protocol

from broker.domain.break_glass import BreakGlass, HolderAnswer, Words
from broker.domain.consents import Consent, ConsentRequest, Grant
from broker.domain.decisions import Decision, PolicyMark
from broker.domain.deferral import Deferral
from broker.domain.directory import Directory
from broker.domain.entries import LogEntry, LogFilter, LogPage, LogState, LogVerdict
from broker.domain.erasure import Erasure, Standing
from broker.domain.events import (
    ArchiveReceived,
    AuditEvent,
    BlockChanged,
    BreakGlassDecided,
    BreakGlassRequested,
    ConsentEvent,
    ConsentGranted,
    ConsentPaused,
    ConsentRefused,
    ConsentRequested,
    ConsentResumed,
    ConsentUnanswered,
    ConsentWithdrawn,
    DeferralApproved,
    DeferralAsked,
    DeferralEnded,
    ErasureApproved,
    ErasureRequested,
    HoldChanged,
)
from broker.domain.facts import Block, CaseRecord, ConsentFacts, Employment, RegisterPerson
from broker.domain.identity import Caller, Caseworker, OfficerLogin
from broker.domain.items import Item
from broker.domain.personal import Personal
from broker.domain.receipts import Receipt
from broker.domain.retention import Retention

NOTHING_TOLD: Mapping[Personal[str], bool] = MappingProxyType({})


class Clock(Protocol):
    """The only teller of time; read once per ask."""

    def now(self) -> datetime:
        """Give this moment, with its zone."""


class Handles(Protocol):
    """Random names for people and cases: the CPR → handle map, in a database of its own (`design.md` 6b i).

    A handle is made for any well-formed number by the same statements, whether it is known or not, and its key is
    durable before it is given out. Raises `StoreUnavailable`.
    """

    async def citizens(
        self, cprs: Sequence[Personal[str]], known: Mapping[Personal[str], bool] = NOTHING_TOLD
    ) -> tuple[str, ...]:
        """Give one handle per number, in order; one statement however many there are.

        `known` says which of them a register knows, as far as it was asked; the others are purged in time.
        """

    async def actor(self, caseworker: Caseworker) -> str:
        """Give the handle of an employee; their identity is kept sealed beside it for the DPO to disclose."""

    async def officer(self, officer: OfficerLogin) -> str:
        """Give the handle of an overseer, who is an actor like any employee."""

    async def node(self, name: str) -> str:
        """Give the handle of a node of this broker: who acts where nobody does, and whom its own events are about."""

    async def case(self, unit: str, case: Personal[str]) -> str:
        """Give the handle that stands for a unit's case number."""

    async def of_ask(
        self, citizen: Personal[str], caseworker: Caseworker, unit: str, case: Personal[str]
    ) -> tuple[str, str, str]:
        """Give the handles of citizen, employee and case at once, as the three above would, in one statement."""


class People(Protocol):
    """A CPR register, read live (`design.md` 6.17). Raises `RegisterUnavailable`."""

    name: str

    async def person(self, cpr: Personal[str]) -> RegisterPerson:
        """Tell what the register knows of a person; `known=False` when it knows none."""


class Cases(Protocol):
    """The requesting unit's own case system, read live. Raises `RegisterUnavailable`."""

    name: str

    async def case(
        self, case: Personal[str], citizen: Personal[str], caseworker: Personal[str]
    ) -> tuple[CaseRecord, Employment]:
        """Tell whether the case is open, is this citizen's, and is this caseworker's or their team's.

        And whether the caseworker works there today; both of one moment.
        """


class Consents(Protocol):
    """Consents, requests and blocks. A change and its audit event are one transaction.

    Every change takes the event that says so, and more of them where a child is concerned (each subject has their own
    entry), and gives one receipt an event. An event of the channel `online` acts as the giver, any other for its
    municipality's desk. Raises `StoreUnavailable`; a change also `LogUnavailable`, and `NotFound` or `Conflict` where
    it cannot be.
    """

    async def facts(
        self, municipality: str, unit: str, purpose: str, case: str, subjects: Sequence[str]
    ) -> ConsentFacts:
        """Read, in one snapshot, what a decision for this unit, purpose and case may rest on."""

    async def request(
        self, new: ConsentRequest, event: ConsentRequested, *also: ConsentRequested
    ) -> tuple[Receipt, ...]:
        """Ask a citizen for consent."""

    async def requests_of(self, citizen: str) -> tuple[ConsentRequest, ...]:
        """List the requests that concern a citizen or are theirs to answer, newest first."""

    async def request_by_id(self, request: str, *, municipality: str = "", citizen: str = "") -> ConsentRequest:
        """Read one request, as a municipality or as a citizen."""

    async def earlier_requests(
        self, municipality: str, unit: str, purpose: str, citizens: Collection[str]
    ) -> tuple[ConsentRequest, ...]:
        """List what a unit asked of a citizen, under each of their handles, for a purpose, in any case."""

    async def unanswered(self, municipality: str, before: int) -> tuple[ConsentRequest, ...]:
        """List the requests whose last day lies before a day, that somebody has not answered, and that stand open."""

    async def lapse(self, request: str, event: ConsentUnanswered, *also: ConsentUnanswered) -> tuple[Receipt, ...]:
        """Close a request that nobody may answer any more; raise `Conflict` where it is closed."""

    async def grant(self, grant: Grant, event: ConsentGranted, *also: ConsentGranted) -> tuple[Receipt, ...]:
        """Keep a yes; raise `BadAsk` where it goes beyond what was asked."""

    async def refuse(
        self, request: str, giver: str, event: ConsentRefused, *also: ConsentRefused
    ) -> tuple[Receipt, ...]:
        """Keep a giver's no to a request."""

    async def withdraw(
        self, consent: str, lines: Sequence[str] | None, event: ConsentWithdrawn, *also: ConsentWithdrawn
    ) -> tuple[Receipt, ...]:
        """Take a yes back, whole (`lines` of None) or line by line; the events are made to say what was taken back."""

    async def pause(
        self, consent: str, lines: Sequence[str] | None, event: ConsentPaused, *also: ConsentPaused
    ) -> tuple[Receipt, ...]:
        """Let a yes rest, whole or line by line, as `withdraw` does, until its giver lets it hold again."""

    async def resume(
        self, consent: str, lines: Sequence[str] | None, event: ConsentResumed, *also: ConsentResumed
    ) -> tuple[Receipt, ...]:
        """Let what was paused hold again; nothing that was taken back, or is over."""

    async def of_citizen(self, citizen: str, *, municipality: str = "") -> tuple[Consent, ...]:
        """List consents about or by a citizen, newest first: as the citizen, or as one municipality sees them."""

    async def shown(self, consent: str, giver: str) -> tuple[Personal[str] | None, Personal[str] | None]:
        """Give back to its giver what they were shown, and how a paper or oral yes was taken; None what was erased."""

    async def block(self, block: Block, event: BlockChanged) -> Receipt:
        """Set a citizen's standing no, in every municipality."""

    async def unblock(self, block: str, event: BlockChanged) -> Receipt:
        """Lift a citizen's standing no."""

    async def blocks_of(self, citizen: str) -> tuple[Block, ...]:
        """List a citizen's blocks that are in force."""


class Emergencies(Protocol):
    """Break-glass requests and what the holders said. Each change and its audit events are one transaction.

    One receipt an event. Raises `StoreUnavailable`; a change also `LogUnavailable`.
    """

    async def request(
        self, new: BreakGlass, words: Words, event: BreakGlassRequested, *also: BreakGlassRequested
    ) -> tuple[Receipt, ...]:
        """Keep a request; raise `Conflict` where one has its id."""

    async def decide(
        self, request: str, answer: HolderAnswer, municipality: str, event: BreakGlassDecided, *also: BreakGlassDecided
    ) -> tuple[Receipt, ...]:
        """Keep what a unit of a municipality said; it holds from this commit on, inside running asks too (P3).

        Raises `NotFound` where the unit was not asked, `Conflict` where it has said so already or has said no.
        """

    async def by_id(self, request: str, municipality: str) -> BreakGlass:
        """Read one request with its answers; raise `NotFound` where this municipality neither asked nor was asked."""

    async def words(self, request: BreakGlass, municipality: str) -> Words:
        """Open what the on-call caseworker wrote; raise `NotFound` as `by_id` does, and once its citizen is erased."""


class Deferrals(Protocol):
    """What the law keeps back from its citizen for a time. Each change and its event are one transaction.

    Raises `StoreUnavailable`; a change also `LogUnavailable`.
    """

    async def ask(self, new: Deferral, event: DeferralAsked) -> Receipt:
        """Keep what was asked for; nothing is kept back yet."""

    async def approve(self, asked: Deferral, event: DeferralApproved) -> Receipt:
        """Put it in force. Raises `Conflict` where it was approved before, is late, or another is in force."""

    async def end(self, kept: Deferral, event: DeferralEnded) -> Receipt:
        """End it before its time. Raises `Conflict` where it is not in force."""

    async def by_id(self, deferral: str, municipalities: Collection[str]) -> Deferral:
        """Read one of these municipalities' deferrals; raise `NotFound`."""

    async def of(self, municipalities: Collection[str]) -> tuple[Deferral, ...]:
        """List these municipalities' deferrals, the newest first."""


class Erasures(Protocol):
    """Erasures asked for and approved, and what holds deletion up. Each change and its event are one transaction.

    Nothing is deleted by this door. Raises `StoreUnavailable`; a change also `LogUnavailable`.
    """

    async def standing(self, municipality: str, citizen: str, today: int) -> tuple[Standing, date | None]:
        """Read what bears on erasing a citizen, and the last day the archive has confirmed."""

    async def request(self, new: Erasure, event: ErasureRequested) -> Receipt:
        """Keep what was asked for."""

    async def approve(self, erasure: str, citizen: str, event: ErasureApproved) -> Receipt:
        """Keep a second person's yes; raise `NotFound` or `Conflict`."""

    async def by_id(self, erasure: str, municipality: str) -> Erasure:
        """Read one erasure; raise `NotFound`."""

    async def waiting(self, municipalities: Collection[str]) -> tuple[Erasure, ...]:
        """List the erasures of these municipalities that are not done."""

    async def set_hold(self, citizen: str | None, event: HoldChanged) -> Receipt:
        """Hold deletion up, of one citizen or of everybody."""

    async def held(self, hold: str, municipality: str) -> tuple[str | None, str]:
        """Give whom a hold in force is about, and its matter; raise `NotFound`."""

    async def lift_hold(self, event: HoldChanged) -> Receipt:
        """Let deletion go on; raise `NotFound`."""

    async def record_archived(self, event: ArchiveReceived) -> Receipt:
        """Keep an archive's receipt; raise `Conflict` where that day has one."""


class Eraser(Protocol):
    """Deletion, with rights that no node has. Raises `StoreUnavailable`, `LogUnavailable`."""

    async def carry_out(
        self, erasure: str, municipality: str, retention: Retention | None, actor: str, at: datetime
    ) -> tuple[Receipt, ...]:
        """Erase what was approved; raise `NotErasable`, `Conflict` or `NotFound`."""

    async def approved(self, municipality: str) -> tuple[Erasure, ...]:
        """List the erasures that wait for nothing but to be carried out."""

    async def delete_due(
        self, municipality: str, retention: Retention, kinds: Sequence[str], actor: str, at: datetime, *, dry_run: bool
    ) -> dict[str, dict[str, int]]:
        """Delete the content of what was kept long enough; count it by log and kind."""


class Policy(Protocol):
    """The rules. Raises `PolicyUnavailable` or `PolicyBroken`; both mean no."""

    @property
    def mark(self) -> PolicyMark:
        """Which engine and which rules answer."""

    async def decide(self, question: Mapping[str, Any]) -> Decision:
        """Answer the whole question at once: one verdict for each key asked."""


class AuditLog(Protocol):
    """The immutable log. Raises `LogUnavailable`: then nothing is read and nothing goes out (P2)."""

    async def append(
        self, events: Sequence[AuditEvent], *, versions: Sequence[tuple[str, int]] = ()
    ) -> tuple[Receipt, ...]:
        """Write all events durably in one transaction, or none; give one receipt each, in order.

        With `versions` (citizen handle, version), the same transaction first locks each citizen's state row and raises
        `FactsChanged`, writing nothing, when any version is no longer the same (P3).
        """


class LogReader(Protocol):
    """Reading the log. Whoever calls has checked who reads, and writes that it was read. Raises `StoreUnavailable`."""

    async def of_subject(self, subject: str, *, cursor: str | None = None, limit: int = 50) -> LogPage:
        """List the entries about one person in every municipality, newest first, opened for them."""

    async def search(
        self, municipalities: Collection[str], wanted: LogFilter, *, cursor: str | None = None, limit: int = 50
    ) -> LogPage:
        """List entries of these municipalities' logs by their index rows, newest first; no body is opened."""

    async def entry(self, receipt: Receipt, *, municipalities: Collection[str] = (), subject: str = "") -> LogEntry:
        """Read and open one entry, as an overseer or as its subject; raise `NotFound` where it is not theirs."""

    async def of_consent(self, consent: str, subject: str) -> tuple[LogEntry, ...]:
        """List what the logs hold of one consent or request, of the entries about one person; the first first."""

    async def logs(self, municipalities: Collection[str] = ()) -> tuple[LogState, ...]:
        """List the logs of these municipalities, or all: their size, and how much of it is signed."""

    async def proof(self, receipt: Receipt) -> str:
        """Give the proof file of one entry (C2SP tlog-proof); raise `NotFound` while no signed checkpoint has it.

        Raises `TooManyAsks` behind too many who ask for one.
        """

    def keys(self) -> tuple[str, ...]:
        """Name the public keys that checkpoints are signed with (C2SP vkey), for whoever checks them."""

    async def bundle(self, subject: str, *, made_at: datetime) -> str:
        """Give one person's bundle (JSON `log-bundle@v1`): every entry about them, and the proof that these are all.

        A log whose newest proof is not signed in time stands in it without one.
        """

    async def verify(self, municipalities: Collection[str]) -> tuple[LogVerdict, ...]:
        """Check these municipalities' logs from the first entry to the last."""


class Source(Protocol):
    """A department system that holds data; read-only by construction."""

    name: str

    async def read(self, subject: Personal[str], handle: str, categories: frozenset[str]) -> tuple[Item, ...]:
        """Read the permitted categories about one subject, in time, or raise `SourceFailed`.

        `handle` is what the items name the subject by.
        """


@dataclass(frozen=True, slots=True)
class Ports:
    """Every door of the house, opened once in `main.py`."""

    clock: Clock
    handles: Handles
    people: People
    cases: Mapping[str, Cases]
    consents: Consents
    policy: Policy
    log: AuditLog
    sources: Mapping[str, Source]
    directory: Directory
    emergencies: Emergencies


__all__ = [
    "AuditLog", "Caller", "Cases", "Clock", "ConsentEvent", "Consents", "Deferrals", "Directory", "Emergencies",
    "Eraser", "Erasures", "Handles", "LogReader", "People", "Policy", "Ports", "Source",
]  # fmt: skip
