"""The whole-person view as JSON (`POST /v1/views`): the answer's items, and what is seen across them.

Indices (`item`, `items`) point into the answer's `items`. Names are disclosed here, to the caller the log names.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from broker.domain.answers import Answer
from broker.domain.days import danish_day
from broker.domain.directory import Directory
from broker.domain.errors import BadAsk
from broker.domain.identity import Caller
from broker.view.finding import Finding
from broker.view.gaps import Gap
from broker.view.overlap import Stretch
from broker.view.people import HelpingPerson, Support
from broker.view.plans import Plan
from broker.view.texts import finding_text, gap_text, reduced_text, suggestion
from broker.view.week import IsoWeek, Presence
from broker.view.weeks import WeekView
from broker.view.whole_person import View, whole_person
from broker.web.problems import reason_row
from broker.web.wire import answer_body, clock_text, day_text, law_rows, receipt_body

COORDINATOR_ROLE = "koordinerende_sagsbehandler"


def view_of(answer: Answer, caller: Caller, at: datetime, weeks: Sequence[str] | None, directory: Directory) -> View:
    """Make the view of an answer for its caller; raise `BadAsk` when a week does not exist."""
    return whole_person(
        answer.found.items,
        answer.found.silent,
        directory,
        danish_day(at),
        weeks=weeks_of(weeks),
        coordinator_present=any(role.name == COORDINATOR_ROLE for role in caller.caseworker.roles),
        stated=answer.stated,
    )


def view_body(
    answer: Answer, caller: Caller, at: datetime, weeks: Sequence[str] | None, directory: Directory
) -> dict[str, Any]:
    """Lay out the answer with its view and the journal note."""
    view = view_of(answer, caller, at, weeks, directory)
    return answer_body(answer, directory) | {
        "today": day_text(view.today),
        "areas": list(view.areas),
        "reduced": {"da": reduced_text("da"), "en": reduced_text("en")} if view.reduced else None,
        "plans": [_plan(plan) for plan in view.plans],
        "people": [person_body(person) for person in view.people],
        "employment": list(view.employment),
        "weeks": [_week(week) for week in view.weeks],
        "findings": [_finding(finding) for finding in view.findings],
        "computed_without": list(view.computed_without),
        "gaps": [_gap(gap) for gap in view.gaps],
        "excluded": [{"item": one.item, "reason": reason_row(one.code, directory.reasons)} for one in view.excluded],
        "journal_note": journal_note(answer, caller, at, directory),
    }


def journal_note(answer: Answer, caller: Caller, at: datetime, directory: Directory) -> dict[str, Any]:
    """Write what the caller's own journal should hold of this access: who, what kinds, basis, law, time, receipt.

    No content: what was seen stays in the systems that hold it.
    """
    released = [verdict for verdict in answer.verdicts if verdict.outcome != "withhold" and not verdict.own]
    return {
        "time": at.astimezone(UTC).isoformat(timespec="seconds"),
        "unit": caller.unit,
        "kinds": sorted({f"{verdict.source}/{verdict.category}" for verdict in released}),
        "basis": sorted({f"{b.kind}:{b.id}:{b.version}" for verdict in released for b in verdict.basis}),
        "laws": law_rows((b.law for verdict in released for b in verdict.basis), directory.laws),
        "receipt": receipt_body(answer.receipt),
    }


def weeks_of(names: Sequence[str] | None) -> tuple[IsoWeek, ...] | None:
    """Read the weeks asked for; raise `BadAsk` for one that does not exist."""
    if names is None:
        return None
    try:
        return tuple(IsoWeek.read(name) for name in names)
    except ValueError:
        raise BadAsk("/weeks", "no_such_week") from None


def _plan(plan: Plan) -> dict[str, Any]:
    return {
        "item": plan.item,
        "plan_type": plan.plan_type,
        "unit": plan.unit,
        "source": plan.source,
        "law": [{"act": ref.act, "paragraph": ref.paragraph} for ref in plan.law],
        "from": day_text(plan.from_day),
        "to": day_text(plan.to_day),
        "next_follow_up": day_text(plan.next_follow_up),
        "future": plan.future,
        "replaceable": plan.replaceable,
        "trial": plan.trial,
        "exempt": plan.exempt,
    }


def person_body(person: HelpingPerson) -> dict[str, Any]:
    """Disclose one who helps, to whoever may see them."""
    return {
        "role": person.role,
        "name": person.label or (person.name.disclose() if person.name else None),
        "phone": person.phone.disclose() if person.phone else None,
        "comes": person.comes,
        "supports": [_support(support) for support in person.supports],
    }


def _support(support: Support) -> dict[str, Any]:
    return {
        "item": support.item,
        "kind": support.kind,
        "unit": support.unit,
        "source": support.source,
        "need": support.need,
        "law": [{"act": ref.act, "paragraph": ref.paragraph} for ref in support.law],
        "decision": support.decision.disclose() if support.decision else None,
        "from": day_text(support.from_day),
        "to": day_text(support.to_day),
        "future": support.future,
        "outside_trial": support.outside_trial,
    }


def _week(week: WeekView) -> dict[str, Any]:
    figures = week.overlap
    return {
        "week": str(week.week),
        "visits": [_presence(presence) for presence in week.visits],
        "meetings": [_presence(presence) for presence in week.meetings],
        "total_minutes": figures.total_minutes,
        "union_minutes": figures.union_minutes,
        "excess_minutes": figures.excess_minutes,
        "two_or_more_minutes": figures.two_or_more_minutes,
        "three_or_more_minutes": figures.three_or_more_minutes,
        "stretches": [_stretch(stretch) for stretch in figures.stretches],
    }


def _presence(presence: Presence) -> dict[str, Any]:
    return {
        "item": presence.item,
        "weekday": presence.weekday,
        "counted": presence.counted,
        "from": clock_text(presence.start_minute),
        "to": clock_text(presence.end_minute),
    }


def _stretch(stretch: Stretch) -> dict[str, Any]:
    return {
        "weekday": stretch.weekday,
        "from": clock_text(stretch.start_minute),
        "to": clock_text(stretch.end_minute),
        "helpers": stretch.helpers,
        "items": list(stretch.items),
    }


def _finding(finding: Finding) -> dict[str, Any]:
    return {
        "rules": list(finding.rules),
        "items": list(finding.items),
        "sources": list(finding.sources),
        "figures": dict(finding.figures),
        "codes": list(finding.codes),
        "acts": list(finding.acts),
        "decisions": [decision.disclose() for decision in finding.decisions],
        "weeks": list(finding.weeks),
        "stretches": [_stretch(stretch) for stretch in finding.stretches],
        "from": day_text(finding.from_day),
        "future": finding.future,
        "state": finding.state,
        "text": {"da": finding_text(finding, "da"), "en": finding_text(finding, "en")},
        "suggestion": {"da": suggestion(finding, "da"), "en": suggestion(finding, "en")},
    }


def _gap(gap: Gap) -> dict[str, Any]:
    return {
        "code": gap.code,
        "source": gap.source,
        "why": gap.why,
        "area": gap.area,
        "held": gap.held,
        "needed": gap.needed,
        "text": {"da": gap_text(gap, "da"), "en": gap_text(gap, "en")},
    }
