"""Decisions and search results as AuthZEN lays them out, with our reasons, masks and receipts in the context.

What stands here of a place is what an ask for that place alone is shown (P6); `reason_user` may be shown to the
caseworker, and there is no `reason_admin`: what they may not see stands on the log alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from broker.domain.answers import ShownVerdict
from broker.domain.decisions import WITHHOLD
from broker.domain.directory import Directory
from broker.domain.errors import BadAsk
from broker.evaluation.evaluate import Evaluated
from broker.web.api.authzen_bodies import Undecided
from broker.web.problems import GENERAL_NOTICE, TABLE, reason_row
from broker.web.wire import basis_rows, receipt_body


def decision_body(evaluated: Evaluated, place: tuple[str, str], directory: Directory) -> dict[str, Any]:
    """Lay out one decision (section 5.5)."""
    row = evaluated.rows[place]
    permitted = row.outcome != WITHHOLD
    told = _permitted(row, directory) if permitted else _withheld(row, directory)
    return {"decision": permitted, "context": told | record_body(evaluated)}


def record_body(evaluated: Evaluated) -> dict[str, Any]:
    """Say where an evaluation is on record, under which rules it was decided, and what is said with every answer."""
    return {
        "ask": evaluated.ask,
        "receipt": receipt_body(evaluated.receipt),
        "policy": evaluated.policy_revision,
        "notice": GENERAL_NOTICE,
    }


def undecided_body(why: Undecided | BadAsk) -> dict[str, Any]:
    """Lay out an evaluation that came to no decision, which is no (section 7.2.1)."""
    return {"decision": False, "context": {"error": error_body(why)}}


def error_body(why: Undecided | BadAsk) -> dict[str, Any]:
    """Say what stood in the way of a decision, repeating nothing that was sent."""
    if isinstance(why, Undecided):
        return {"status": why.status, "message": why.message}
    status, _, title = TABLE[BadAsk]
    return {"status": int(status), "message": title, "pointer": why.pointer, "what": why.what}


def results_body(found: Sequence[dict[str, Any]], page: dict[str, Any], context: dict[str, Any]) -> dict[str, Any]:
    """Lay out what a search found, the page first (section 8.3)."""
    return {"page": page, "context": context, "results": list(found)}


def _permitted(row: ShownVerdict, directory: Directory) -> dict[str, Any]:
    """Say why it is permitted, and what an ask's answer would be masked by."""
    return {
        "basis": basis_rows(row.basis, directory),
        "obligations": [{"id": f"mask:{mask}", "type": "mask", "what": mask} for mask in row.masks],
    }


def _withheld(row: ShownVerdict, directory: Directory) -> dict[str, Any]:
    reasons = [reason_row(code, directory.reasons) for code in row.reasons]
    return {
        "reasons": reasons,
        "reason_user": {tongue: " ".join(reason.get(tongue, "") for reason in reasons) for tongue in ("da", "en")},
        "missing": [{"source": m.source, "category": m.category, "giver": m.giver} for m in row.missing],
    }
