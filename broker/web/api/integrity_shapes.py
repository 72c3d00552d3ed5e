"""The forms of answers about how logs stand (`shapes.py` has all others)."""

from __future__ import annotations

from collections.abc import Mapping

from broker.domain.integrity import ALARMS, BROKEN_OFF, ENDED, RUNNING, WHYS
from broker.web.api.shapes import COUNT, MOMENT, TEXT, YES_NO, Schema, form, many, maybe, named, one_of

RUN: Mapping[str, Schema] = {
    "id": TEXT,
    "municipality": TEXT,
    "log": TEXT,
    "role": TEXT,
    "begun_at": MOMENT,
    "state": one_of(RUNNING, ENDED, BROKEN_OFF),
    "done": COUNT,
    "total": COUNT,
    "ended_at": maybe(MOMENT),
    "size": maybe(COUNT),
    "signed_size": maybe(COUNT),
    "intact": maybe(YES_NO),
    "found": COUNT,
    "faults": many(TEXT),
    "lawfully_deleted": COUNT,
    "why": maybe(one_of(*WHYS)),
}
STANDING: Mapping[str, Schema] = {
    "log": TEXT,
    "municipality": TEXT,
    "year": COUNT,
    "size": COUNT,
    "grown_at": maybe(MOMENT),
    "signed_size": COUNT,
    "signed_at": maybe(MOMENT),
    "published_size": COUNT,
    "published_at": maybe(MOMENT),
    "published_root": maybe(TEXT),
    "waited_seconds": maybe(COUNT),
    "limit_seconds": COUNT,
    "witnesses": many(form({"name": TEXT, "at": maybe(MOMENT), "checked": YES_NO})),
    "quorum": maybe(form({"least": COUNT, "of": COUNT, "met": YES_NO})),
    "open_asks": COUNT,
    "open_ask_lines": many(form({"log": TEXT, "index": COUNT, "at": MOMENT, "unit": TEXT})),
    "kept_back": COUNT,
    "still_kept_back": COUNT,
    "last_check": maybe(named("Check")),
    "alarms": many(one_of(*ALARMS)),
}
INTEGRITY_SHAPES: Mapping[str, Schema] = {
    "Check": form(RUN),
    "Checks": form({"checks": many(named("Check"))}),
    "Integrity": form({"logs": many(form(STANDING))}),
}
