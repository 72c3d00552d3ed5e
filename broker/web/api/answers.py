"""The answers each route may give, for the OpenAPI document: every status that is sent is declared, with its form."""

from __future__ import annotations

from typing import Any

from broker.web.api.shapes import named
from broker.web.problems import MEDIA_TYPE

Answers = dict[int | str, dict[str, Any]]

PROBLEM = {"content": {MEDIA_TYPE: {"schema": named("Problem")}}}
NAMES = {
    400: "Malformed",
    401: "Not authenticated",
    403: "Not permitted",
    404: "Not found",
    408: "The body did not come in time",
    409: "Conflict",
    413: "Too large",
    422: "Idempotency key reused",
    429: "A ceiling was reached",
    431: "The address or the headers are too long",
    502: "A register gave no answer",
    503: "Fail closed",
}


def problems(*statuses: int) -> Answers:
    """Declare problem answers for these statuses, and for a head that is too large, which any call may have."""
    return {status: {"description": NAMES[status], **PROBLEM} for status in sorted({*statuses, 431})}


def told(shape: str, also: Answers | None = None, *, status: int = 200) -> Answers:
    """Declare what a good answer looks like, by the name of its shape, beside the answers that are problems."""
    good = {"description": "Done", "content": {"application/json": {"schema": named(shape)}}}
    return {status: good, **(also or {})}


ASK_ANSWERS = problems(400, 401, 403, 408, 413, 429, 502, 503)
# An evaluation is never refused: a no is an answer (AuthZEN 1.0 section 10.1.2). 403 is for who names no caseworker.
EVALUATION_ANSWERS = problems(400, 401, 403, 408, 413, 429, 502, 503)
CHANGE_ANSWERS = problems(400, 401, 403, 404, 408, 409, 413, 422, 429, 502, 503)
READ_ANSWERS = problems(400, 401, 403, 404, 429, 503)
OPEN_ANSWERS = problems(400, 404, 503)
