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

from broker.domain.accesses import Access
from broker.domain.breach_letters import Addressed, Batch, BreachLetter, BreachLettersReleased
from broker.domain.breaches import Affected, Breach, BreachEvent, Criteria, Note
from broker.domain.break_glass import BreakGlass, HolderAnswer, Words
from broker.domain.consents import Consent, ConsentRequest, Grant, ReadText
from broker.domain.decisions import Decision, PolicyMark
from broker.domain.deferral import Deferral
from broker.domain.directory import Directory
from broker.domain.draw import Counted, Head
from broker.domain.entries import EVERYTHING, LogEntry, LogFilter, LogPage, LogState
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
from broker.domain.inquiries import Inquiry, InquiryAnswered, InquiryPassedOn, InquiryRead, InquirySent, Place, Told
from broker.domain.items import Item
from broker.domain.limits import Use
from broker.domain.notices import Notice
from broker.domain.personal import Personal
from broker.domain.receipts import Receipt
from broker.domain.retention import Retention
from broker.domain.samples import Coverage, Round, Sample, SampleDrawn, SampleEvent, SampleSeeded
from broker.domain.stops import Handed, Stop, StopReceived

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

    async def system(self, client_id: str) -> str:
        """Give the handle of a department's system, where it acts by itself for no caseworker."""

    async def employee(self, issuer: str, person: Personal[str]) -> str | None:
        """Give the handle of who the employer calls by an id; None where nobody was seen by it. Makes none."""

    async def is_employee(self, handle: str) -> bool:
        """Tell whether a handle is that of somebody who acts by their work, and no citizen's or case's."""

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
    municipality's desk. What is to be told of it (`tell`) waits from the same commit on. Raises `StoreUnavailable`; a
    change also `LogUnavailable`, and `NotFound` or `Conflict` where it cannot be.
    """

    async def facts(
        self, municipality: str, unit: str, purpose: str, case: str, subjects: Sequence[str]
    ) -> ConsentFacts:
        """Read, in one snapshot, what a decision for this unit, purpose and case may rest on."""

    async def request(
        self, new: ConsentRequest, event: ConsentRequested, *also: ConsentRequested, tell: Sequence[Notice] = ()
    ) -> tuple[Receipt, ...]:
        """Ask a citizen for consent."""

    async def requests_of(
        self, citizen: str, *, municipality: str = "", within: Collection[str] | None = None
    ) -> tuple[ConsentRequest, ...]:
        """List the requests that concern a citizen or are theirs to answer, newest first.

        As the citizen, or as one municipality sees them.
        """

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

    async def grant(
        self, grant: Grant, event: ConsentGranted, *also: ConsentGranted, tell: Sequence[Notice] = ()
    ) -> tuple[Receipt, ...]:
        """Keep a yes; raise `BadAsk` where it goes beyond what was asked."""

    async def refuse(
        self, request: str, giver: str, event: ConsentRefused, *also: ConsentRefused,
        read: ReadText | None = None, tell: Sequence[Notice] = (),
    ) -> tuple[Receipt, ...]:  # fmt: skip
        """Keep a giver's no to a request, with what they `read` before it."""

    async def read_before_no(self, request: str, giver: str) -> ReadText | None:
        """Give back to a giver what they read before their no; None where it was not kept. Raises `NotFound`."""

    async def withdraw(
        self,
        consent: str,
        lines: Sequence[str] | None,
        event: ConsentWithdrawn,
        *also: ConsentWithdrawn,
        tell: Sequence[Notice] = (),
    ) -> tuple[Receipt, ...]:
        """Take a yes back, whole (`lines` of None) or line by line; the events are made to say what was taken back."""

    async def pause(
        self,
        consent: str,
        lines: Sequence[str] | None,
        event: ConsentPaused,
        *also: ConsentPaused,
        tell: Sequence[Notice] = (),
    ) -> tuple[Receipt, ...]:
        """Let a yes rest, whole or line by line, as `withdraw` does, until its giver lets it hold again."""

    async def resume(
        self,
        consent: str,
        lines: Sequence[str] | None,
        event: ConsentResumed,
        *also: ConsentResumed,
        tell: Sequence[Notice] = (),
    ) -> tuple[Receipt, ...]:
        """Let what was paused hold again; nothing that was taken back, or is over."""

    async def of_citizen(
        self, citizen: str, *, municipality: str = "", within: Collection[str] | None = None
    ) -> tuple[Consent, ...]:
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

    One receipt an event. `tell` waits to be sent from the same commit on. Raises `StoreUnavailable`; a change also
    `LogUnavailable`.
    """

    async def request(
        self,
        new: BreakGlass,
        words: Words,
        event: BreakGlassRequested,
        *also: BreakGlassRequested,
        tell: Sequence[Notice] = (),
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


class Stops(Protocol):
    """Yeses that hold no more, of those on which a unit got something. Raises `StoreUnavailable`."""

    async def of(
        self,
        municipality: str,
        units: Collection[str],
        today: int,
        by: str,
        *,
        received: bool = False,
        after: tuple[datetime, str, int] | None = None,
        limit: int = 50,
    ) -> tuple[Stop, ...]:
        """List what holds no more on a day and a system (handle) has (not) received, the oldest stop first.

        `after` is since when, which name, which step: where an earlier list ended.
        """

    async def parts(
        self, name: str, municipality: str, units: Collection[str], today: int, by: str
    ) -> tuple[Stop, ...]:
        """Read what one of these units' stops is of each consent, also one that another has followed.

        Where several were to say yes, it takes in whatever else has stopped since. Raises `NotFound`.
        """

    async def receive(self, name: str, units: Collection[str], today: int, events: Sequence[StopReceived]) -> datetime:
        """Keep that the events' actor has received it, in one transaction with them; give when it first had.

        What it received before writes nothing more. Raises `NotFound` where it is gone, `LogUnavailable`.
        """


class Inquiries(Protocol):
    """What citizens ask about lines of the log, and the answers. Each step and its event are one transaction.

    Raises `StoreUnavailable`; a step also `LogUnavailable`. What an erased citizen wrote is not there.
    """

    async def send(self, new: Inquiry, text: Personal[str], event: InquirySent) -> Receipt:
        """Keep what a citizen asked. Raises `Conflict` while one waits about the line, and after too many in a day."""

    async def read(self, inquiry: Inquiry, event: InquiryRead) -> Receipt:
        """Keep that it was opened, each time on the log."""

    async def answer(self, inquiry: Inquiry, text: Personal[str], event: InquiryAnswered) -> Receipt:
        """Keep the answer. Raises `Conflict` where it has one."""

    async def pass_on(self, inquiry: Inquiry, event: InquiryPassedOn) -> Receipt:
        """Keep who was told of it. Raises `Conflict` where some were."""

    async def of_citizen(self, citizen: str, *, within: Collection[str] | None = None) -> tuple[Told, ...]:
        """List a citizen's own, to every municipality or some, the newest first, with what was written."""

    async def of(
        self, municipalities: Collection[str], *, after: Place | None = None, limit: int = 50
    ) -> tuple[Inquiry, ...]:
        """List some of those to these municipalities, those that wait longest first; no word of any is opened."""

    async def by_id(self, inquiry: str, municipalities: Collection[str]) -> Told:
        """Read one of those to these municipalities; raise `NotFound`."""


class Accesses(Protocol):
    """The log as supervision counts it: outcomes by their index rows, and the heads. Raises `StoreUnavailable`."""

    async def between(self, municipality: str, since: int, until: int) -> tuple[Access, ...]:
        """List the accesses of some seconds, `until` not in it, in the order of their times."""

    async def draw_from(self, municipality: str, log: str, since: int, until: int) -> tuple[tuple[str, int], ...]:
        """List (unit, entry) of the accesses of some seconds on one log."""

    async def heads(self, log: str, beyond: int) -> tuple[Head, ...]:
        """List the first heads on record that cover more than so many entries and that the log's own key has signed."""


class Samples(Protocol):
    """Draws and samples. Each step and its event are one transaction. Raises `StoreUnavailable`, `LogUnavailable`."""

    async def seed(self, new: Round, seed: bytes, event: SampleSeeded) -> Round:
        """Keep a draw's terms and its seed, sealed; raise `Conflict` where the period has one."""

    async def rounds(self, municipality: str) -> tuple[Round, ...]:
        """List a municipality's draws, the newest first."""

    async def seed_of(self, wanted: Round) -> bytes:
        """Open a draw's seed."""

    async def draw(self, wanted: Round, counted: Counted, samples: Sequence[Sample], event: SampleDrawn) -> Receipt:
        """Keep what was drawn; raise `Conflict` where it was drawn before."""

    async def drawn(self, wanted: Round) -> Receipt | None:
        """Say where on the log it stands that it was drawn."""

    async def of(
        self,
        municipalities: Collection[str],
        units: Collection[tuple[str, str]] | None,
        after: str | None,
        limit: int,
        state: str | None = None,
        *,
        waits_since: datetime | None = None,
    ) -> tuple[Sample, ...]:
        """List samples, the newest draw first, of all units or of these, from behind one of them on; without words.

        `waits_since` is for those alone that wait for a step since before a moment.
        """

    async def by_id(self, sample: str, municipalities: Collection[str]) -> Sample:
        """Read one with its words; raise `NotFound`."""

    async def read(self, sample: Sample, event: SampleEvent) -> Receipt:
        """Keep that it was opened."""

    async def step(self, sample: Sample, state: str, text: Personal[str] | None, event: SampleEvent) -> Receipt:
        """Take the next step; raise `Conflict` where somebody else took it meanwhile, or the citizen is erased."""

    async def coverage(self, municipalities: Collection[str]) -> tuple[Coverage, ...]:
        """Count accesses, drawn, explained and closed by draw and unit, the newest draw first."""


class Breaches(Protocol):
    """Breach files and whom they touch. Each step and its event are one transaction.

    Raises `StoreUnavailable`, `LogUnavailable`.
    """

    async def open(self, new: Breach, event: BreachEvent) -> Receipt:
        """Keep a new file with its first note; raise `Conflict` where its id is there."""

    async def note(self, breach: Breach, new: Note, event: BreachEvent) -> Receipt:
        """Keep a note; raise `Conflict` where somebody else wrote meanwhile."""

    async def log(self, breach: Breach, event: BreachEvent) -> Receipt:
        """Keep that something was looked at."""

    async def of(self, municipalities: Collection[str], after: str | None, limit: int) -> tuple[Breach, ...]:
        """List files, those known last first, from behind one on; no words."""

    async def by_id(self, breach: str, municipalities: Collection[str]) -> Breach:
        """Read one with its words; raise `NotFound`."""

    async def count(self, municipality: str, criteria: Criteria) -> tuple[int, int]:
        """Count lines of the log, and the citizens in them; raise `Conflict` while a log is so read already."""

    async def affected(self, municipality: str, criteria: Criteria, offset: int, limit: int) -> tuple[Affected, ...]:
        """List the citizens of such lines, in the order of their handles; raise `Conflict` as `count`."""

    async def prepare(self, new: Batch, event: BreachEvent, named: Sequence[BreachEvent]) -> Receipt:
        """Keep a batch without letters, and that citizens were named, perhaps in more than one transaction.

        Raises `Conflict` for a closed file, `TooManyAsks` past a day's numbers.
        """

    async def untold(self, batch: Batch, criteria: Criteria, named: Sequence[str]) -> frozenset[str]:
        """Tell which of these citizens are in such lines and may know of them now, and have no letter of the breach."""

    async def add_letters(self, batch: Batch, waiting: Sequence[Addressed]) -> None:
        """Keep letters of a batch, their numbers sealed; who waits for one already is passed over."""

    async def batches(self, breach: Breach) -> tuple[Batch, ...]:
        """List what was prepared of a breach, the first first."""

    async def release(self, batch: Batch, criteria: Criteria, event: BreachLettersReleased) -> Receipt:
        """Move letters to those who may know now to the outbox; raise `Conflict` where it ended, or is closed."""

    async def withdraw(self, batch: Batch, event: BreachEvent) -> Receipt:
        """Delete letters that wait; raise `Conflict` where they ended before."""

    async def letters_of(self, citizen: str) -> tuple[BreachLetter, ...]:
        """List the letters to a citizen that were let go."""


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
        self,
        events: Sequence[AuditEvent],
        *,
        versions: Sequence[tuple[str, int]] = (),
        uses: Sequence[Use] = (),
        tell: Sequence[Notice] = (),
        handed: Sequence[Handed] = (),
    ) -> tuple[Receipt, ...]:
        """Write all events durably in one transaction, or none; give one receipt each, in order.

        With `versions` (citizen handle, version), the same transaction first locks each citizen's state row and raises
        `FactsChanged`, writing nothing, when any version is no longer the same (P3). With `uses` it counts those of
        limited yeses, and gives everybody in `versions` their next one: of two asks, one is judged behind the other.
        Of `tell`, all of one municipality, those wait to be sent from the same commit on whose unit has fetched nothing
        about their recipient before; `handed`, all of one municipality too, is noted: what goes out on which yes.
        """


class LogReader(Protocol):
    """Reading the log. Whoever calls has checked who reads, and writes that it was read. Raises `StoreUnavailable`."""

    async def of_subject(
        self,
        subject: str,
        *,
        wanted: LogFilter = EVERYTHING,
        cursor: str | None = None,
        limit: int = 50,
        within: Collection[str] | None = None,
        also: Collection[str] = (),
    ) -> LogPage:
        """List the entries about one person in every municipality, newest first, opened for them.

        Of `within` where it is given: no row and no key of another municipality is read. `also` are handles the person
        has besides: what the law keeps back from them under one of those is not listed either.
        `wanted` chooses by the index rows, which a proof does not cover: a chosen list is never proof of anything.
        """

    async def answered(self, subject: str, asks: Collection[str]) -> frozenset[str]:
        """Tell which of these asks about one person have their answer on the log."""

    async def seen(self, subject: str) -> tuple[frozenset[str], frozenset[str]]:
        """Name the units and the purposes in the entries about one person."""

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
    "Eraser", "Erasures", "Handles", "Inquiries", "LogReader", "People", "Policy", "Ports", "Source", "Stops",
]  # fmt: skip
