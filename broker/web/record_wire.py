"""Consent records as they are sent: to the one whose yes or no it was, and to nobody else."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson


def record_body(record: Mapping[str, Any]) -> dict[str, Any]:
    """Lay a record out for its giver: their number, and the words they were shown."""
    principal, notice, origin = record["pii_principal"], record["notice"], record.get("origin")
    words = notice["text"]
    body = {
        **record,
        "pii_principal": {**principal, "id": principal["id"].disclose()},
        "notice": {**notice, "text": None if words is None else words.disclose()},
    }
    return body if origin is None else body | {"origin": orjson.loads(origin.disclose())}
