"""The forms of answers about breach files (`shapes.py` has all others)."""

from __future__ import annotations

from collections.abc import Mapping

from broker.domain.breach_letters import ADVICE, NATURES
from broker.domain.breaches import NOTES, RISKS, STATES
from broker.web.api.shapes import COUNT, MOMENT, RECEIPT, TEXT, Schema, form, many, maybe, one_of

PLAIN: Mapping[str, Schema] = {
    "id": TEXT,
    "municipality": TEXT,
    "state": one_of(*STATES),
    "known_at": MOMENT,
    "opened_at": MOMENT,
    "due": MOMENT,
    "stopped_at": maybe(MOMENT),
    "hours_left": {"type": "integer"},
    "risk": maybe(one_of(*RISKS)),
    "missing": many(TEXT),
}


def _note(employee: Schema) -> Schema:
    criteria = {"since": MOMENT, "until": MOMENT, "unit": maybe(TEXT), "source": maybe(TEXT), "employee": employee}
    sometimes = {"risk": one_of(*RISKS), "reference": TEXT, "criteria": form(criteria), **COUNTED}
    return form({"number": COUNT, "kind": one_of(*NOTES), "at": MOMENT, "text": maybe(TEXT)}, sometimes)


COUNTED: Mapping[str, Schema] = {"entries": COUNT, "citizens": COUNT}
NOTE = _note(maybe(TEXT))
CONTROLLER = form({"id": TEXT, "name": maybe(TEXT), "cvr": maybe(TEXT)})
BATCH = form(
    {
        "id": TEXT,
        "nature": one_of(*NATURES),
        "advice": one_of(*ADVICE),
        "named": COUNT,
        "letters": maybe(COUNT),
        "prepared_at": MOMENT,
        "ends_at": MOMENT,
        "released_at": maybe(MOMENT),
        "withdrawn_at": maybe(MOMENT),
    }
)
LETTER = form(
    {"municipality": TEXT, "known_at": MOMENT, "nature": one_of(*NATURES), "advice": one_of(*ADVICE), "at": MOMENT}
)
AFFECTED = form({"citizen": TEXT, "entries": COUNT, "first": MOMENT, "last": MOMENT})
YES_NO: Schema = {"type": "boolean"}
BREACH_SHAPES: Mapping[str, Schema] = {
    "Breaches": form({"breaches": many(form(PLAIN)), "next": maybe(TEXT)}),
    "Breach": form({**PLAIN, "notes": many(NOTE), "letters": many(BATCH)}),
    "BreachNote": form({"breach": TEXT, "kind": TEXT, "receipt": RECEIPT}),
    "BreachCount": NOTE,
    "BreachLetters": BATCH,
    "BreachRelease": form({"batch": TEXT, "receipt": RECEIPT}),
    "BreachWithdrawal": form({"batch": TEXT, "receipt": RECEIPT}),
    "MyBreaches": form({"breaches": many(LETTER)}),
    "BreachCitizens": form({"number": COUNT, "page": COUNT, "citizens": many(AFFECTED), "more": YES_NO}),
    "BreachExport": form(
        {"format": TEXT, "controller": CONTROLLER, **PLAIN, "notes": many(_note(YES_NO)), "letters": many(BATCH)}
    ),
}
