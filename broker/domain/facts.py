"""Facts: all that one decision may rest on, of one moment. They are needed to decide and never leave.

Two shapes stand here. What the registers tell (`RegisterPerson`, `CaseRecord`, `Employment`) holds CPR numbers as
`Personal`; what the policy is told (`Subject`, `ConsentLine`, `Facts`) holds handles only.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime

from broker.domain.break_glass import BreakGlass
from broker.domain.days import NO_BEGINNING, NO_END
from broker.domain.limits import Limit
from broker.domain.periods import Period
from broker.domain.personal import Personal
from broker.domain.target_groups import Stated


@dataclass(frozen=True, slots=True, repr=False)
class CustodyHolder:
    """One holder of custody of a child; `kind` is CPR's relation type (3 mother, 4 father, 5 and 6 other)."""

    cpr: Personal[str]
    kind: int
    from_day: int = 0
    to_day: int = NO_END


@dataclass(frozen=True, slots=True, repr=False)
class RegisterRepresentative:
    """Who may act for somebody: in the codes of `broker/domain/representation.py`; days inclusive."""

    cpr: Personal[str]
    kind: str
    scope: tuple[str, ...]
    from_day: int = 0
    to_day: int = NO_END


@dataclass(frozen=True, slots=True, repr=False)
class RegisterPerson:
    """What the CPR register tells of one person. `known` is False when it has no such person.

    `household` are those the register says they live with, `former` the numbers they had before, and `current_cpr` the
    one they have instead of the one asked about.
    `protected` of None means that the register did not say; unknown protection protects (`domain.md` 4.5).
    """

    cpr: Personal[str]
    known: bool
    born: int | None = None
    dead_on: int | None = None
    municipality: str | None = None
    protected: bool | None = None
    custody: tuple[CustodyHolder, ...] = ()
    children: tuple[Personal[str], ...] = ()
    current_cpr: Personal[str] | None = None
    representatives: tuple[RegisterRepresentative, ...] = ()
    former: tuple[Personal[str], ...] = ()
    household: tuple[Personal[str], ...] = ()


@dataclass(frozen=True, slots=True)
class CaseRecord:
    """What the requesting unit's own system says of a case, asked with this citizen and this caseworker.

    `caseworker_named` is True where they are on it by name, not through a team alone; `vip` where the case is marked
    as specially protected.
    `consent_tried` says that consent was sought outside the broker, or that there are grounds not to (RSL § 11 c).
    `stated` is what the case states of the citizen that decides which trials they are in.
    """

    exists: bool
    open: bool = False
    concerns_citizen: bool = False
    caseworker_on_case: bool = False
    unit: str | None = None
    kle: str | None = None
    caseworker_named: bool = False
    vip: bool = False
    consent_tried: bool = False
    stated: Stated | None = None


@dataclass(frozen=True, slots=True)
class Employment:
    """Whether the caseworker is employed at the unit today, as the employer's own system says, live."""

    employed: bool
    unit: str | None = None


@dataclass(frozen=True, slots=True)
class Custody:
    """A holder of custody by handle, with the days it holds (inclusive)."""

    holder: str
    from_day: int
    to_day: int


@dataclass(frozen=True, slots=True)
class Representative:
    """Who may act for somebody, by handle: as what, for what, and the days it holds (inclusive)."""

    holder: str
    kind: str
    scope: tuple[str, ...]
    from_day: int
    to_day: int


@dataclass(frozen=True, slots=True)
class Subject:
    """A person a verdict may be about: the citizen asked for, or a child of theirs. Handles and days only.

    `lives_with` are those of the holders of custody whom the register says they live with.
    """

    handle: str
    known: bool
    child_of_citizen: bool
    born: int | None
    dead_on: int | None
    municipality: str | None
    protected: bool | None
    custody: tuple[Custody, ...] = ()
    representatives: tuple[Representative, ...] = ()
    moved_number: bool = False
    lives_with: tuple[str, ...] = ()


class NamesASource:
    """A line that names a source. None: everybody may learn which; else those named, for it tells where a child is."""

    __slots__ = ()
    source_told_to: tuple[str, ...] | None

    def tells_source_to(self, handle: str) -> bool:
        """Tell whether somebody may learn which source it names."""
        return self.source_told_to is None or handle in self.source_told_to


@dataclass(frozen=True, slots=True)
class ConsentLine(NamesASource):
    """One line of a consent: whose data, who said yes, from which source, which category, to whom, for what, when.

    `state` is `granted`, `paused` or `withdrawn`, the last in its append-only history. `version` is the
    consent's version that holds now. Days are inclusive Danish days. `data_from` and `data_to` are the days of the data
    that were said yes to, every day where none is named. With a `limit`, the consent was used `used` times in the month
    `latest`, the last in which it was.
    """

    id: str
    consent: str
    version: int
    subject: str
    giver: str
    capacity: str
    source: str
    category: str
    recipient: str
    purpose: str
    case: str
    from_day: int
    to_day: int
    state: str
    data_from: int = NO_BEGINNING
    data_to: int = NO_END
    source_told_to: tuple[str, ...] | None = None
    limit: Limit | None = None
    latest: int = 0
    used: int = 0

    @property
    def period(self) -> Period:
        """The days of the data that were said yes to."""
        return Period(self.data_from, self.data_to)

    def used_up(self, today: int) -> bool:
        """Tell whether it may not be used again on a day."""
        return self.limit is not None and not self.limit.left(self.latest, self.used, today)


@dataclass(frozen=True, slots=True)
class Block:
    """A standing no of the citizen for a source, a unit or a category; None means any. Beats every consent."""

    id: str
    subject: str
    source: str | None
    unit: str | None
    category: str | None


@dataclass(frozen=True, slots=True)
class EarlierRequest:
    """A request for consent that the unit made in this case: its last day, whether refused, whether unanswered."""

    answer_by: int
    refused: bool
    open: bool


@dataclass(frozen=True, slots=True)
class ConsentFacts:
    """What the broker's own database tells, of one snapshot, with each subject's version then (`design.md` 6b g).

    `lines` are those given to this unit for this purpose and case, and for this purpose to the municipality's other
    units. `meetings` are the days (subject, day) on which something went out under a law that counts them.
    """

    lines: tuple[ConsentLine, ...]
    blocks: tuple[Block, ...]
    versions: tuple[tuple[str, int], ...]
    meetings: tuple[tuple[str, int], ...] = ()
    requests: tuple[EarlierRequest, ...] = ()

    def usable(self, today: int) -> ConsentFacts:
        """Leave out what is used up: it opens nothing, as if nobody had said yes."""
        if not any(line.limit for line in self.lines):
            return self
        return replace(self, lines=tuple(line for line in self.lines if not line.used_up(today)))

    def consent_was_tried(self, today: int) -> bool:
        """Tell whether the unit asked for consent in this case and was refused, in whole or part, or not answered."""
        return any(asked.refused or (asked.open and asked.answer_by < today) for asked in self.requests)


@dataclass(frozen=True, slots=True)
class Facts:
    """Everything a decision rests on. `subjects[0]` is the citizen. `case_handle` stands for the case number.

    `registers` names those consulted; `failed_registers` those that gave no answer: then the answer is no.
    `break_glass` is the request the ask names, where there is one in the caller's municipality.
    `cprs` maps each subject's handle to the number sources are asked with, `former` to those they had before, and
    `speakers` that of whoever may say yes for one of them to the number they are written to; none of them enters the
    question. `aliases` are handles of such numbers, each with the handle that stands here in its stead.
    """

    at: datetime
    today: int
    citizen: str
    actor: str
    case_handle: str
    subjects: tuple[Subject, ...]
    case: CaseRecord
    employment: Employment
    consents: ConsentFacts
    registers: tuple[str, ...]
    failed_registers: tuple[str, ...] = ()
    related: bool = False
    break_glass: BreakGlass | None = None
    cprs: dict[str, Personal[str]] = field(default_factory=dict, repr=False)
    former: dict[str, tuple[Personal[str], ...]] = field(default_factory=dict, repr=False)
    speakers: dict[str, Personal[str]] = field(default_factory=dict, repr=False)
    aliases: tuple[tuple[str, str], ...] = ()
