"""`/v1/consent-requests` and `/v1/consents`: a department's system asks for consent; a desk records and withdraws."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Annotated, Any

import orjson
from fastapi import APIRouter, Depends, Request, Response

from broker.consents.desk import record_at_desk
from broker.consents.pause import pause_at_desk, resume_at_desk
from broker.consents.request import request_consent, request_of_unit
from broker.consents.withdraw import withdraw_at_desk
from broker.domain.consents import ConsentRequest
from broker.domain.days import danish_day
from broker.domain.errors import NotFound
from broker.domain.identity import Caller
from broker.domain.personal import Personal
from broker.domain.receipts import Receipt
from broker.ports import Ports
from broker.web.api.answers import CHANGE_ANSWERS, READ_ANSWERS, told
from broker.web.api.once import Once
from broker.web.api.strict import StrictRoute
from broker.web.consent_wire import (
    AskingBody,
    DeskBody,
    DeskWithdrawBody,
    grant_body,
    request_body,
    taken_of,
    wanted_of,
)
from broker.web.wire import cpr_of, receipt_body

Gate = Callable[[Request], Awaitable[Caller]]
Recording = Callable[[str, Sequence[str] | None, Personal[str], Caller, Ports], Awaitable[Receipt]]

ASKED = told("ConsentRequest", CHANGE_ANSWERS) | told("ConsentRequest", status=201)
GIVEN = told("ConsentGiven", CHANGE_ANSWERS, status=201)
CHANGED = told("ConsentChanged", CHANGE_ANSWERS)


def build(ports: Ports, gate: Gate, once: Once, *, test_numbers: bool) -> APIRouter:
    """Build the routes. `gate` proves the caller; `once` keeps a repeated POST from being done twice."""
    routes = APIRouter(tags=["consents"], route_class=StrictRoute)
    proven = Annotated[Caller, Depends(gate)]

    @routes.post("/v1/consent-requests", status_code=201, responses=ASKED, summary="Ask a citizen for consent")
    async def post_request(request: Request, body: AskingBody, caller: proven) -> Response:
        wanted = wanted_of(body, test_numbers=test_numbers)
        made_id, repeated = await once.resource(request, caller)
        if repeated and (kept := await _kept(ports, made_id, caller)):
            return _json(request_body(kept, danish_day(ports.clock.now())))
        made, receipt = await request_consent(made_id, wanted, caller, ports)
        return _json(request_body(made, danish_day(made.asked_at), receipt), 201)

    @routes.get(
        "/v1/consent-requests/{request_id}",
        responses=told("ConsentRequest", READ_ANSWERS),
        summary="How a request stands",
    )
    async def get_request(request_id: str, caller: proven) -> Response:
        kept = await request_of_unit(request_id, caller, ports)
        return _json(request_body(kept, danish_day(ports.clock.now())))

    @routes.post("/v1/consents", status_code=201, responses=GIVEN, summary="Record a yes given at a desk")
    async def post_consent(request: Request, body: DeskBody, caller: proven) -> Response:
        wanted, taken = wanted_of(body, test_numbers=test_numbers), taken_of(body, test_numbers=test_numbers)
        made_id, _ = await once.resource(request, caller)
        # A repeat finds its id taken: the store says so (409), and nothing is recorded twice.
        given, receipt = await record_at_desk(made_id, wanted, taken, caller, ports)
        return _json(grant_body(given, receipt, to_unit=True), 201)

    _changes(routes, ports, gate, test_numbers=test_numbers)
    return routes


def _changes(routes: APIRouter, ports: Ports, gate: Gate, *, test_numbers: bool) -> None:
    """Add what a desk records of a consent that stands; each way has its own right to be recorded."""
    proven = Annotated[Caller, Depends(gate)]

    @routes.post("/v1/consents/{consent_id}/withdrawal", responses=CHANGED, summary="Record a withdrawal")
    async def post_withdrawal(consent_id: str, body: DeskWithdrawBody, caller: proven) -> Response:
        return await _recorded(withdraw_at_desk, consent_id, body, caller)

    @routes.post("/v1/consents/{consent_id}/pause", responses=CHANGED, summary="Record that a yes rests")
    async def post_pause(consent_id: str, body: DeskWithdrawBody, caller: proven) -> Response:
        return await _recorded(pause_at_desk, consent_id, body, caller)

    @routes.post("/v1/consents/{consent_id}/resumption", responses=CHANGED, summary="Record that it holds again")
    async def post_resumption(consent_id: str, body: DeskWithdrawBody, caller: proven) -> Response:
        return await _recorded(resume_at_desk, consent_id, body, caller)

    async def _recorded(keep: Recording, consent_id: str, body: DeskWithdrawBody, caller: Caller) -> Response:
        citizen = cpr_of(body.citizen, pointer="/citizen", test_numbers=test_numbers)
        receipt = await keep(consent_id, body.lines, citizen, caller, ports)
        return _json({"consent": consent_id, "receipt": receipt_body(receipt)})


async def _kept(ports: Ports, made_id: str, caller: Caller) -> ConsentRequest | None:
    """Find what an earlier request with the same key made; None when that one failed before it was kept."""
    try:
        return await request_of_unit(made_id, caller, ports)
    except NotFound:
        return None


def _json(body: dict[str, Any], status: int = 200) -> Response:
    return Response(orjson.dumps(body), status_code=status, media_type="application/json")
