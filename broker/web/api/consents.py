"""`/v1/consent-requests` and `/v1/consents`: a department's system asks for consent; a desk records and withdraws."""

from collections.abc import Awaitable, Callable
from typing import Annotated, Any

import orjson
from fastapi import APIRouter, Depends, Request, Response

from broker.consents.desk import record_at_desk
from broker.consents.request import request_consent
from broker.consents.withdraw import withdraw_at_desk
from broker.domain.days import danish_day
from broker.domain.identity import Caller
from broker.ports import Ports
from broker.web.api.answers import CHANGE_ANSWERS, READ_ANSWERS
from broker.web.api.once import Once
from broker.web.consent_wire import (
    DeskBody,
    DeskWithdrawBody,
    WantedBody,
    grant_body,
    request_body,
    taken_of,
    wanted_of,
)
from broker.web.wire import cpr_of, receipt_body

Gate = Callable[[Request], Awaitable[Caller]]


def build(ports: Ports, gate: Gate, once: Once, *, test_numbers: bool) -> APIRouter:
    """Build the routes. `gate` proves the caller; `once` keeps a repeated POST from being done twice."""
    routes = APIRouter(tags=["consents"])
    proven = Annotated[Caller, Depends(gate)]

    @routes.post("/v1/consent-requests", status_code=201, responses=CHANGE_ANSWERS, summary="Ask a citizen for consent")
    async def post_request(request: Request, body: WantedBody, caller: proven) -> Response:
        async def ask() -> tuple[str, dict[str, Any]]:
            made, receipt = await request_consent(wanted_of(body, test_numbers=test_numbers), caller, ports)
            return made.id, request_body(made, danish_day(made.asked_at), receipt)

        async def again(made: str) -> dict[str, Any]:
            kept = await ports.consents.request_by_id(made, municipality=caller.municipality)
            return request_body(kept, danish_day(ports.clock.now()))

        return await once.do(request, caller, body, ask, again)

    @routes.get("/v1/consent-requests/{request_id}", responses=READ_ANSWERS, summary="How a request stands")
    async def get_request(request_id: str, caller: proven) -> Response:
        kept = await ports.consents.request_by_id(request_id, municipality=caller.municipality)
        return _json(request_body(kept, danish_day(ports.clock.now())))

    @routes.post("/v1/consents", status_code=201, responses=CHANGE_ANSWERS, summary="Record a yes given at a desk")
    async def post_consent(request: Request, body: DeskBody, caller: proven) -> Response:
        async def keep() -> tuple[str, dict[str, Any]]:
            wanted, taken = wanted_of(body, test_numbers=test_numbers), taken_of(body, test_numbers=test_numbers)
            given, receipt = await record_at_desk(wanted, taken, caller, ports)
            return given.id, grant_body(given, receipt)

        async def again(made: str) -> dict[str, Any]:
            return {"consent": made}

        return await once.do(request, caller, body, keep, again)

    @routes.post("/v1/consents/{consent_id}/withdrawal", responses=CHANGE_ANSWERS, summary="Record a withdrawal")
    async def post_withdrawal(request: Request, consent_id: str, body: DeskWithdrawBody, caller: proven) -> Response:
        async def take_back() -> tuple[str, dict[str, Any]]:
            citizen = cpr_of(body.citizen, pointer="/citizen", test_numbers=test_numbers)
            receipt = await withdraw_at_desk(consent_id, body.lines, citizen, caller, ports)
            return consent_id, {"consent": consent_id, "receipt": receipt_body(receipt)}

        async def again(made: str) -> dict[str, Any]:
            return {"consent": made}

        return await once.do(request, caller, body, take_back, again, status=200)

    return routes


def _json(body: dict[str, Any]) -> Response:
    return Response(orjson.dumps(body), media_type="application/json")
