"""After-checks of break-glass as JSON: codes, days and places on the log; no handle of a citizen or an employee."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from broker.domain.after_checks import AfterCheck, NoticeState, RequestSeen
from broker.domain.directory import Directory
from broker.domain.entries import LogEntry
from broker.oversight.after_checks import Opened
from broker.web.break_glass_wire import break_glass_body
from broker.web.consent_wire import moment
from broker.web.sample_wire import step_body


def after_check_body(one: AfterCheck, today: date) -> dict[str, Any]:
    """Lay out an after-check without its words."""
    return {
        "id": one.id,
        "kind": one.kind,
        "municipality": one.municipality,
        "unit": one.unit,
        "requests": list(one.requests),
        "state": one.state,
        "opened_at": moment(one.opened_at),
        "due": one.due.isoformat(),
        "late": one.late(today),
        "days_late": one.days_late(today),
        "escalated_at": _moment(one.escalated_at),
    }


def opened_body(opened: Opened, directory: Directory, today: date) -> dict[str, Any]:
    """Lay out an after-check with its words and requests, and what is the reader's to do."""
    return after_check_body(opened.after_check, today) | {
        "uses": [use_body(one, directory) for one in opened.requests],
        "steps": [step_body(step) for step in opened.after_check.history],
        "leader_until": opened.leader_until.isoformat() if opened.leader_until else None,
        "your_step": opened.step,
        "you_may_learn_who": opened.may_learn_who,
        "erased": opened.after_check.erased,
    }


def use_body(seen: RequestSeen, directory: Directory) -> dict[str, Any]:
    """Lay out one request: why, who decided what, its lines on the log, the notice, and the relation."""
    return break_glass_body(seen.request, directory) | {
        "lines": [_line_body(line) for line in seen.lines],
        "notice": _notice_body(seen.notice),
        "relation": {"state": seen.relation.state, "at": moment(seen.relation.at)},
    }


def _line_body(line: LogEntry) -> dict[str, Any]:
    body: dict[str, Any] = {"log": line.receipt.log, "index": line.receipt.index, "kind": line.kind}
    body["at"] = moment(line.at)
    return body | ({"outcome": line.index["outcome"]} if "outcome" in line.index else {})


def _notice_body(notice: NoticeState) -> dict[str, Any]:
    body: dict[str, Any] = {"state": notice.state, "at": _moment(notice.at)}
    told = {"channel": notice.channel, "ground": notice.ground}
    return body | {name: text for name, text in told.items() if text}


def _moment(at: datetime | None) -> str | None:
    return None if at is None else moment(at)
