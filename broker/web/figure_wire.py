"""A month's figures as JSON: codes and counts; no handle of a citizen or an employee."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from broker.domain.days import day_of
from broker.domain.directory import Directory
from broker.domain.figures import Figures, Refusals
from broker.domain.integrity import Standing
from broker.oversight.report import Report
from broker.web.consent_wire import moment
from broker.web.sample_wire import coverage_body


def figures_body(found: Figures) -> dict[str, Any]:
    """Lay out what was counted; a day, an hour or a code without anything is left out."""
    counts = found.counts
    return {
        "municipality": found.municipality,
        "month": found.month,
        "days": [{"day": day_of(day).isoformat(), "accesses": count} for day, count in counts.days],
        "units": [{"unit": unit, "accesses": count} for unit, count in counts.units],
        "outcomes": [{"outcome": code, "accesses": count} for code, count in counts.outcomes],
        "bases": [{"basis": code, "accesses": count} for code, count in counts.bases],
        "reasons": [{"reason": code, "asks": count} for code, count in counts.reasons],
        "hours": [{"weekday": day, "hour": hour, "accesses": count} for day, hour, count in counts.hours],
        "coverage": [coverage_body(row) for row in found.coverage],
    }


def report_body(found: Report) -> dict[str, Any]:
    """Lay out a report: the month's figures, what happened in it, and how the logs stood when it was made."""
    return {
        "made_at": moment(found.made_at),
        "figures": figures_body(found.figures),
        "samples": {"drawn": found.drawn, "explained": found.explained, "closed": found.closed, "late": found.late},
        "happened": dict(found.happened),
        "emergency_accesses": found.emergency_looks,
        "logs": [_log_body(log, found.made_at) for log in found.logs],
    }


def _log_body(log: Standing, at: datetime) -> dict[str, Any]:
    last = log.last
    return {
        "log": log.log,
        "year": log.year,
        "size": log.size,
        "published_size": log.published_size,
        "checked_at": moment(last.ended_at) if last and last.ended_at else None,
        "faults": last.found if last else None,
        "alarms": list(log.alarms(at)),
    }


def refusals_body(found: Refusals, directory: Directory) -> dict[str, Any]:
    """Lay out what may leave the house: by reason, with its paragraph and both sentences; null is withheld."""
    return {
        "municipality": found.municipality,
        "quarter": found.quarter,
        "months": list(found.months),
        "reasons": [_refusal_body(*row, directory) for row in found.rows],
        "month_sums": list(found.columns),
        "sum": found.total,
    }


def _refusal_body(
    code: str, citizens: tuple[int | None, ...], total: int | None, directory: Directory
) -> dict[str, Any]:
    text = directory.reasons.get(code)
    law = {"paragraph": text.paragraph, "da": text.da, "en": text.en} if text else {"paragraph": "", "da": "", "en": ""}
    return {"reason": code, **law, "citizens": list(citizens), "sum": total}
