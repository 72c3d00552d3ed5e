"""The forms of AuthZEN answers, as the OpenAPI document names them."""

from __future__ import annotations

from collections.abc import Mapping

from broker.web.api.authzen_bodies import ACTION, RESOURCE, SUBJECT
from broker.web.api.authzen_metadata import ENDPOINTS
from broker.web.api.shapes import (
    BASIS,
    BOTH,
    COUNT,
    MISSING,
    REASONS,
    RECEIPT,
    TEXT,
    YES_NO,
    Schema,
    form,
    many,
    named,
    one_of,
)

ERROR = form({"status": {"type": "integer"}, "message": TEXT}, {"pointer": TEXT, "what": TEXT})
ON_RECORD: Mapping[str, Schema] = {"ask": TEXT, "receipt": RECEIPT, "policy": TEXT, "notice": BOTH}
CONTEXT = form(
    {},
    {
        **ON_RECORD,
        "basis": BASIS,
        "obligations": many(form({"id": TEXT, "type": one_of("mask"), "what": TEXT})),
        "reasons": REASONS,
        "reason_user": BOTH,
        "missing": MISSING,
        "error": ERROR,
    },
)
PAGE = form({"next_token": TEXT, "count": COUNT, "total": COUNT})


def _found(entity: Schema) -> Schema:
    """Describe what a search finds."""
    return form({"page": PAGE, "context": form({}, {**ON_RECORD, "error": ERROR}), "results": many(entity)})


AUTHZEN_SHAPES: Mapping[str, Schema] = {
    "Decision": form({"decision": YES_NO, "context": CONTEXT}),
    "Decisions": form({}, {"evaluations": many(named("Decision")), "decision": YES_NO, "context": CONTEXT}),
    "SubjectsFound": _found(form({"type": one_of(SUBJECT), "id": TEXT})),
    "ResourcesFound": _found(form({"type": one_of(RESOURCE), "id": TEXT})),
    "ActionsFound": _found(form({"name": one_of(ACTION)})),
    "DecisionPoint": form({"policy_decision_point": TEXT, **dict.fromkeys(ENDPOINTS, TEXT)}),
}
