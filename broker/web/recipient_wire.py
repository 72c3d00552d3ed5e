"""What a DPO asks to learn who got what, from a form or as JSON, and the answer. No answer repeats a number."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, Field

from broker.domain.days import NO_BEGINNING, NO_END
from broker.domain.recipients import AIMS
from broker.oversight.recipients import Receivers, Wish
from broker.web.break_glass_wire import STRICT, Number
from broker.web.export_wire import recipient_body
from broker.web.wire import Code, Day, cpr_of, day_from

FORMAT = "borgerbro-recipients@v1"


class RecipientsBody(BaseModel):
    """Whose data, of which source, why, and perhaps which category and which Danish days, both included."""

    model_config = STRICT

    citizen: Number
    aim: Annotated[str, Field(pattern=f"^({'|'.join(AIMS)})$", description="What was done: it is on the log as why")]
    source: Annotated[Code, Field(examples=["social"])]
    category: Annotated[Code | None, Field(description="All that the source may hold, without")] = None
    since: Day | None = None
    until: Day | None = None


def wish_from(body: RecipientsBody, *, test_numbers: bool) -> Wish:
    """Make the wish of a body; raise `BadAsk` for a number or a day that cannot be."""
    return Wish(
        cpr_of(body.citizen, pointer="/citizen", test_numbers=test_numbers),
        body.aim,
        body.source,
        body.category or "",
        day_from(body.since, "/since") if body.since else NO_BEGINNING,
        day_from(body.until, "/until") if body.until else NO_END,
    )


def receivers_body(found: Receivers) -> dict[str, Any]:
    """Lay out who got what."""
    rows = [{"municipality": row.municipality, **recipient_body(row.what)} for row in found.rows]
    return {"format": FORMAT, "whole": found.whole, "recipients": rows}
