"""The forms of answers, as the OpenAPI document names them: each field that is sent stands here, and no other.

JSON Schemas as plain values. They describe; what is sent is laid out in `wire.py` and its neighbours, and the tests
hold every answer against these.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

Schema = Mapping[str, Any]

TEXT: Schema = {"type": "string"}
DAY: Schema = {"type": "string", "format": "date"}
MOMENT: Schema = {"type": "string", "format": "date-time"}
CLOCK: Schema = {"type": "string", "pattern": r"^\d{2}:\d{2}$"}
COUNT: Schema = {"type": "integer", "minimum": 0}
YES_NO: Schema = {"type": "boolean"}


def named(shape: str) -> Schema:
    """Point at one of the shapes by its name."""
    return {"$ref": f"#/components/schemas/{shape}"}


def form(always: Mapping[str, Schema], sometimes: Mapping[str, Schema] | None = None) -> Schema:
    """Describe an object: what always stands in it, and what is left out where there is nothing to say."""
    return {"type": "object", "required": sorted(always), "properties": {**always, **(sometimes or {})}}


def many(of: Schema) -> Schema:
    """Describe a list."""
    return {"type": "array", "items": of}


def maybe(of: Schema) -> Schema:
    """Describe a value that may be null."""
    return {"anyOf": [of, {"type": "null"}]}


def one_of(*values: str) -> Schema:
    """Describe a word out of few."""
    return {"type": "string", "enum": list(values)}


BOTH = form({"da": TEXT, "en": TEXT})
DATA_DAYS: Mapping[str, Schema] = {"data_from": DAY, "data_to": DAY}
PLACE = form({"source": TEXT, "category": TEXT})
# The source is null for who may not learn it: where a child's address is protected, it could tell where the child is.
PLACE_OF_DAYS = form({"source": maybe(TEXT), "category": TEXT}, DATA_DAYS)
LAW = many(form({"act": TEXT, "paragraph": TEXT}))
LAW_ROW: Mapping[str, Schema] = {"law": TEXT, "paragraph": TEXT, "gdpr_basis": TEXT}
BASIS = many(form({"kind": TEXT, "id": TEXT, "version": {"type": ["integer", "string", "null"]}, **LAW_ROW}))
MISSING = many(form({"source": TEXT, "category": TEXT, "giver": TEXT}))
REASONS = many(named("Reason"))
RECEIPT = named("Receipt")
VERDICT = form(
    {"source": TEXT, "category": TEXT, "subject": TEXT, "verdict": one_of("release", "mask", "withhold")},
    {
        "own": YES_NO,
        "basis": BASIS,
        "masks": many(TEXT),
        "periods": many(many(form({}, DATA_DAYS))),
        "reasons": REASONS,
        "missing": MISSING,
    },
)
SOURCE = form(
    {
        "source": TEXT,
        "name": BOTH,
        "municipality": TEXT,
        "unit": TEXT,
        "state": one_of("answered", "nothing_found", "withheld", "silent"),
    },
    {"why": TEXT, "reason": TEXT},
)
VISIT = form({"from": CLOCK, "to": CLOCK}, {"weekday": {"type": "integer", "minimum": 1, "maximum": 7}, "day": DAY})
ITEM = form(
    {
        "source": TEXT,
        "category": TEXT,
        "subject": TEXT,
        "kind": TEXT,
        "id": TEXT,
        "unit": TEXT,
        "fetched_at": MOMENT,
        "people": many(form({"role": TEXT}, {"name": TEXT, "phone": TEXT})),
        "law": LAW,
        "limits": many(TEXT),
        "demands": many(TEXT),
        "visits": many(VISIT),
    },
    {
        **dict.fromkeys(("title", "text", "kle", "need", "topic", "status", "decision", "plan_type"), TEXT),
        **dict.fromkeys(("from", "to", "next_follow_up"), DAY),
        "hours_per_week": {"type": "number"},
    },
)
ANSWER: Mapping[str, Schema] = {
    "ask": TEXT,
    "receipt": RECEIPT,
    "notice": BOTH,
    "sources": many(SOURCE),
    "verdicts": many(VERDICT),
    "items": many(ITEM),
    "counts": form({"own": COUNT, "shared": COUNT}),
    "policy": TEXT,
}
PERIOD: Mapping[str, Schema] = {"from": maybe(DAY), "to": maybe(DAY)}
PLAN = form(
    {
        **PERIOD,
        "item": COUNT,
        "plan_type": maybe(TEXT),
        "unit": TEXT,
        "source": TEXT,
        "law": LAW,
        "next_follow_up": maybe(DAY),
        "trial": maybe(TEXT),
        **dict.fromkeys(("future", "replaceable", "exempt"), YES_NO),
    }
)
SUPPORT = form(
    {
        **PERIOD,
        "item": COUNT,
        "kind": TEXT,
        "unit": TEXT,
        "source": TEXT,
        "need": maybe(TEXT),
        "law": LAW,
        "decision": maybe(TEXT),
        "future": YES_NO,
        "outside_trial": YES_NO,
    }
)
PERSON = form({"role": TEXT, "name": maybe(TEXT), "phone": maybe(TEXT), "comes": YES_NO, "supports": many(SUPPORT)})
WEEKDAY: Schema = {"type": "integer", "minimum": 1, "maximum": 7}
PRESENCE = form({"item": COUNT, "weekday": WEEKDAY, "counted": YES_NO, "from": CLOCK, "to": CLOCK})
STRETCH = form({"weekday": WEEKDAY, "from": CLOCK, "to": CLOCK, "helpers": COUNT, "items": many(COUNT)})
MINUTES = ("total", "union", "excess", "two_or_more", "three_or_more")
WEEK = form(
    {
        "week": {"type": "string", "pattern": r"^\d{4}-W\d{2}$"},
        "visits": many(PRESENCE),
        "meetings": many(PRESENCE),
        **{f"{name}_minutes": COUNT for name in MINUTES},
        "stretches": many(STRETCH),
    }
)
FINDING = form(
    {
        **dict.fromkeys(("rules", "sources", "codes", "acts", "decisions", "weeks"), many(TEXT)),
        "items": many(COUNT),
        "figures": {"type": "object", "additionalProperties": {"type": "integer"}},
        "stretches": many(STRETCH),
        "from": maybe(DAY),
        "future": YES_NO,
        "state": TEXT,
        "text": BOTH,
        "suggestion": BOTH,
    }
)
GAP = form(
    {
        "code": TEXT,
        "source": maybe(TEXT),
        "why": maybe(TEXT),
        "area": maybe(TEXT),
        "held": maybe(COUNT),
        "needed": maybe(COUNT),
        "text": BOTH,
    }
)
NOTE = form(
    {
        "time": MOMENT,
        "unit": TEXT,
        "kinds": many(TEXT),
        "basis": many(TEXT),
        "laws": many(form(LAW_ROW)),
        "receipt": RECEIPT,
    }
)
VIEW: Mapping[str, Schema] = {
    "today": DAY,
    "areas": many(TEXT),
    "reduced": maybe(BOTH),
    "plans": many(PLAN),
    "people": many(PERSON),
    "employment": many(COUNT),
    "weeks": many(WEEK),
    "findings": many(FINDING),
    "computed_without": many(TEXT),
    "gaps": many(GAP),
    "excluded": many(form({"item": COUNT, "reason": named("Reason")})),
    "journal_note": NOTE,
}
LIMIT = {"limit": form({"times": COUNT, "per": one_of("consent", "month")})}
REQUEST: Mapping[str, Schema] = {
    "id": TEXT,
    "state": TEXT,
    "purpose": TEXT,
    "unit": TEXT,
    "lines": many(PLACE_OF_DAYS),
    **PERIOD,
    "answer_by": DAY,
}
ABOUT = one_of("me", "my_child", "another")
MY_REQUEST = form(
    {
        **REQUEST,
        "answered": YES_NO,
        "why": maybe(TEXT),
        "again": maybe(TEXT),
        "asked_before": many(form({"at": MOMENT, "answer": TEXT})),
        "my_lines": many(form({"number": COUNT, "about": ABOUT, "source": maybe(TEXT), "category": TEXT}, DATA_DAYS)),
        "text": {"type": "object", "properties": {"da": TEXT, "en": TEXT}},
    },
    LIMIT,
)
MY_CONSENT = form(
    {
        **dict.fromkeys(("id", "unit", "municipality", "purpose", "form"), TEXT),
        "version": COUNT,
        "given_at": MOMENT,
        "mine": YES_NO,
        "live": YES_NO,
        "lines": many(
            form(
                {**PERIOD, "id": TEXT, "about": ABOUT, "source": maybe(TEXT), "category": TEXT, "state": TEXT},
                {**DATA_DAYS, "told": form({"received_at": maybe(MOMENT), "received_by": COUNT})},
            )
        ),
    },
    {**LIMIT, "left": COUNT, "used_at": many(MOMENT), "renews": TEXT},
)
GRANTED = form(
    {**PERIOD, "consent": TEXT, "lines": many(PLACE_OF_DAYS), "text": TEXT, "text_sha256": TEXT, "receipt": RECEIPT},
    LIMIT,
)
MY_ENTRY = form(
    {"log": TEXT, "index": COUNT, "at": MOMENT, "kind": TEXT},
    {
        **dict.fromkeys(("municipality", "state", "unit", "purpose", "ask", "aim", "consent", "outcome"), TEXT),
        "basis": many(form({"kind": TEXT, "id": TEXT})),
        "laws": many(form(LAW_ROW)),
        **dict.fromkeys(("released", "allowed", "withheld", "lines"), many(PLACE)),
        "reasons": REASONS,
        "channel": TEXT,
        "emergency": YES_NO,
        "holder": TEXT,
        "said": one_of("yes", "no"),
    },
)
# What else stands in it follows from its kind (`docs/audit-events.md`): the fields that supervision may search by.
ENTRY: Schema = {**form({"log": TEXT, "index": COUNT, "at": MOMENT, "state": TEXT}), "additionalProperties": True}
SAVED = form({"id": TEXT, "municipality": TEXT, "name": TEXT, "criteria": {"type": "object"}, "at": MOMENT})
LOG_STATE = form(
    {
        "log": TEXT,
        "municipality": TEXT,
        "year": {"type": "integer"},
        "size": COUNT,
        "signed_size": maybe(COUNT),
        "signed_at": maybe(MOMENT),
    }
)
PUBLIC_LOG = form(
    {
        "origin": TEXT,
        "url": TEXT,
        "municipality": TEXT,
        "year": {"type": "integer"},
        "size": COUNT,
        "signed_at": maybe(MOMENT),
    }
)
HOLDER = form({"unit": TEXT, "sources": many(TEXT), "said": one_of("nothing", "yes", "no")}, {"until": MOMENT})
BREAK_GLASS = form(
    {"request": TEXT, "reason": TEXT, "unit": TEXT, "requested_at": MOMENT, "holders": many(HOLDER)},
    {"callout": TEXT, "text": TEXT, "receipt": RECEIPT},
)
NEXT: Mapping[str, Schema] = {"next": maybe(TEXT)}

SIGNED_RECORD = form({"record": {"type": "object", "description": "docs/consent-record.schema.json"}, "jws": TEXT})

# Each shape by the name under which the document has it.
SHAPES: Mapping[str, Schema] = {
    "Reason": form({"code": TEXT}, {"paragraph": TEXT, "da": TEXT, "en": TEXT}),
    "Receipt": form({"log": TEXT, "index": COUNT, "checkpoint": TEXT}),
    "Answer": form(ANSWER),
    "View": form({**ANSWER, **VIEW}),
    "ConsentRequest": form(REQUEST, {**LIMIT, "renews": TEXT, "receipt": RECEIPT}),
    "ConsentGiven": GRANTED,
    "BreakGlass": BREAK_GLASS,
    "ConsentChanged": form({"consent": TEXT, "receipt": RECEIPT}),
    "RequestChanged": form({"request": TEXT, "receipt": RECEIPT}),
    "BlockChanged": form({"block": TEXT, "receipt": RECEIPT}),
    "Session": form({"csrf": TEXT, "idle_at": MOMENT, "ends_at": MOMENT}),
    "MyConsents": form({"consents": many(MY_CONSENT)}),
    "ConsentRecord": SIGNED_RECORD,
    "ConsentRecords": form({"records": many(SIGNED_RECORD)}),
    "ReceiptKeys": form({"keys": many({"type": "object"})}),
    "MyRequests": form({"requests": many(MY_REQUEST), "whole": YES_NO}),
    "MyBlocks": form(
        {"blocks": many(form({"id": TEXT, "source": maybe(TEXT), "unit": maybe(TEXT), "category": maybe(TEXT)}))}
    ),
    "MyAccesses": form({"entries": many(MY_ENTRY), **NEXT}),
    # What is in it, audit/bundle.py says: a log, its signed head, the lists and their proofs.
    "MyBundle": form({"format": one_of("log-bundle@v1"), "made_at": TEXT, "logs": many({"type": "object"})}),
    "Accesses": form({"entries": many(ENTRY), **NEXT}),
    "AccessesOfEmployee": form({"actor": maybe(TEXT), "entries": many(ENTRY), **NEXT}),
    "OpenedAccess": {**ENTRY, "properties": {**ENTRY["properties"], "body": maybe({"type": "object"})}},
    "SavedSearch": SAVED,
    "SavedSearches": form({"searches": many(SAVED)}),
    "Logs": form({"logs": many(LOG_STATE)}),
    "PublicLogs": form({"keys": many(TEXT), "logs": many(PUBLIC_LOG)}),
    "Proof": form({"log": TEXT, "index": COUNT, "format": one_of("c2sp.org/tlog-proof@v1"), "proof": TEXT}),
    "Live": form({"live": YES_NO}),
    "Ready": form({"ready": YES_NO, "doors": {"type": "object", "additionalProperties": one_of("ok", "no answer")}}),
    "Token": form(
        {"access_token": TEXT, "token_type": one_of("DPoP"), "expires_in": COUNT}, {"issued_token_type": TEXT}
    ),
    "TokenError": form({"error": TEXT}, {"error_description": TEXT}),
}
