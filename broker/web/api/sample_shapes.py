"""The forms of answers about samples (`shapes.py` has all others)."""

from __future__ import annotations

from collections.abc import Mapping

from broker.domain.samples import CLOSED, EXPLAINED, RANDOM, RANKED, REOPENED, STATES, UNDISCLOSED
from broker.web.api.shapes import COUNT, DAY, MOMENT, RECEIPT, TEXT, YES_NO, Schema, form, many, maybe, one_of

PLAIN: Mapping[str, Schema] = {
    "id": TEXT,
    "draw": TEXT,
    "municipality": TEXT,
    "unit": TEXT,
    "log": TEXT,
    "index": COUNT,
    "at": MOMENT,
    "chosen": one_of(RANDOM, RANKED, UNDISCLOSED),
    "signs": many(TEXT),
    "explained_away": many(form({"sign": TEXT, "by": TEXT})),
    "state": one_of(*STATES),
    "opened_at": MOMENT,
    "due": DAY,
    "late": YES_NO,
    "days_late": COUNT,
}
STEP = one_of(EXPLAINED, CLOSED, REOPENED)
ACCESS = form(
    {},
    {
        "purpose": TEXT,
        "outcome": TEXT,
        "basis": many(TEXT),
        "reasons": many(TEXT),
        "categories": many(TEXT),
        "sources": many(TEXT),
        "emergency": YES_NO,
    },
)
COVERED = {"municipality": TEXT, "unit": TEXT, "month": TEXT}
COUNTS: Mapping[str, Schema] = dict.fromkeys(("accesses", "drawn", "explained", "closed"), COUNT)
SAMPLE_SHAPES: Mapping[str, Schema] = {
    "Samples": form({"samples": many(form(PLAIN)), "next": maybe(TEXT)}),
    "Sample": form(
        {
            **PLAIN,
            "access": ACCESS,
            "steps": many(form({"state": STEP, "at": MOMENT, "text": maybe(TEXT)})),
            "your_step": maybe(STEP),
            "you_may_learn_who": YES_NO,
            "erased": YES_NO,
        }
    ),
    "SampleStep": form({"sample": TEXT, "state": STEP, "receipt": RECEIPT}),
    "Employee": form({"issuer": TEXT, "id": TEXT, "name": maybe(TEXT)}),
    "SampleCoverage": form({"coverage": many(form({**COVERED, **COUNTS}))}),
}
