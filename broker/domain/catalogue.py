"""Every event that may stand on the log, in the order of the documentation (`broker/domain/events.py`)."""

from __future__ import annotations

from broker.domain.after_checks import (
    AfterCheckClosed,
    AfterCheckClosedUnexplained,
    AfterCheckEscalated,
    AfterCheckExplained,
    AfterCheckRead,
    AfterCheckReopened,
)
from broker.domain.breach_letters import (
    BreachCitizenNamed,
    BreachLettersPrepared,
    BreachLettersReleased,
    BreachLettersWithdrawn,
)
from broker.domain.breaches import (
    BreachCounted,
    BreachExported,
    BreachListed,
    BreachNoted,
    BreachOpened,
    BreachRead,
)
from broker.domain.desk_look import DeskLooked
from broker.domain.disclosed import EmployeeDisclosed, EmployeeNamed
from broker.domain.events import (
    ArchiveReceived,
    AskMade,
    AuditEvent,
    BlockChanged,
    BreakGlassDecided,
    BreakGlassRead,
    BreakGlassRequested,
    CitizenErased,
    ConsentGranted,
    ConsentPaused,
    ConsentRefused,
    ConsentRequested,
    ConsentResumed,
    ConsentUnanswered,
    ConsentWithdrawn,
    DecisionsReplayed,
    DeferralApproved,
    DeferralAsked,
    DeferralEnded,
    ErasureApproved,
    ErasureExamined,
    ErasureRequested,
    HoldChanged,
    LogSearched,
    OutcomeReached,
    RegistryLoaded,
    RetentionApplied,
)
from broker.domain.figures import FiguresPublished, FiguresRead
from broker.domain.inquiries import InquiryAnswered, InquiryPassedOn, InquiryRead, InquirySent
from broker.domain.integrity import CheckBegun, EvidenceMade, IntegritySeen, LogVerified
from broker.domain.notice_choices import NoticesChosen
from broker.domain.notices import NoticeSent
from broker.domain.others import SeenForAnother
from broker.domain.oversight_events import EntryOpened, SearchRemoved, SearchSaved
from broker.domain.own_look import OwnLookMade, OwnLookReached
from broker.domain.package import PackageMade
from broker.domain.recipients import RecipientsSeen
from broker.domain.samples import (
    SampleClosed,
    SampleDrawn,
    SampleExplained,
    SampleRead,
    SampleReopened,
    SampleSeeded,
)
from broker.domain.stops import StopReceived
from broker.domain.what_ifs import WhatIfBegun, WhatIfEnded, WhatIfSeen

CATALOGUE: tuple[type[AuditEvent], ...] = (
    AskMade,
    OutcomeReached,
    ConsentRequested,
    ConsentGranted,
    ConsentRefused,
    ConsentWithdrawn,
    ConsentPaused,
    ConsentResumed,
    ConsentUnanswered,
    StopReceived,
    BlockChanged,
    BreakGlassRequested,
    BreakGlassRead,
    BreakGlassDecided,
    LogSearched,
    EntryOpened,
    EmployeeNamed,
    SearchSaved,
    SearchRemoved,
    LogVerified,
    DecisionsReplayed,
    WhatIfBegun,
    WhatIfEnded,
    WhatIfSeen,
    RegistryLoaded,
    DeferralAsked,
    DeferralApproved,
    DeferralEnded,
    ErasureRequested,
    ErasureApproved,
    ErasureExamined,
    CitizenErased,
    RetentionApplied,
    HoldChanged,
    ArchiveReceived,
    OwnLookMade,
    OwnLookReached,
    NoticeSent,
    NoticesChosen,
    InquirySent,
    InquiryRead,
    InquiryAnswered,
    InquiryPassedOn,
    DeskLooked,
    SeenForAnother,
    SampleSeeded,
    SampleDrawn,
    SampleRead,
    SampleExplained,
    SampleClosed,
    SampleReopened,
    BreachOpened,
    BreachRead,
    BreachNoted,
    BreachCounted,
    BreachListed,
    BreachExported,
    BreachLettersPrepared,
    BreachCitizenNamed,
    BreachLettersReleased,
    BreachLettersWithdrawn,
    PackageMade,
    RecipientsSeen,
    FiguresRead,
    IntegritySeen,
    CheckBegun,
    EvidenceMade,
    FiguresPublished,
    AfterCheckRead,
    AfterCheckExplained,
    AfterCheckClosed,
    AfterCheckReopened,
    AfterCheckClosedUnexplained,
    AfterCheckEscalated,
    EmployeeDisclosed,
)
