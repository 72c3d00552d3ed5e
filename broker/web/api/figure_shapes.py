"""The forms of answers about figures (`shapes.py` has all others)."""

from __future__ import annotations

from collections.abc import Mapping

from broker.oversight.report import COUNTED
from broker.web.api.sample_shapes import COUNTS, COVERED
from broker.web.api.shapes import COUNT, DAY, MOMENT, TEXT, Schema, form, many, maybe, named


def _counted(**of: Schema) -> Schema:
    return many(form({**of, "accesses": COUNT}))


LOG = form(
    {
        "log": TEXT,
        "year": COUNT,
        "size": COUNT,
        "published_size": COUNT,
        "checked_at": maybe(MOMENT),
        "faults": maybe(COUNT),
        "alarms": many(TEXT),
    }
)
FIGURE_SHAPES: Mapping[str, Schema] = {
    "Figures": form(
        {
            "municipality": TEXT,
            "month": TEXT,
            "days": _counted(day=DAY),
            "units": _counted(unit=TEXT),
            "outcomes": _counted(outcome=TEXT),
            "bases": _counted(basis=TEXT),
            "reasons": many(form({"reason": TEXT, "asks": COUNT})),
            "hours": _counted(weekday=COUNT, hour=COUNT),
            "coverage": many(form({**COVERED, **COUNTS})),
        }
    ),
    "Refusals": form(
        {
            "municipality": TEXT,
            "quarter": TEXT,
            "months": many(TEXT),
            "reasons": many(
                form(
                    {
                        "reason": TEXT,
                        "paragraph": TEXT,
                        "da": TEXT,
                        "en": TEXT,
                        "citizens": many(maybe(COUNT)),
                        "sum": maybe(COUNT),
                    }
                )
            ),
            "month_sums": many(maybe(COUNT)),
            "sum": maybe(COUNT),
        }
    ),
    "FiguresReport": form(
        {
            "made_at": MOMENT,
            "figures": named("Figures"),
            "samples": form(dict.fromkeys(("drawn", "explained", "closed", "late"), COUNT)),
            "happened": form(dict.fromkeys(COUNTED, COUNT)),
            "emergency_accesses": COUNT,
            "logs": many(LOG),
        }
    ),
}
