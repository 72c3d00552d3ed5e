"""The answers each route may give, for the OpenAPI document: every status that is sent is declared."""

from __future__ import annotations

from typing import Any

PROBLEM = {
    "content": {
        "application/problem+json": {
            "schema": {
                "type": "object",
                "required": ["type", "title", "status"],
                "properties": {
                    "type": {"type": "string"},
                    "title": {"type": "string"},
                    "status": {"type": "integer"},
                    "reasons": {"type": "array", "items": {"type": "object"}},
                    "entry": {"type": "object"},
                },
            }
        }
    }
}


def problems(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Declare problem answers for these statuses, beside those that any route may give."""
    names = {400: "Malformed", 401: "Not authenticated", 403: "Not permitted", 404: "Not found", 409: "Conflict"}
    names |= {413: "Too large", 422: "Idempotency key reused", 429: "A ceiling was reached", 503: "Fail closed"}
    return {status: {"description": names.get(status, "Problem"), **PROBLEM} for status in statuses}


ASK_ANSWERS = problems(400, 401, 403, 413, 429, 503)
CHANGE_ANSWERS = problems(400, 401, 403, 404, 409, 413, 422, 429, 503)
READ_ANSWERS = problems(400, 401, 403, 404, 429, 503)
