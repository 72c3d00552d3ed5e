"""The forms of answers about what the law keeps back for a time (`shapes.py` has all others)."""

from __future__ import annotations

from collections.abc import Mapping

from broker.domain.deferral import GROUNDS, IN_FORCE, LAPSED, OVER, WAITING
from broker.web.api.shapes import MOMENT, RECEIPT, TEXT, Schema, form, many, maybe, one_of

DEFERRAL = form(
    {
        "id": TEXT,
        "municipality": TEXT,
        "citizen": TEXT,
        "unit": TEXT,
        "ground": one_of(*GROUNDS),
        "state": one_of(WAITING, IN_FORCE, OVER, LAPSED),
        "asked_by": TEXT,
        "asked_at": MOMENT,
        "approved_by": maybe(TEXT),
        "until": MOMENT,
    }
)
DEFERRAL_SHAPES: Mapping[str, Schema] = {
    "Deferral": DEFERRAL,
    "Deferrals": form({"deferrals": many(DEFERRAL)}),
    "DeferralChanged": form({"deferral": TEXT, "receipt": RECEIPT}),
}
