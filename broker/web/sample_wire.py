"""Samples as JSON: codes, days and places on the log; no handle of a citizen or an employee."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

from broker.domain.days import DANISH_TIME
from broker.domain.disclosed import ActorIdentity
from broker.domain.samples import Coverage, Sample, Step
from broker.oversight.reviews import Opened
from broker.web.consent_wire import moment

# What an entry's index row tells a reviewer: why it was allowed or refused, and what it was about.
SHOWN = ("purpose", "outcome", "basis", "reasons", "categories", "sources", "emergency")


def sample_body(one: Sample, today: date) -> dict[str, Any]:
    """Lay out a sample without its words."""
    return {
        "id": one.id,
        "draw": one.round,
        "municipality": one.municipality,
        "unit": one.unit,
        "log": one.about.log,
        "index": one.about.index,
        "at": moment(one.at),
        "chosen": one.how,
        "signs": list(one.signs),
        "explained_away": [{"sign": sign, "by": why} for sign, why in one.explained],
        "state": one.state,
        "opened_at": moment(one.opened_at),
        "due": one.due.isoformat(),
        "late": one.late(today),
        "days_late": one.days_late(today),
    }


def opened_body(opened: Opened, today: date) -> dict[str, Any]:
    """Lay out a sample with its words, what the log says of the access, and the step that is the reader's to take."""
    index = opened.entry.index if opened.entry else {}
    return sample_body(opened.sample, today) | {
        "access": {name: index[name] for name in SHOWN if name in index},
        "steps": [step_body(step) for step in opened.sample.steps],
        "your_step": opened.step,
        "you_may_learn_who": opened.may_learn_who,
        "erased": opened.sample.erased,
    }


def employee_body(identity: ActorIdentity) -> dict[str, Any]:
    """Lay out who an employee is, as their employer named them."""
    name = identity.name.disclose() if identity.name else None
    return {"issuer": identity.issuer, "id": identity.id.disclose(), "name": name}


def coverage_body(row: Coverage) -> dict[str, Any]:
    """Lay out what was looked at of one unit and month."""
    return {
        "municipality": row.municipality,
        "unit": row.unit,
        "month": month_name(row.since),
        "accesses": row.accesses,
        "drawn": row.drawn,
        "explained": row.explained,
        "closed": row.closed,
    }


def month_name(since: int) -> str:
    """Name the Danish month that begins at a moment."""
    return f"{datetime.fromtimestamp(since, UTC).astimezone(DANISH_TIME):%Y-%m}"


def step_body(step: Step) -> dict[str, Any]:
    """Lay out what somebody said."""
    return {"state": step.state, "at": moment(step.at), "text": step.text.disclose() if step.text else None}
