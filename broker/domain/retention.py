"""How long what stands on the log is kept, by kind of event, and when it may go.

Rules kept here:
- Months are counted from the entry's own Danish day, or from the one on which it shows where the law kept it back; it
  may go on the day after.
- A kind that is not named is kept as long as the longest: what nobody has thought of is not deleted early.
- A municipality that has not said how long it keeps things deletes nothing.
- What must be delivered to an archive first (arkivloven) may go only once the archive has confirmed that day.

| kinds | months | why |
| --- | --- | --- |
| asks, answers, looks, notices, searches, holds, erasures | 6, at most 60 | Datatilsynet; longer: written reasons |
| consents, inquiries, samples, breaches | 72, at least 18 | evidence for five years after one yes (GDPR art. 7) |
| break-glass, its after-checks, employees disclosed | 60 | five years |
| what names no citizen: registry, checks, deletions, published figures | kept | the house's own account of itself |
"""

from __future__ import annotations

import calendar
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta

from broker.domain.days import DANISH_TIME

LONGEST = 72
MOST = 120


@dataclass(frozen=True, slots=True)
class Term:
    """How long a kind of event is kept where a municipality says nothing, and the least and most it may say."""

    months: int
    least: int
    most: int


ACCESS, CONSENT, EMERGENCY = Term(6, 6, 60), Term(LONGEST, 18, MOST), Term(60, 6, MOST)
UNNAMED = Term(LONGEST, 6, MOST)
TERMS: Mapping[str, Term] = {
    "ask": ACCESS,
    "outcome": ACCESS,
    "own.asked": ACCESS,
    "own.shown": ACCESS,
    "own.seen_for_another": ACCESS,
    "notice.sent": ACCESS,
    "notices.chosen": ACCESS,
    "desk.looked": ACCESS,
    "package.made": ACCESS,
    "recipients.seen": ACCESS,
    "log.searched": ACCESS,
    "integrity.seen": ACCESS,
    "entry.opened": ACCESS,
    "employee.named": EMERGENCY,
    "search.saved": ACCESS,
    "search.removed": ACCESS,
    "figures.read": ACCESS,
    "what_if.seen": ACCESS,
    "hold.changed": ACCESS,
    "erasure.examined": ACCESS,
    "deferral.asked": ACCESS,
    "deferral.approved": ACCESS,
    "deferral.ended": ACCESS,
    "erasure.requested": ACCESS,
    "erasure.approved": ACCESS,
    "consent.requested": CONSENT,
    "consent.granted": CONSENT,
    "consent.refused": CONSENT,
    "consent.withdrawn": CONSENT,
    "consent.paused": CONSENT,
    "consent.resumed": CONSENT,
    "consent.unanswered": CONSENT,
    "stop.received": CONSENT,
    "block.changed": CONSENT,
    "inquiry.sent": CONSENT,
    "inquiry.read": CONSENT,
    "inquiry.answered": CONSENT,
    "inquiry.passed_on": CONSENT,
    "sample.read": CONSENT,
    "sample.explained": CONSENT,
    "sample.closed": CONSENT,
    "sample.reopened": CONSENT,
    "breach.opened": CONSENT,
    "breach.read": CONSENT,
    "breach.noted": CONSENT,
    "breach.counted": CONSENT,
    "breach.listed": CONSENT,
    "breach.exported": CONSENT,
    "breach.letters_prepared": CONSENT,
    "breach.named": CONSENT,
    "breach.letters_released": CONSENT,
    "breach.letters_withdrawn": CONSENT,
    "evidence.made": CONSENT,
    "break_glass.requested": EMERGENCY,
    "break_glass.read": EMERGENCY,
    "break_glass.decided": EMERGENCY,
    "after_check.read": EMERGENCY,
    "after_check.explained": EMERGENCY,
    "after_check.closed": EMERGENCY,
    "after_check.closed_unexplained": EMERGENCY,
    "after_check.escalated": EMERGENCY,
    "after_check.reopened": EMERGENCY,
    "employee.disclosed": EMERGENCY,
}
# They name no citizen, and say what became of the log itself.
KEPT = frozenset(
    {
        "sample.seeded",
        "sample.drawn",
        "log.check_begun",
        "figures.published",
        "log.verified",
        "decisions.replayed",
        "what_if.begun",
        "what_if.ended",
        "registry.loaded",
        "citizen.erased",
        "retention.applied",
        "archive.received",
        "map",
    }
)


@dataclass(frozen=True, slots=True)
class Retention:
    """What one municipality has decided: months by kind where it differs, and the kinds an archive must have first."""

    months: Mapping[str, int] = field(default_factory=dict)
    archive: frozenset[str] = frozenset()

    def ends(self, kind: str, today: date, archived: date | None) -> datetime | None:
        """Give the moment before which entries of a kind may go today; None where none may.

        `archived` is the last day the archive has confirmed to have.
        """
        if kind in KEPT:
            return None
        before = months_before(today, self.months.get(kind, term(kind).months))
        if kind in self.archive:
            if archived is None:
                return None
            before = min(before, archived + timedelta(days=1))
        return datetime.combine(before, time(), DANISH_TIME)

    def may_lack(self, kinds: Iterable[str], today: date) -> datetime | None:
        """Give the moment before which some entry of these kinds may be gone, archives apart; None where none may."""
        ends = [end for kind in kinds if (end := self.ends(kind, today, today)) is not None]
        return max(ends, default=None)

    def keeps_until(self, kind: str, at: datetime) -> date | None:
        """Give the last day an entry of a moment is kept, archives apart; None where it is kept for good."""
        if kind in KEPT:
            return None
        return months_after(at.astimezone(DANISH_TIME).date(), self.months.get(kind, term(kind).months))


def term(kind: str) -> Term:
    """Give how long a kind is kept."""
    return TERMS.get(kind, UNNAMED)


def months_before(day: date, months: int) -> date:
    """Count months back; a day that a month does not have is its last."""
    return months_after(day, -months)


def months_after(day: date, months: int) -> date:
    """Count months on; a day that a month does not have is its last."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return date(year, month + 1, min(day.day, calendar.monthrange(year, month + 1)[1]))
