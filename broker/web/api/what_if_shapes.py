"""The forms of answers about other rules tried on a month (`shapes.py` has all others)."""

from __future__ import annotations

from collections.abc import Mapping

from broker.domain.what_ifs import BROKEN_OFF, ENDED, RUNNING, WHYS
from broker.oversight.what_if_tally import ALL_KINDS
from broker.web.api.shapes import COUNT, MOMENT, TEXT, YES_NO, Schema, form, many, maybe, named, one_of

ROW: Mapping[str, Schema] = {
    "kind": one_of(*ALL_KINDS),
    "by": TEXT,
    "counts": many(maybe(COUNT)),
    "total": maybe(COUNT),
}
RESULT: Mapping[str, Schema] = {
    "purposes": many(TEXT),
    "rows": many(form(ROW)),
    "totals": many(maybe(COUNT)),
    "total": maybe(COUNT),
    "deleted": maybe(COUNT),
}
RUN: Mapping[str, Schema] = {
    "id": TEXT,
    "municipality": TEXT,
    "month": TEXT,
    "candidate": TEXT,
    "rules": TEXT,
    "role": TEXT,
    "begun_at": MOMENT,
    "state": one_of(RUNNING, ENDED, BROKEN_OFF),
    "share": COUNT,
    "done": COUNT,
    "ended_at": maybe(MOMENT),
    "why": one_of("", *WHYS),
    "result": maybe(form(RESULT)),
}
WHAT_IF_SHAPES: Mapping[str, Schema] = {
    "WhatIfRun": form(RUN),
    "WhatIfRuns": form(
        {"set_up": YES_NO, "candidates": many(TEXT), "months": many(TEXT), "runs": many(named("WhatIfRun"))}
    ),
}
