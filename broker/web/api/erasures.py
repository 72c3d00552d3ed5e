"""`/v1/erasures`: who is to be erased, and the second person's yes; the citizen is named again in the body.

Only an operator at the machine asks for an erasure (`broker citizen erase`), and only the eraser carries it out.
"""

from collections.abc import Awaitable, Callable, Mapping
from typing import Annotated, Any

import orjson
from fastapi import APIRouter, Depends, Request, Response
from pydantic import BaseModel

from broker.domain.erasure import GROUNDS, Erasure
from broker.domain.identity import OfficerLogin
from broker.oversight.erasure import Desk, approve, waiting
from broker.web.api.answers import CHANGE_ANSWERS, READ_ANSWERS, told
from broker.web.api.shapes import MOMENT, RECEIPT, TEXT, YES_NO, Schema, form, many, one_of
from broker.web.api.strict import StrictRoute
from broker.web.break_glass_wire import STRICT, Number
from broker.web.consent_wire import moment
from broker.web.wire import Code, cpr_of, receipt_body

OfficerGate = Callable[[Request], Awaitable[OfficerLogin]]
ERASURE = form(
    {"id": TEXT, "municipality": TEXT, "ground": one_of(*GROUNDS), "asked_by": TEXT, "asked_at": MOMENT,
     "approve_by": MOMENT, "approved": YES_NO}
)  # fmt: skip
ERASURE_SHAPES: Mapping[str, Schema] = {
    "Erasures": form({"erasures": many(ERASURE)}),
    "ErasureApproved": form({"erasure": TEXT, "receipt": RECEIPT}),
}


class ApprovalBody(BaseModel):
    """Whose erasure it is, and in which municipality: an id alone approves nothing."""

    model_config = STRICT

    citizen: Number
    municipality: Code


def build(desk: Desk, officer: OfficerGate, *, test_numbers: bool) -> APIRouter:
    """Build the list, which names nobody, and the approval."""
    routes = APIRouter(tags=["oversight"], route_class=StrictRoute)
    proven = Annotated[OfficerLogin, Depends(officer)]

    @routes.get("/v1/erasures", responses=told("Erasures", READ_ANSWERS), summary="Which erasures are asked for")
    async def get_erasures(login: proven) -> Response:
        return _json({"erasures": [_body(one) for one in await waiting(login, desk)]})

    @routes.post("/v1/erasures/{erasure_id}/approval", responses=told("ErasureApproved", CHANGE_ANSWERS),
                 summary="Say yes to an erasure, as the second person")  # fmt: skip
    async def post_approval(erasure_id: str, body: ApprovalBody, login: proven) -> Response:
        citizen = cpr_of(body.citizen, pointer="/citizen", test_numbers=test_numbers)
        receipt = await approve(erasure_id, citizen, body.municipality, login, desk)
        return _json({"erasure": erasure_id, "receipt": receipt_body(receipt)})

    return routes


def _body(one: Erasure) -> dict[str, Any]:
    """Lay out one erasure without whose it is."""
    return {
        "id": one.id,
        "municipality": one.municipality,
        "ground": one.ground,
        "asked_by": one.requested_by,
        "asked_at": moment(one.requested_at),
        "approve_by": moment(one.expires_at),
        "approved": one.approved_by is not None,
    }


def _json(body: dict[str, Any]) -> Response:
    return Response(orjson.dumps(body), media_type="application/json")
