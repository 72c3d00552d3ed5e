"""The forms of answers about after-checks of break-glass (`shapes.py` has all others)."""

from __future__ import annotations

from collections.abc import Mapping

from broker.domain.after_checks import (
    BEFORE,
    ESCALATED,
    LATER,
    NONE,
    NOT_KNOWN,
    NOT_YET,
    ON_PAPER,
    PUT_OFF,
    REPEATED,
    SENT,
    UNDISCLOSED,
    UNEXPLAINED,
    USE,
    WAITS,
)
from broker.domain.samples import CLOSED, EXPLAINED, REOPENED, STATES
from broker.web.api.sample_shapes import STEP
from broker.web.api.shapes import COUNT, DAY, MOMENT, RECEIPT, TEXT, YES_NO, Schema, form, many, maybe, one_of

PLAIN: Mapping[str, Schema] = {
    "id": TEXT,
    "kind": one_of(USE, REPEATED),
    "municipality": TEXT,
    "unit": TEXT,
    "requests": many(TEXT),
    "state": one_of(*STATES),
    "opened_at": MOMENT,
    "due": DAY,
    "late": YES_NO,
    "days_late": COUNT,
    "escalated_at": maybe(MOMENT),
}
# What a case's history tells beside the steps that somebody may take.
DONE = one_of(EXPLAINED, CLOSED, UNEXPLAINED, REOPENED, ESCALATED)
HOLDER = form({"unit": TEXT, "sources": many(TEXT), "said": one_of("yes", "no", "nothing")}, {"until": MOMENT})
LINE = form({"log": TEXT, "index": COUNT, "kind": TEXT, "at": MOMENT}, {"outcome": TEXT})
NOTICE = form(
    {"state": one_of(WAITS, PUT_OFF, ON_PAPER, SENT, NOT_KNOWN, UNDISCLOSED), "at": maybe(MOMENT)},
    {"channel": TEXT, "ground": TEXT},
)
USED = form(
    {
        "request": TEXT,
        "reason": TEXT,
        "unit": TEXT,
        "requested_at": MOMENT,
        "holders": many(HOLDER),
        "lines": many(LINE),
        "notice": NOTICE,
        "relation": form({"state": one_of(BEFORE, LATER, NONE, NOT_YET), "at": MOMENT}),
    }
)
AFTER_CHECK_SHAPES: Mapping[str, Schema] = {
    "BreakGlassCases": form({"cases": many(form(PLAIN)), "next": maybe(TEXT)}),
    "BreakGlassCase": form(
        {
            **PLAIN,
            "uses": many(USED),
            "steps": many(form({"state": DONE, "at": MOMENT, "text": maybe(TEXT)})),
            "your_step": maybe(STEP),
            "leader_until": maybe(DAY),
            "you_may_learn_who": YES_NO,
            "erased": YES_NO,
        }
    ),
    "BreakGlassCaseStep": form({"case": TEXT, "state": STEP, "receipt": RECEIPT}),
}
