"""The forms of answers about yeses that hold no more (`shapes.py` has all others)."""

from __future__ import annotations

from collections.abc import Mapping

from broker.web.api.shapes import MOMENT, NEXT, PLACE, TEXT, Schema, form, many, maybe

STOP = form(
    {
        **dict.fromkeys(("id", "unit", "purpose"), TEXT),
        "consent": maybe(TEXT),
        "request": maybe(TEXT),
        "since": MOMENT,
        "lines": many(PLACE),
        "received_at": maybe(MOMENT),
    }
)
WITHDRAWAL_SHAPES: Mapping[str, Schema] = {
    "Withdrawals": form({"withdrawals": many(STOP), **NEXT}),
    "WithdrawalReceived": form({"withdrawal": TEXT, "received_at": MOMENT}),
}
