"""Other rules tried on a month, as JSON: which, how far, and counts with small numbers withheld."""

from __future__ import annotations

from typing import Any

from broker.domain.what_ifs import Result, WhatIf
from broker.oversight.what_ifs import Choice
from broker.web.consent_wire import moment


def choice_body(found: Choice) -> dict[str, Any]:
    """Lay out what can be tried, and the runs there are."""
    return {
        "set_up": found.candidates is not None,
        "candidates": list(found.candidates or ()),
        "months": list(found.months),
        "runs": [run_body(run) for run in found.runs],
    }


def run_body(run: WhatIf) -> dict[str, Any]:
    """Lay out one run, with its result where that is shown."""
    return {
        "id": run.id,
        "municipality": run.municipality,
        "month": run.month,
        "candidate": run.candidate,
        "rules": run.rules,
        "role": run.role,
        "begun_at": moment(run.begun_at),
        "state": run.state,
        "share": run.share,
        "done": run.done,
        "ended_at": None if run.ended_at is None else moment(run.ended_at),
        "why": run.why,
        "result": None if run.result is None else _result(run.result),
    }


def _result(found: Result) -> dict[str, Any]:
    return {
        "purposes": list(found.purposes),
        "rows": [
            {"kind": row.kind, "by": row.by, "counts": list(row.counts), "total": row.total} for row in found.rows
        ],
        "totals": list(found.totals),
        "total": found.total,
        "deleted": found.deleted,
    }
