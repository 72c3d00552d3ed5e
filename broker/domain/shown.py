"""What the person an entry is about is shown of its body: never the employee, nobody else, and no free text.

The log commits to these words when the entry is written (`audit/commitment.py`), so that what a citizen reads later
can be held against what was written then. A field that is not named here is not shown.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

FIELDS = (
    "event", "municipality", "at", "unit", "requester", "purpose", "ask", "aim", "repeat", "consent", "request",
    "outcome", "registers", "failed_registers", "sources_read", "own_items", "shared_items", "judged_again",
    "break_glass", "reason", "holder", "said", "channel", "text_version", "version", "from_day", "to_day", "capacity",
    "text_digest", "block", "source", "category", "lifted", "deferral", "ground", "until",
)  # fmt: skip


def shown_of(body: Mapping[str, Any]) -> dict[str, Any]:
    """Lay out what is shown of a body as it was written; of verdicts and lines all but whom they name."""
    shown = {name: body[name] for name in FIELDS if name in body}
    if "verdicts" in body:
        shown["verdicts"] = [_verdict(verdict) for verdict in body["verdicts"]]
    if "lines" in body:
        shown["lines"] = [[source, category] for _, source, category in body["lines"]]
    return shown


def _verdict(verdict: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "outcome": verdict["outcome"],
        "source": verdict["key"]["source"],
        "category": verdict["key"]["category"],
        "basis": [{name: basis[name] for name in ("kind", "id", "law") if name in basis} for basis in verdict["basis"]],
        "reasons": verdict["reasons"],
    }
