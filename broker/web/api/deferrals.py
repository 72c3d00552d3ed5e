"""`/v1/deferrals`: overseers keep a unit's asks back from a citizen for a time, two of them together."""

from collections.abc import Awaitable, Callable
from datetime import date
from typing import Annotated, Any

import orjson
from fastapi import APIRouter, Depends, Request, Response
from pydantic import BaseModel, Field

from broker.domain.deferral import Deferral
from broker.domain.identity import OfficerLogin
from broker.domain.receipts import Receipt
from broker.oversight.deferral import Desk, Wish, approve, ask, deferrals, end
from broker.web.api.answers import CHANGE_ANSWERS, READ_ANSWERS, told
from broker.web.api.strict import StrictRoute
from broker.web.break_glass_wire import STRICT, Number
from broker.web.consent_wire import moment
from broker.web.wire import Code, cpr_of, receipt_body

OfficerGate = Callable[[Request], Awaitable[OfficerLogin]]
CHANGED = told("DeferralChanged", CHANGE_ANSWERS)


class DeferralBody(BaseModel):
    """Whose entries, about which unit's asks, on what ground, to which day."""

    model_config = STRICT

    citizen: Number
    unit: Code
    ground: Annotated[Code, Field(examples=["dbl22_2"])]
    last_day: Annotated[date, Field(description="The last day on which they are kept back")]


class WhoseBody(BaseModel):
    """Whose deferral it is: an id alone approves and ends nothing."""

    model_config = STRICT

    citizen: Number


def build(desk: Desk, officer: OfficerGate, *, test_numbers: bool) -> APIRouter:
    """Build the routes over the overseer's log-in."""
    routes = APIRouter(tags=["oversight"], route_class=StrictRoute)
    proven = Annotated[OfficerLogin, Depends(officer)]

    @routes.get("/v1/deferrals", responses=told("Deferrals", READ_ANSWERS), summary="What is kept back, and was")
    async def get_deferrals(login: proven) -> Response:
        rows = [_body(one, desk) for one in await deferrals(login, desk)]
        return _json({"deferrals": rows})

    @routes.post("/v1/deferrals", status_code=201, responses=told("Deferral", CHANGE_ANSWERS, status=201),
                 summary="Ask that a unit's asks be kept back from a citizen for a time")  # fmt: skip
    async def post_deferral(body: DeferralBody, login: proven) -> Response:
        citizen = cpr_of(body.citizen, pointer="/citizen", test_numbers=test_numbers)
        made = await ask(Wish(citizen, body.unit, body.ground, body.last_day), login, desk)
        return _json(_body(made, desk), 201)

    @routes.post("/v1/deferrals/{deferral_id}/approval", responses=CHANGED, summary="Say yes, as the second person")
    async def post_approval(deferral_id: str, body: WhoseBody, login: proven) -> Response:
        citizen = cpr_of(body.citizen, pointer="/citizen", test_numbers=test_numbers)
        return _changed(deferral_id, await approve(deferral_id, citizen, login, desk))

    @routes.post("/v1/deferrals/{deferral_id}/end", responses=CHANGED, summary="End it before its time")
    async def post_end(deferral_id: str, body: WhoseBody, login: proven) -> Response:
        citizen = cpr_of(body.citizen, pointer="/citizen", test_numbers=test_numbers)
        return _changed(deferral_id, await end(deferral_id, citizen, login, desk))

    return routes


def _body(one: Deferral, desk: Desk) -> dict[str, Any]:
    """Lay out one deferral for an overseer: codes, handles and times."""
    return {
        "id": one.id,
        "municipality": one.municipality,
        "citizen": one.citizen,
        "unit": one.unit,
        "ground": one.ground,
        "state": one.state(desk.clock.now()),
        "asked_by": one.asked_by,
        "asked_at": moment(one.asked_at),
        "approved_by": one.approved_by,
        "until": moment(one.ended_at or one.until),
    }


def _changed(deferral: str, receipt: Receipt) -> Response:
    return _json({"deferral": deferral, "receipt": receipt_body(receipt)})


def _json(body: dict[str, Any], status: int = 200) -> Response:
    return Response(orjson.dumps(body), status_code=status, media_type="application/json")
